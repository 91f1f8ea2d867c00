#include <algorithm>
#include <atomic>
#include <vector>

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

// How long two quiet actors wait for each other while four pairs flood: the 99th percentile of
// their round trips.

struct Item {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Item, number, value)
};
struct Go {
  TROUPE_MESSAGE(Go)
};
struct Count {
  using Reply = std::uint64_t;
  TROUPE_MESSAGE(Count)
};

class Sink : public Actor {
 public:
  using Protocol = actors::Protocol<Item, Count>;

  void on(const Item& m) {
    require(m.number == received_ && m.value == value_of(m.number), "an item is out of order");
    ++received_;
  }
  std::uint64_t on(const Count&) { return received_; }

 private:
  std::uint64_t received_ = 0;
};

class Source : public Actor {
 public:
  using Protocol = actors::Protocol<Go, Count>;
  Source(ActorRef<Sink> sink, const std::atomic<bool>* is_over) : sink_(sink), is_over_(is_over) {}

  Task<> on(Go) {
    while (!is_over_->load(std::memory_order_relaxed)) {
      const Item item{sent_, value_of(sent_)};
      Outcome outcome = sink_.tell(item);
      if (outcome == Outcome::mailbox_full) {
        auto sending = sink_.send(item);
        outcome = co_await sending;
      }
      require(outcome == Outcome::accepted, "an item was not accepted");
      ++sent_;
    }
  }
  std::uint64_t on(const Count&) { return sent_; }

 private:
  ActorRef<Sink> sink_;
  const std::atomic<bool>* is_over_;
  std::uint64_t sent_ = 0;
};

struct Ping {
  std::uint64_t number = 0;
  TROUPE_MESSAGE(Ping, number)
};
struct Pong {
  std::uint64_t number = 0;
  TROUPE_MESSAGE(Pong, number)
};

class Quiet : public Actor {
 public:
  using Protocol = actors::Protocol<Ping>;
  explicit Quiet(ActorRef<actors::Protocol<Pong>> other) : other_(other) {}
  void on(const Ping& m) { tell(other_, Pong{m.number}); }

 private:
  ActorRef<actors::Protocol<Pong>> other_;
};

class Prober : public Actor {
 public:
  using Protocol = actors::Protocol<Go, Pong>;
  Prober(std::uint64_t trips, std::promise<std::vector<double>>* done)
      : trips_(trips), done_(done) {
    seconds_.reserve(trips);
  }

  void on(const Go&) {
    const ActorRef<actors::Protocol<Pong>> me = self_as<Prober>();
    quiet_ = spawn<Quiet>({}, me).value();
    ping();
  }
  void on(const Pong& m) {
    require(m.number == seconds_.size(), "a round trip is out of order");
    seconds_.push_back(watch_.seconds());
    if (seconds_.size() == trips_) {
      done_->set_value(std::move(seconds_));
    } else {
      ping();
    }
  }

 private:
  void ping() {
    watch_ = Stopwatch{};
    tell(quiet_, Ping{seconds_.size()});
  }

  std::uint64_t trips_;
  std::promise<std::vector<double>>* done_;
  ActorRef<Quiet> quiet_;
  Stopwatch watch_;
  std::vector<double> seconds_;
};

}  // namespace

void tail(const Order& order) {
  std::atomic<bool> is_over{false};
  LocalActors actors{order};
  std::vector<ActorRef<Sink>> sinks;
  std::vector<ActorRef<Source>> sources;
  for (std::uint32_t pair = 0; pair < flooding_pairs; ++pair) {
    sinks.push_back(
        actors->spawn<Sink>({.mailbox_messages_max = mailbox_messages}).value());
    sources.push_back(actors->spawn<Source>({}, sinks.back(), &is_over).value());
    tell(sources.back(), Go{});
  }
  std::promise<std::vector<double>> done;
  const auto prober = actors->spawn<Prober>({}, order.count, &done).value();
  tell(prober, Go{});
  std::vector<double> seconds = done.get_future().get();
  is_over = true;
  for (std::uint32_t pair = 0; pair < flooding_pairs; ++pair) {
    const auto sent = sources[pair].ask(Count{}).get();
    const auto received = sinks[pair].ask(Count{}).get();
    require(sent.ok() && received.ok() && sent.value() == received.value() && sent.value() > 0,
            "the flood is not whole");
  }
  std::sort(seconds.begin(), seconds.end());
  print_figure("tail", seconds[seconds.size() * 99 / 100] * 1e6, "us");
}

}  // namespace troupe::bench
