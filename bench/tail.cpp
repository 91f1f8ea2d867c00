#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

// How long a quiet actor's answers take, at most until the time for all is over, while four pairs
// flood: the 99th percentile of what a plain thread waits for each. From outside, because a pair of
// actors that talk would keep a worker.

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
  explicit Sink(std::atomic<std::uint64_t>* seen) : seen_(seen) {}

  void on(const Item& m) {
    require(m.number == received_ && m.value == value_of(m.number), "an item is out of order");
    if (++received_ % tail_items_seen == 0) {
      seen_->fetch_add(1, std::memory_order_relaxed);
    }
  }
  std::uint64_t on(const Count&) { return received_; }

 private:
  std::atomic<std::uint64_t>* seen_;
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
  using Reply = std::uint64_t;
  std::uint64_t number = 0;
  TROUPE_MESSAGE(Ping, number)
};

class Quiet : public Actor {
 public:
  using Protocol = actors::Protocol<Ping>;
  std::uint64_t on(const Ping& m) { return m.number; }
};

template <class A>
std::uint64_t count_of(const ActorRef<A>& one) {
  const auto count = one.ask(Count{}, std::chrono::seconds{60}).get();
  require(count.ok(), "no count");
  return count.value();
}

}  // namespace

void tail(const Order& order) {
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> seen{0};
  LocalActors actors{order};
  std::vector<ActorRef<Sink>> sinks;
  std::vector<ActorRef<Source>> sources;
  for (std::uint32_t pair = 0; pair < flooding_pairs; ++pair) {
    sinks.push_back(actors->spawn<Sink>({.mailbox_messages_max = mailbox_messages}, &seen).value());
    sources.push_back(actors->spawn<Source>({}, sinks.back(), &is_over).value());
    tell(sources.back(), Go{});
  }
  const auto quiet = actors->spawn<Quiet>({}).value();
  while (seen < flooding_pairs) {
    std::this_thread::yield();
  }
  std::vector<double> seconds;
  const Stopwatch all;
  for (std::uint64_t number = 0; number < order.count && all.seconds() < tail_seconds; ++number) {
    const double left = std::max(tail_seconds - all.seconds(), 0.001);
    const Stopwatch watch;
    const auto answer =
        quiet.ask(Ping{number}, std::chrono::microseconds{std::llround(left * 1e6)}).get();
    seconds.push_back(watch.seconds());
    require(answer.ok() ? answer.value() == number : all.seconds() >= tail_seconds,
            "an answer is wrong");
  }
  is_over = true;
  for (std::uint32_t pair = 0; pair < flooding_pairs; ++pair) {
    const std::uint64_t sent = count_of(sources[pair]);
    require(sent > 0 && count_of(sinks[pair]) == sent, "the flood is not whole");
  }
  std::sort(seconds.begin(), seconds.end());
  print_figure("tail", seconds[seconds.size() * 99 / 100] * 1e6, "us");
}

}  // namespace troupe::bench
