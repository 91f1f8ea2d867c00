// CAF's middleman between two processes over loopback TCP. Usage:
//   bench-caf_remote MESSAGES WINDOW [THREADS]
// starts the receiving process itself. At most WINDOW items are on their way; 0: no bound.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <string>

#include "bench/figure.hpp"
#include "caf/all.hpp"
#include "caf/io/all.hpp"

namespace {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;
using troupe::bench::require;
using troupe::bench::value_of;

using Ack = caf::atom_constant<caf::atom("ack")>;
using Go = caf::atom_constant<caf::atom("go")>;
using Done = caf::atom_constant<caf::atom("done")>;

struct Item {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  std::string text;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Item& item) {
  return f(caf::meta::type_name("Item"), item.number, item.value, item.text);
}

struct Config : caf::actor_system_config {
  explicit Config(int threads) {
    load<caf::io::middleman>();
    add_message_type<Item>("Item");
    if (threads != 0) {
      set("scheduler.max-threads", static_cast<std::size_t>(threads));
    }
  }
};

class Sink : public event_based_actor {
 public:
  Sink(caf::actor_config& config, std::uint64_t messages, std::uint64_t window,
       std::promise<void>* done)
      : event_based_actor(config), messages_(messages), window_(window), done_(done) {}

  behavior make_behavior() override {
    return {[this](const Item& item) {
              require(item.number == received_ && item.text.size() == 48, "an item is wrong");
              sum_ += item.value;
              ++received_;
              const auto sender = caf::actor_cast<actor>(current_sender());
              if (window_ != 0 && received_ % (window_ / 2) == 0) {
                send(sender, Ack::value);
              }
              if (received_ == messages_) {
                send(sender, Done::value, sum_);
              }
            },
            [this](Done) { done_->set_value(); }};
  }

 private:
  std::uint64_t messages_;
  std::uint64_t window_;
  std::promise<void>* done_;
  std::uint64_t received_ = 0;
  std::uint64_t sum_ = 0;
};

class Source : public event_based_actor {
 public:
  Source(caf::actor_config& config, std::uint64_t messages, std::uint64_t window, actor sink,
         std::promise<std::uint64_t>* done)
      : event_based_actor(config),
        messages_(messages),
        window_(window),
        sink_(std::move(sink)),
        done_(done) {}

  behavior make_behavior() override {
    return {[this](Go) {
              limit_ = window_ != 0 ? window_ : messages_;
              advance();
            },
            [this](Ack) {
              limit_ += window_ / 2;
              advance();
            },
            [this](Done, std::uint64_t sum) { done_->set_value(sum); }};
  }

 private:
  void advance() {
    for (; sent_ < messages_ && sent_ < limit_; ++sent_) {
      send(sink_, Item{sent_, value_of(sent_), text_});
    }
  }

  std::uint64_t messages_;
  std::uint64_t window_;
  actor sink_;
  std::promise<std::uint64_t>* done_;
  std::string text_ = std::string(48, 'x');
  std::uint64_t sent_ = 0;
  std::uint64_t limit_ = 0;
};

void receive(int port_out, std::uint64_t messages, std::uint64_t window, int threads) {
  Config config{threads};
  caf::actor_system system{config};
  std::promise<void> done;
  const auto sink = system.spawn<Sink>(messages, window, &done);
  const auto port = system.middleman().publish(sink, 0, "127.0.0.1");
  require(static_cast<bool>(port), "publish");
  require(write(port_out, &*port, sizeof *port) == sizeof *port, "pipe");
  done.get_future().wait();
  caf::anon_send_exit(sink, caf::exit_reason::user_shutdown);
}

void send(std::uint16_t port, std::uint64_t messages, std::uint64_t window, int threads) {
  Config config{threads};
  caf::actor_system system{config};
  const auto sink = system.middleman().remote_actor("127.0.0.1", port);
  require(static_cast<bool>(sink), "connect");
  std::promise<std::uint64_t> done;
  const auto source = system.spawn<Source>(messages, window, *sink, &done);
  const troupe::bench::Stopwatch watch;
  caf::anon_send(source, Go::value);
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  std::uint64_t expected = 0;
  for (std::uint64_t number = 0; number < messages; ++number) {
    expected += value_of(number);
  }
  require(sum == expected, "the sum of the items is wrong");
  troupe::bench::print_rate("remote-flood", messages, seconds);
  caf::anon_send(*sink, Done::value);
  caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
}

}  // namespace

int main(int argc, char** argv) {
  require(argc >= 3, "usage: bench-caf_remote MESSAGES WINDOW [THREADS]");
  const std::uint64_t messages = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t window = std::strtoull(argv[2], nullptr, 10);
  const int threads = argc > 3 ? std::atoi(argv[3]) : 0;
  int pipe_ends[2];
  require(pipe(pipe_ends) == 0, "pipe");
  const pid_t child = fork();
  if (child == 0) {
    receive(pipe_ends[1], messages, window, threads);
    return 0;
  }
  std::uint16_t port = 0;
  require(read(pipe_ends[0], &port, sizeof port) == sizeof port, "pipe");
  send(port, messages, window, threads);
  int status = 0;
  require(waitpid(child, &status, 0) == child && status == 0, "the receiver failed");
}
