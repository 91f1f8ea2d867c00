#include <array>
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

#include "bench/peers/caf_works.hpp"

namespace troupe::bench {

namespace {

// Fork-join (throughput).

class Worker : public event_based_actor {
 public:
  Worker(caf::actor_config& config, std::uint64_t pieces, actor master)
      : event_based_actor(config), pieces_(pieces), master_(std::move(master)) {}

  behavior make_behavior() override {
    return {[this](double angle) {
      const double sine = std::sin(angle);
      require(sine * sine > 0, "a sine is wrong");
      if (++done_ == pieces_) {
        send(master_, Done::value, done_);
      }
    }};
  }

 private:
  std::uint64_t pieces_;
  actor master_;
  std::uint64_t done_ = 0;
};

/// Sums up what so many actors say that they have done.
class Counter : public event_based_actor {
 public:
  Counter(caf::actor_config& config, std::uint32_t actors, std::promise<std::uint64_t>* done)
      : event_based_actor(config), left_(actors), done_(done) {}

  behavior make_behavior() override {
    return {[this](Done, std::uint64_t pieces) { count(pieces); }};
  }

 protected:
  void count(std::uint64_t pieces) {
    pieces_ += pieces;
    if (--left_ == 0) {
      done_->set_value(pieces_);
    }
  }

 private:
  std::uint32_t left_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t pieces_ = 0;
};

class Master : public Counter {
 public:
  Master(caf::actor_config& config, std::uint64_t each, std::promise<std::uint64_t>* done)
      : Counter(config, fork_join_actors, done), each_(each) {}

  behavior make_behavior() override {
    return {[this](Go) {
              std::vector<actor> workers;
              for (std::uint32_t number = 0; number < fork_join_actors; ++number) {
                workers.push_back(home_system().spawn<Worker>(each_, actor{this}));
              }
              for (std::uint64_t piece = 0; piece < each_; ++piece) {
                for (const actor& worker : workers) {
                  send(worker, 37.2);
                }
              }
            },
            [this](Done, std::uint64_t pieces) { count(pieces); }};
  }

 private:
  std::uint64_t each_;
};

// Big.

using Ping = caf::atom_constant<caf::atom("ping")>;
using Pong = caf::atom_constant<caf::atom("pong")>;

class Big : public event_based_actor {
 public:
  Big(caf::actor_config& config, std::uint32_t number, std::uint64_t pings, actor counter)
      : event_based_actor(config),
        number_(number),
        pings_(pings),
        counter_(std::move(counter)),
        choices_(number) {}

  behavior make_behavior() override {
    return {[this](const std::vector<actor>& all) { all_ = all; }, [this](Go) { ping(); },
            [this](Ping, std::uint32_t from) { send(all_[from], Pong::value, number_); },
            [this](Pong, std::uint32_t from) {
              require(from == asked_, "an answer comes from another");
              if (++answered_ == pings_) {
                send(counter_, Done::value, answered_);
              } else {
                ping();
              }
            }};
  }

 private:
  void ping() {
    asked_ = choices_.below(big_actors);
    send(all_[asked_], Ping::value, number_);
  }

  std::uint32_t number_;
  std::uint64_t pings_;
  actor counter_;
  Choices choices_;
  std::vector<actor> all_;
  std::uint32_t asked_ = 0;
  std::uint64_t answered_ = 0;
};

// Chameneos.

using Enter = caf::atom_constant<caf::atom("enter")>;
using Meet = caf::atom_constant<caf::atom("meet")>;
using Change = caf::atom_constant<caf::atom("change")>;
using Leave = caf::atom_constant<caf::atom("leave")>;

constexpr std::uint32_t colours = 3;
std::uint32_t complement(std::uint32_t mine, std::uint32_t other) {
  return mine == other ? mine : colours - mine - other;
}

class Chameneo : public event_based_actor {
 public:
  Chameneo(caf::actor_config& config, std::uint32_t colour, actor mall)
      : event_based_actor(config), colour_(colour), mall_(std::move(mall)) {}

  behavior make_behavior() override {
    enter();
    return {[this](Meet, std::uint32_t colour, const actor& other) {
              colour_ = complement(colour_, colour);
              ++meetings_;
              send(other, Change::value, colour_);
              enter();
            },
            [this](Change, std::uint32_t colour) {
              require(colour < colours, "a colour is wrong");
              colour_ = colour;
              ++meetings_;
              enter();
            },
            [this](Leave) { send(mall_, Done::value, meetings_); }};
  }

 private:
  void enter() { send(mall_, Enter::value, colour_); }

  std::uint32_t colour_;
  actor mall_;
  std::uint64_t meetings_ = 0;
};

class Mall : public Counter {
 public:
  Mall(caf::actor_config& config, std::uint64_t meetings, std::promise<std::uint64_t>* done)
      : Counter(config, chameneos, done), meetings_(meetings) {}

  behavior make_behavior() override {
    return {[this](Enter, std::uint32_t colour) {
              if (meetings_ == 0) {
                send(sender_of(*this), Leave::value);
              } else if (waiting_) {
                send(std::exchange(waiting_, nullptr), Meet::value, colour, sender_of(*this));
                --meetings_;
              } else {
                waiting_ = sender_of(*this);
              }
            },
            [this](Done, std::uint64_t meetings) { count(meetings); }};
  }

 private:
  std::uint64_t meetings_;
  actor waiting_;
};

// Dining philosophers.

using Hungry = caf::atom_constant<caf::atom("hungry")>;
using Sated = caf::atom_constant<caf::atom("sated")>;
using Eat = caf::atom_constant<caf::atom("eat")>;
using Denied = caf::atom_constant<caf::atom("denied")>;

class Philosopher : public event_based_actor {
 public:
  Philosopher(caf::actor_config& config, std::uint32_t seat, std::uint64_t meals, actor arbitrator)
      : event_based_actor(config), seat_(seat), meals_(meals), arbitrator_(std::move(arbitrator)) {}

  behavior make_behavior() override {
    hunger();
    return {[this](Eat) {
              --meals_;
              send(arbitrator_, Sated::value, seat_, meals_ == 0);
              if (meals_ != 0) {
                hunger();
              }
            },
            [this](Denied) { hunger(); }};
  }

 private:
  void hunger() { send(arbitrator_, Hungry::value, seat_); }

  std::uint32_t seat_;
  std::uint64_t meals_;
  actor arbitrator_;
};

class Arbitrator : public event_based_actor {
 public:
  Arbitrator(caf::actor_config& config, std::promise<std::uint64_t>* done)
      : event_based_actor(config), done_(done) {}

  behavior make_behavior() override {
    return {[this](Hungry, std::uint32_t seat) {
              bool& left = taken_[seat];
              bool& right = taken_[(seat + 1) % philosophers];
              if (left || right) {
                send(sender_of(*this), Denied::value);
                return;
              }
              left = right = true;
              send(sender_of(*this), Eat::value);
            },
            [this](Sated, std::uint32_t seat, bool leaves) {
              bool& left = taken_[seat];
              bool& right = taken_[(seat + 1) % philosophers];
              require(left && right, "a fork was not taken");
              left = right = false;
              ++meals_;
              if (leaves && ++left_ == philosophers) {
                done_->set_value(meals_);
              }
            }};
  }

 private:
  std::promise<std::uint64_t>* done_;
  std::array<bool, philosophers> taken_{};
  std::uint64_t meals_ = 0;
  std::uint32_t left_ = 0;
};

// Bounded buffer.

using Item = caf::atom_constant<caf::atom("item")>;
using Idle = caf::atom_constant<caf::atom("idle")>;
using Produce = caf::atom_constant<caf::atom("produce")>;
using Consume = caf::atom_constant<caf::atom("consume")>;

class Producer : public event_based_actor {
 public:
  Producer(caf::actor_config& config, std::uint64_t items, actor buffer)
      : event_based_actor(config), items_(items), buffer_(std::move(buffer)) {}

  behavior make_behavior() override {
    return {[this](Produce) {
      if (number_ != items_) {
        send(buffer_, Item::value, value_of(number_++));
      }
    }};
  }

 private:
  std::uint64_t items_;
  actor buffer_;
  std::uint64_t number_ = 0;
};

class Consumer : public event_based_actor {
 public:
  Consumer(caf::actor_config& config, actor buffer)
      : event_based_actor(config), buffer_(std::move(buffer)) {}

  behavior make_behavior() override {
    send(buffer_, Idle::value, std::uint64_t{0});
    return {[this](Consume, std::uint64_t value) { send(buffer_, Idle::value, value); }};
  }

 private:
  actor buffer_;
};

class Buffer : public event_based_actor {
 public:
  Buffer(caf::actor_config& config, std::uint64_t items, std::promise<std::uint64_t>* done)
      : event_based_actor(config), left_(items + producers), done_(done) {}

  behavior make_behavior() override {
    return {[this](Item, std::uint64_t value) {
              if (idle_.empty()) {
                items_.push_back(value);
              } else {
                send(idle_.front(), Consume::value, value);
                idle_.pop_front();
              }
              if (items_.size() + producers > buffer_items) {
                waiting_.push_back(sender_of(*this));
              } else {
                send(sender_of(*this), Produce::value);
              }
            },
            [this](Idle, std::uint64_t consumed) { serve(consumed); }};
  }

 private:
  void serve(std::uint64_t consumed) {
    sum_ += consumed;
    if (--left_ == 0) {
      done_->set_value(sum_);
    }
    if (items_.empty()) {
      idle_.push_back(sender_of(*this));
      return;
    }
    require(items_.size() <= buffer_items, "the buffer has no bound");
    send(sender_of(*this), Consume::value, items_.front());
    items_.pop_front();
    if (!waiting_.empty()) {
      send(waiting_.front(), Produce::value);
      waiting_.pop_front();
    }
  }

  std::uint64_t left_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t sum_ = 0;
  std::deque<std::uint64_t> items_;
  std::deque<actor> idle_;
  std::deque<actor> waiting_;
};

}  // namespace

void fork_join(caf::actor_system& system, std::uint64_t count) {
  const std::uint64_t each = count / fork_join_actors;
  std::promise<std::uint64_t> done;
  const auto master = system.spawn<Master>(each, &done);
  const Stopwatch watch;
  caf::anon_send(master, Go::value);
  const std::uint64_t pieces = done.get_future().get();
  const double seconds = watch.seconds();
  require(pieces == each * fork_join_actors, "the number of pieces is wrong");
  print_rate("fork-join", pieces, seconds);
}

void big(caf::actor_system& system, std::uint64_t count) {
  const std::uint64_t each = count / 2 / big_actors;
  std::promise<std::uint64_t> done;
  const auto counter = system.spawn<Counter>(big_actors, &done);
  std::vector<actor> all;
  for (std::uint32_t number = 0; number < big_actors; ++number) {
    all.push_back(system.spawn<Big>(number, each, counter));
  }
  for (const actor& one : all) {
    caf::anon_send(one, all);
  }
  const Stopwatch watch;
  for (const actor& one : all) {
    caf::anon_send(one, Go::value);
  }
  const std::uint64_t pings = done.get_future().get();
  const double seconds = watch.seconds();
  require(pings == each * big_actors, "the number of pings is wrong");
  print_rate("big", 2 * pings, seconds);
}

void chameneos_meet(caf::actor_system& system, std::uint64_t count) {
  std::promise<std::uint64_t> done;
  const Stopwatch watch;
  const auto mall = system.spawn<Mall>(count, &done);
  for (std::uint32_t number = 0; number < chameneos; ++number) {
    system.spawn<Chameneo>(number % colours, mall);
  }
  const std::uint64_t met = done.get_future().get();
  const double seconds = watch.seconds();
  require(met == 2 * count, "the number of meetings is wrong");
  print_rate("chameneos", count, seconds);
}

void philosophers_dine(caf::actor_system& system, std::uint64_t count) {
  const std::uint64_t each = count / philosophers;
  std::promise<std::uint64_t> done;
  const Stopwatch watch;
  const auto arbitrator = system.spawn<Arbitrator>(&done);
  for (std::uint32_t seat = 0; seat < philosophers; ++seat) {
    system.spawn<Philosopher>(seat, each, arbitrator);
  }
  const std::uint64_t meals = done.get_future().get();
  const double seconds = watch.seconds();
  require(meals == each * philosophers, "the number of meals is wrong");
  print_rate("philosophers", meals, seconds);
}

void bounded_buffer(caf::actor_system& system, std::uint64_t count) {
  const std::uint64_t each = count / producers;
  std::promise<std::uint64_t> done;
  const Stopwatch watch;
  const auto buffer = system.spawn<Buffer>(each * producers, &done);
  for (std::uint32_t number = 0; number < producers; ++number) {
    system.spawn<Consumer>(buffer);
    caf::anon_send(system.spawn<Producer>(each, buffer), Produce::value);
  }
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == producers * sum_of_values(each), "the sum of the items is wrong");
  print_rate("bounded-buffer", each * producers, seconds);
}

}  // namespace troupe::bench
