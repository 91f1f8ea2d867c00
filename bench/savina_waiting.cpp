#include <array>
#include <deque>
#include <vector>

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

// Savina's dining philosophers: an arbitrator knows which forks are free. Who is denied asks again.

struct Hungry {
  std::uint32_t seat = 0;
  AnyRef who;
  TROUPE_MESSAGE(Hungry, seat, who)
};
struct Sated {
  std::uint32_t seat = 0;
  bool leaves = false;
  TROUPE_MESSAGE(Sated, seat, leaves)
};
struct Eat {
  TROUPE_MESSAGE(Eat)
};
struct Denied {
  TROUPE_MESSAGE(Denied)
};

class Philosopher : public Actor {
 public:
  using Protocol = actors::Protocol<Eat, Denied>;
  Philosopher(std::uint32_t seat, std::uint64_t meals,
              ActorRef<actors::Protocol<Hungry, Sated>> arbitrator)
      : seat_(seat), meals_(meals), arbitrator_(arbitrator) {}

  void on_start() override { hunger(); }
  void on(const Eat&) {
    --meals_;
    tell(arbitrator_, Sated{seat_, meals_ == 0});
    if (meals_ != 0) {
      hunger();
    }
  }
  void on(const Denied&) { hunger(); }

 private:
  void hunger() { tell(arbitrator_, Hungry{seat_, self()}); }

  std::uint32_t seat_;
  std::uint64_t meals_;
  ActorRef<actors::Protocol<Hungry, Sated>> arbitrator_;
};

class Arbitrator : public Actor {
 public:
  using Protocol = actors::Protocol<Hungry, Sated>;
  explicit Arbitrator(std::promise<std::uint64_t>* done) : done_(done) {}

  void on(const Hungry& m) {
    bool& left = taken_[m.seat];
    bool& right = taken_[(m.seat + 1) % philosophers];
    const ActorRef<Philosopher> who{m.who};
    if (left || right) {
      tell(who, Denied{});
      return;
    }
    left = right = true;
    tell(who, Eat{});
  }
  void on(const Sated& m) {
    bool& left = taken_[m.seat];
    bool& right = taken_[(m.seat + 1) % philosophers];
    require(left && right, "a fork was not taken");
    left = right = false;
    ++meals_;
    if (m.leaves && ++left_ == philosophers) {
      done_->set_value(meals_);
    }
  }

 private:
  std::promise<std::uint64_t>* done_;
  std::array<bool, philosophers> taken_{};
  std::uint64_t meals_ = 0;
  std::uint32_t left_ = 0;
};

// Savina's bounded buffer: an actor between producers, which wait while it is full, and consumers,
// which wait while it is empty. Without the artificial load of each item.

struct Item {
  std::uint64_t value = 0;
  AnyRef producer;
  TROUPE_MESSAGE(Item, value, producer)
};
struct Idle {
  AnyRef consumer;
  std::uint64_t consumed = 0;  ///< the last value; 0 at first
  TROUPE_MESSAGE(Idle, consumer, consumed)
};
struct Produce {
  TROUPE_MESSAGE(Produce)
};
struct Consume {
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Consume, value)
};
using BufferProtocol = Protocol<Item, Idle>;

class Producer : public Actor {
 public:
  using Protocol = actors::Protocol<Produce>;
  Producer(std::uint64_t items, ActorRef<BufferProtocol> buffer) : items_(items), buffer_(buffer) {}

  void on(const Produce&) {
    if (number_ != items_) {
      tell(buffer_, Item{value_of(number_++), self()});
    }
  }

 private:
  std::uint64_t items_;
  ActorRef<BufferProtocol> buffer_;
  std::uint64_t number_ = 0;
};

class Consumer : public Actor {
 public:
  using Protocol = actors::Protocol<Consume>;
  explicit Consumer(ActorRef<BufferProtocol> buffer) : buffer_(buffer) {}

  void on_start() override { tell(buffer_, Idle{self(), 0}); }
  void on(const Consume& m) { tell(buffer_, Idle{self(), m.value}); }

 private:
  ActorRef<BufferProtocol> buffer_;
};

class Buffer : public Actor {
 public:
  using Protocol = BufferProtocol;
  Buffer(std::uint64_t items, std::promise<std::uint64_t>* done)
      : left_(items + producers), done_(done) {}

  void on(const Item& m) {
    if (idle_.empty()) {
      items_.push_back(m.value);
    } else {
      tell(idle_.front(), Consume{m.value});
      idle_.pop_front();
    }
    // Each producer has at most one item on its way, so that the buffer never exceeds its bound.
    if (items_.size() + producers > buffer_items) {
      waiting_.push_back(ActorRef<Producer>{m.producer});
    } else {
      tell(ActorRef<Producer>{m.producer}, Produce{});
    }
  }
  void on(const Idle& m) {
    const ActorRef<Consumer> consumer{m.consumer};
    sum_ += m.consumed;
    if (--left_ == 0) {
      done_->set_value(sum_);
    }
    if (items_.empty()) {
      idle_.push_back(consumer);
      return;
    }
    require(items_.size() <= buffer_items, "the buffer has no bound");
    tell(consumer, Consume{items_.front()});
    items_.pop_front();
    if (!waiting_.empty()) {
      tell(waiting_.front(), Produce{});
      waiting_.pop_front();
    }
  }

 private:
  std::uint64_t left_;  ///< items and first words of consumers
  std::promise<std::uint64_t>* done_;
  std::uint64_t sum_ = 0;
  std::deque<std::uint64_t> items_;
  std::deque<ActorRef<Consumer>> idle_;
  std::deque<ActorRef<Producer>> waiting_;
};

}  // namespace

void philosophers_dine(const Order& order) {
  const std::uint64_t each = order.count / philosophers;
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const Stopwatch watch;
  const ActorRef<Protocol<Hungry, Sated>> arbitrator = actors->spawn<Arbitrator>({}, &done).value();
  for (std::uint32_t seat = 0; seat < philosophers; ++seat) {
    require(actors->spawn<Philosopher>({}, seat, each, arbitrator).ok(), "a seat is empty");
  }
  const std::uint64_t meals = done.get_future().get();
  const double seconds = watch.seconds();
  require(meals == each * philosophers, "the number of meals is wrong");
  print_rate("philosophers", meals, seconds);
}

void bounded_buffer(const Order& order) {
  const std::uint64_t each = order.count / producers;
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const Stopwatch watch;
  const ActorRef<BufferProtocol> buffer =
      actors->spawn<Buffer>({}, each * producers, &done).value();
  for (std::uint32_t number = 0; number < producers; ++number) {
    require(actors->spawn<Consumer>({}, buffer).ok(), "a consumer is missing");
    tell(actors->spawn<Producer>({}, each, buffer).value(), Produce{});
  }
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == producers * sum_of_values(each), "the sum of the items is wrong");
  print_rate("bounded-buffer", each * producers, seconds);
}

}  // namespace troupe::bench
