// CAF: ping-pong, flood, flood-windowed. Usage: bench-caf_local WORK MESSAGES [THREADS]; without THREADS
// CAF's own default.

#include <cstdlib>
#include <cstring>
#include <future>

#include "bench/figure.hpp"
#include "caf/all.hpp"

namespace {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;
using troupe::bench::require;
using troupe::bench::value_of;

using Ack = caf::atom_constant<caf::atom("ack")>;
using Go = caf::atom_constant<caf::atom("go")>;

class Player : public event_based_actor {
 public:
  Player(caf::actor_config& config, std::uint64_t first_left, std::promise<void>* done)
      : event_based_actor(config), next_(first_left), done_(done) {}

  behavior make_behavior() override {
    return {[this](const actor& other) { other_ = other; },
            [this](std::uint64_t left) {
              require(left == next_, "a ball is out of order");
              next_ = left - 2;
              if (left == 0) {
                other_ = nullptr;
                done_->set_value();
                return;
              }
              send(other_, left - 1);
            }};
  }

 private:
  actor other_;
  std::uint64_t next_;
  std::promise<void>* done_;
};

class Sink : public event_based_actor {
 public:
  Sink(caf::actor_config& config, std::uint64_t messages, std::uint64_t window,
       std::promise<std::uint64_t>* done)
      : event_based_actor(config), messages_(messages), window_(window), done_(done) {}

  behavior make_behavior() override {
    return {[this](std::uint64_t number, std::uint64_t value) {
      require(number == received_, "an item is out of order");
      sum_ += value;
      ++received_;
      if (window_ != 0 && received_ % (window_ / 2) == 0) {
        send(caf::actor_cast<actor>(current_sender()), Ack::value);
      }
      if (received_ == messages_) {
        done_->set_value(sum_);
      }
    }};
  }

 private:
  std::uint64_t messages_;
  std::uint64_t window_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t received_ = 0;
  std::uint64_t sum_ = 0;
};

class Source : public event_based_actor {
 public:
  Source(caf::actor_config& config, std::uint64_t messages, std::uint64_t window, actor sink)
      : event_based_actor(config), messages_(messages), window_(window), sink_(std::move(sink)) {}

  behavior make_behavior() override {
    return {[this](Go) {
              limit_ = window_ != 0 ? window_ : messages_;
              advance();
            },
            [this](Ack) {
              limit_ += window_ / 2;
              advance();
            }};
  }

 private:
  void advance() {
    for (; sent_ < messages_ && sent_ < limit_; ++sent_) {
      send(sink_, sent_, value_of(sent_));
    }
  }

  std::uint64_t messages_;
  std::uint64_t window_;
  actor sink_;
  std::uint64_t sent_ = 0;
  std::uint64_t limit_ = 0;
};

void ping_pong(caf::actor_system& system, std::uint64_t messages) {
  std::promise<void> done;
  const auto first = system.spawn<Player>(messages - 1, &done);
  const auto second = system.spawn<Player>(messages - 2, &done);
  caf::anon_send(first, second);
  caf::anon_send(second, first);
  const troupe::bench::Stopwatch watch;
  caf::anon_send(first, messages - 1);
  done.get_future().wait();
  troupe::bench::print_latency("ping-pong", messages, watch.seconds());
  caf::anon_send_exit(first, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(second, caf::exit_reason::user_shutdown);
}

void flood(caf::actor_system& system, std::uint64_t messages, std::uint64_t window) {
  std::promise<std::uint64_t> done;
  const auto sink = system.spawn<Sink>(messages, window, &done);
  const auto source = system.spawn<Source>(messages, window, sink);
  const troupe::bench::Stopwatch watch;
  caf::anon_send(source, Go::value);
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  std::uint64_t expected = 0;
  for (std::uint64_t number = 0; number < messages; ++number) {
    expected += value_of(number);
  }
  require(sum == expected, "the sum of the items is wrong");
  troupe::bench::print_rate("flood", messages, seconds);
  caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(sink, caf::exit_reason::user_shutdown);
}

}  // namespace

int main(int argc, char** argv) {
  require(argc >= 3, "usage: bench-caf_local WORK MESSAGES [THREADS]");
  const std::uint64_t messages = std::strtoull(argv[2], nullptr, 10);
  caf::actor_system_config config;
  if (argc > 3) {
    config.set("scheduler.max-threads", static_cast<std::size_t>(std::atoi(argv[3])));
  }
  caf::actor_system system{config};
  if (std::strcmp(argv[1], "ping-pong") == 0) {
    ping_pong(system, messages / 2 * 2);
  } else if (std::strcmp(argv[1], "flood") == 0) {
    flood(system, messages, 0);
  } else if (std::strcmp(argv[1], "flood-windowed") == 0) {
    flood(system, messages, 10'000);
  } else {
    require(false, "no such work");
  }
}
