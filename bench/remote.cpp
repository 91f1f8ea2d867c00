#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>

#include "bench/figure.hpp"
#include "bench/works.hpp"
#include "troupe/troupe.hpp"

namespace troupe::bench {

namespace {

// One actor sends to one on the other node: typed messages of 8 + 8 + 48 bytes, as MessagePack. At
// most `window` items are on their way; the receiver says when half of it has been handled.

struct Item {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  std::string text;
  TROUPE_MESSAGE(Item, number, value, text)
};
struct Handled {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  TROUPE_MESSAGE(Handled, count, sum)
};
struct WhoAreYou {
  using Reply = AnyRef;
  TROUPE_MESSAGE(WhoAreYou)
};
struct Begin {
  std::uint64_t messages = 0;
  ActorRef<Protocol<Handled>> source;
  TROUPE_MESSAGE(Begin, messages, source)
};
struct Go {
  TROUPE_MESSAGE(Go)
};

constexpr std::uint64_t window = 20'000;
constexpr std::size_t text_bytes = 48;

class Sink : public Actor {
 public:
  using Protocol = troupe::Protocol<Item, WhoAreYou, Begin>;

  AnyRef on(const WhoAreYou&) { return self(); }
  void on(const Begin& m) {
    messages_ = m.messages;
    source_ = m.source;
  }
  void on(const Item& m) {
    require(m.number == received_ && m.text.size() == text_bytes && m.text.back() == 'x',
            "an item is wrong");
    sum_ += m.value;
    if (++received_ % (window / 2) == 0 || received_ == messages_) {
      require(source_.tell(Handled{received_, sum_}) == Outcome::accepted, "no way back");
    }
  }

 private:
  ActorRef<troupe::Protocol<Handled>> source_;
  std::uint64_t messages_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t sum_ = 0;
};

class Source : public Actor {
 public:
  using Protocol = troupe::Protocol<Go, Handled>;
  Source(std::uint64_t messages, ActorRef<Sink> sink, std::promise<std::uint64_t>* done)
      : messages_(messages), sink_(sink), done_(done) {}

  void on(const Go&) { advance(); }
  void on(const Handled& m) {
    handled_ = m.count;
    if (handled_ == messages_) {
      done_->set_value(m.sum);
    } else {
      advance();
    }
  }

 private:
  void advance() {
    while (sent_ < messages_ && sent_ < handled_ + window) {
      const Outcome outcome = sink_.tell(Item{sent_, value_of(sent_), text_});
      if (outcome == Outcome::mailbox_full && sent_ > handled_) {
        return;  // the link is full; what is on its way brings the next Handled
      }
      require(outcome == Outcome::accepted, "an item was not accepted");
      ++sent_;
    }
  }

  std::uint64_t messages_;
  ActorRef<Sink> sink_;
  std::promise<std::uint64_t>* done_;
  std::string text_ = std::string(text_bytes, 'x');
  std::uint64_t sent_ = 0;
  std::uint64_t handled_ = 0;
};

Config config_of(const char* name) {
  Config config;
  config.name = name;
  config.cluster = "bench";
  config.listen = "tcp://127.0.0.1:0";
  config.demo = false;
  config.log_level = base::LogLevel::warn;
  return config;
}

/// The receiving process: this program again. Ended and waited for by finish().
class Receiver {
 public:
  Receiver() {
    int ends[2];
    require(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    char program[] = "/proc/self/exe";
    char word[] = "receive";
    char* const arguments[] = {program, word, nullptr};
    require(posix_spawn(&pid_, program, &actions, nullptr, arguments, environ) == 0, "spawn");
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) {
      address += c;
    }
    close(ends[0]);
    require(!address.empty(), "the receiver did not start");
  }

  void finish() const {
    int status = 0;
    require(kill(pid_, SIGTERM) == 0 && waitpid(pid_, &status, 0) == pid_ && status == 0,
            "the receiver did not leave in order");
  }

  std::string address;

 private:
  pid_t pid_ = 0;
};

/// The actor behind the name, which this node may learn a moment after it is ready.
AnyRef find(const ActorRef<Sink>& named) {
  const Stopwatch watch;
  for (;;) {
    const auto found = named.ask(WhoAreYou{}, std::chrono::seconds{20}).get();
    if (found.ok()) {
      return found.value();
    }
    require(found.error().kind == AskError::Kind::not_run && watch.seconds() < 20,
            found.error().text().c_str());
  }
}

}  // namespace

int remote_receiver() {
  require(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0, "prctl");  // also if the sender fails
  Node node{config_of("receiver")};
  node.start().value();
  node.spawn<Sink>({.name = "sink", .mailbox_messages_max = 2 * window}).value();
  std::printf("%s\n", node.address().c_str());
  std::fflush(stdout);
  return node.run();
}

void remote_flood(const Order& order) {
  const std::uint64_t messages = order.messages != 0 ? order.messages : 3'000'000;
  const Receiver receiver;
  Config config = config_of("sender");
  config.seeds = {receiver.address};
  config.workers = order.workers;
  Node node{config};
  node.start().value();
  node.wait_until_ready(std::chrono::seconds{20}).value();

  std::promise<std::uint64_t> done;
  const auto named = node.find<Sink>("sink");
  const ActorRef<Sink> sink{find(named)};
  const auto source = node.spawn<Source>({}, messages, sink, &done).value();
  require(sink.ask(Begin{messages, source}).get().ok(), "the sink does not begin");

  const Stopwatch watch;
  require(source.tell(Go{}) == Outcome::accepted, "the source did not start");
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  std::uint64_t expected = 0;
  for (std::uint64_t number = 0; number < messages; ++number) {
    expected += value_of(number);
  }
  require(sum == expected, "the sum of the items is wrong");
  print_rate("remote-flood", messages, seconds);
  receiver.finish();
}

}  // namespace troupe::bench
