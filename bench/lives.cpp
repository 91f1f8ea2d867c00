#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

struct Number {
  std::uint64_t number = 0;
  TROUPE_MESSAGE(Number, number)
};
struct SpawnFrom {
  std::uint64_t number = 0;
  TROUPE_MESSAGE(SpawnFrom, number)
};

// Actors that live for one message. What they did is counted by their end.

struct Ended {
  explicit Ended(std::uint64_t actors) : left(actors) {}
  std::atomic<std::uint64_t> left;
  std::atomic<std::uint64_t> sum{0};
  std::promise<void> all;
};

class Mayfly : public Actor {
 public:
  using Protocol = actors::Protocol<Number>;
  explicit Mayfly(Ended* ended) : ended_(ended) {}

  void on(const Number& m) {
    ended_->sum.fetch_add(m.number, std::memory_order_relaxed);
    stop();
  }
  void on_stop(actors::ExitReason) override {
    if (ended_->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      ended_->all.set_value();
    }
  }

 private:
  Ended* ended_;
};

/// Spawns all, some a turn.
class Spawner : public Actor {
 public:
  using Protocol = actors::Protocol<SpawnFrom>;
  Spawner(std::uint64_t actors, Ended* ended) : actors_(actors), ended_(ended) {}

  void on(const SpawnFrom& m) {
    const std::uint64_t until = std::min(m.number + spawned_a_turn, actors_);
    for (std::uint64_t number = m.number; number < until; ++number) {
      const auto spawned = spawn<Mayfly>({}, ended_);
      require(spawned.ok(), "an actor was not spawned");
      tell(spawned.value(), Number{number});
    }
    if (until < actors_) {
      tell(self_as<Spawner>(), SpawnFrom{until});
    }
  }

 private:
  std::uint64_t actors_;
  Ended* ended_;
};

// Actors that live on, with nothing to do after their first message.

class Sleeper : public Actor {
 public:
  using Protocol = actors::Protocol<Number>;
  explicit Sleeper(Ended* began) : began_(began) {}

  void on(const Number& m) {
    state_[m.number % state_.size()] += m.number;
    began_->sum.fetch_add(m.number, std::memory_order_relaxed);
    if (began_->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      began_->all.set_value();
    }
  }

 private:
  Ended* began_;
  std::array<std::uint64_t, idle_state_bytes / 8 - 1> state_{};  // 64 with the pointer above
};

// Skynet: a tree in which each actor spawns ten, down to as many leaves as wanted, and sums up what
// its children say.

struct Grow {
  std::uint64_t first = 0;
  std::uint64_t leaves = 0;
  TROUPE_MESSAGE(Grow, first, leaves)
};
struct Sum {
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Sum, value)
};

class Branch : public Actor {
 public:
  using Protocol = actors::Protocol<Grow, Sum>;
  explicit Branch(ActorRef<actors::Protocol<Sum>> parent) : parent_(parent) {}

  void on(const Grow& m) {
    if (m.leaves == 1) {
      finish(m.first);
      return;
    }
    const std::uint64_t each = m.leaves / children;
    for (std::uint64_t child = 0; child < children; ++child) {
      const ActorRef<actors::Protocol<Sum>> me = self_as<Branch>();
      const auto spawned = spawn<Branch>({}, me);
      require(spawned.ok(), "an actor was not spawned");
      tell(spawned.value(), Grow{m.first + child * each, each});
    }
  }
  void on(const Sum& m) {
    sum_ += m.value;
    if (++answers_ == children) {
      finish(sum_);
    }
  }

 private:
  static constexpr std::uint64_t children = 10;
  void finish(std::uint64_t sum) {
    tell(parent_, Sum{sum});
    stop();
  }

  ActorRef<actors::Protocol<Sum>> parent_;
  std::uint64_t sum_ = 0;
  std::uint64_t answers_ = 0;
};

class Ground : public Actor {
 public:
  using Protocol = actors::Protocol<Sum>;
  explicit Ground(std::promise<std::uint64_t>* done) : done_(done) {}
  void on(const Sum& m) { done_->set_value(m.value); }

 private:
  std::promise<std::uint64_t>* done_;
};

}  // namespace

void spawn(const Order& order) {
  Ended ended{order.count};
  LocalActors actors{order};
  const auto spawner = actors->spawn<Spawner>({}, order.count, &ended).value();
  const Stopwatch watch;
  tell(spawner, SpawnFrom{0});
  ended.all.get_future().wait();
  const double seconds = watch.seconds();
  require(ended.sum == order.count * (order.count - 1) / 2, "the sum of the messages is wrong");
  print_rate("spawn", order.count, seconds);
}

void idle(const Order& order) {
  Ended began{order.count};
  LocalActors actors{order};
  std::vector<ActorRef<Sleeper>> all(order.count);
  const std::uint64_t bytes_before = resident_bytes();
  for (std::uint64_t number = 0; number < order.count; ++number) {
    all[number] = actors->spawn<Sleeper>({}, &began).value();
    tell(all[number], Number{number});
    while (number % spawned_a_turn == 0 && began.left != order.count - number - 1) {
      std::this_thread::yield();  // so that few messages are on their way
    }
  }
  began.all.get_future().wait();
  const std::uint64_t bytes = resident_bytes() - bytes_before;
  require(began.sum == order.count * (order.count - 1) / 2, "the sum of the messages is wrong");
  require(actors->actor_count() == order.count, "not all actors live");
  print_figure("idle",
               static_cast<double>(bytes) / static_cast<double>(order.count) - idle_state_bytes,
               "B");
}

void skynet(const Order& order) {
  std::uint64_t leaves = 1;
  while (leaves * 10 <= order.count) {
    leaves *= 10;
  }
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const auto ground = actors->spawn<Ground>({}, &done).value();
  const ActorRef<Protocol<Sum>> under = ground;
  const Stopwatch watch;
  const auto root = actors->spawn<Branch>({}, under).value();
  tell(root, Grow{0, leaves});
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == leaves * (leaves - 1) / 2, "the sum of the leaves is wrong");
  print_figure("skynet", seconds * 1e3, "ms");
}

}  // namespace troupe::bench
