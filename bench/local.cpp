#include <future>

#include "actors/actor_system.hpp"
#include "actors/timer_thread.hpp"
#include "actors/worker_pool.hpp"
#include "base/clock.hpp"
#include "bench/figure.hpp"
#include "bench/works.hpp"

namespace troupe::bench {

namespace {

using actors::Actor;
using actors::ActorRef;
using actors::Protocol;
using actors::Task;
using base::Outcome;

/// What a node has of actors, without the node.
class Actors {
 public:
  explicit Actors(std::uint32_t workers) : pool_({.workers = workers}) { pool_.start(); }
  ~Actors() {
    std::promise<void> stopped;
    system_.stop_all([&] { stopped.set_value(); });
    stopped.get_future().wait();
    require(system_.ledger().is_balanced(), "the ledger does not balance");
    pool_.stop();
  }
  Actors(const Actors&) = delete;
  Actors& operator=(const Actors&) = delete;

  actors::ActorSystem& operator*() { return system_; }
  actors::ActorSystem* operator->() { return &system_; }

 private:
  base::SteadyClock clock_;
  actors::WorkerPool pool_;
  actors::ActorSystem system_{{}, clock_, pool_};
  actors::TimerThread timers_{system_.timers(), clock_};
};

// Two actors send each other one ball.

struct Ball {
  std::uint64_t left = 0;
  TROUPE_MESSAGE(Ball, left)
};
struct Against {
  actors::AnyRef other;
  TROUPE_MESSAGE(Against, other)
};

class Player : public Actor {
 public:
  using Protocol = actors::Protocol<Ball, Against>;
  Player(std::uint64_t first_left, std::promise<void>* done) : next_(first_left), done_(done) {}

  void on(const Against& m) { other_ = ActorRef<Player>{m.other}; }
  void on(const Ball& m) {
    require(m.left == next_, "a ball is out of order");
    next_ = m.left - 2;
    if (m.left == 0) {
      done_->set_value();
      return;
    }
    require(other_.tell(Ball{m.left - 1}) == Outcome::accepted, "a ball was not accepted");
  }

 private:
  ActorRef<Player> other_;
  std::uint64_t next_;
  std::promise<void>* done_;
};

// One actor sends, one receives, through a bounded mailbox.

struct Item {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Item, number, value)
};
struct Go {
  TROUPE_MESSAGE(Go)
};

class Sink : public Actor {
 public:
  using Protocol = actors::Protocol<Item>;
  Sink(std::uint64_t messages, std::promise<std::uint64_t>* done)
      : messages_(messages), done_(done) {}

  void on(const Item& m) {
    require(m.number == received_, "an item is out of order");
    sum_ += m.value;
    if (++received_ == messages_) {
      done_->set_value(sum_);
    }
  }

 private:
  std::uint64_t messages_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t received_ = 0;
  std::uint64_t sum_ = 0;
};

class Source : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Source(std::uint64_t messages, ActorRef<Sink> sink) : messages_(messages), sink_(sink) {}

  Task<> on(Go) {
    for (std::uint64_t number = 0; number < messages_; ++number) {
      const Item item{number, value_of(number)};
      Outcome outcome = sink_.tell(item);
      if (outcome == Outcome::mailbox_full) {
        outcome = co_await sink_.send(item);
      }
      require(outcome == Outcome::accepted, "an item was not accepted");
    }
  }

 private:
  std::uint64_t messages_;
  ActorRef<Sink> sink_;
};

}  // namespace

void ping_pong(const Order& order) {
  const std::uint64_t messages = (order.messages != 0 ? order.messages : 5'000'000) / 2 * 2;
  Actors actors{order.workers};
  std::promise<void> done;
  const auto first = actors->spawn<Player>({}, messages - 1, &done).value();
  const auto second = actors->spawn<Player>({}, messages - 2, &done).value();
  require(first.ask(Against{second}).get().ok() && second.ask(Against{first}).get().ok(),
          "the players do not answer");
  const Stopwatch watch;
  require(first.tell(Ball{messages - 1}) == Outcome::accepted, "a ball was not accepted");
  done.get_future().wait();
  print_latency("ping-pong", messages, watch.seconds());
}

void flood(const Order& order) {
  const std::uint64_t messages = order.messages != 0 ? order.messages : 10'000'000;
  Actors actors{order.workers};
  std::promise<std::uint64_t> done;
  const auto sink =
      actors->spawn<Sink>({.mailbox_messages_max = 10'000}, messages, &done).value();
  const auto source = actors->spawn<Source>({}, messages, sink).value();
  const Stopwatch watch;
  require(source.tell(Go{}) == Outcome::accepted, "the source did not start");
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  std::uint64_t expected = 0;
  for (std::uint64_t number = 0; number < messages; ++number) {
    expected += value_of(number);
  }
  require(sum == expected, "the sum of the items is wrong");
  print_rate("flood", messages, seconds);
}

}  // namespace troupe::bench
