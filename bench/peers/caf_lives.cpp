#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>
#include <vector>

#include "bench/peers/caf_works.hpp"

namespace troupe::bench {

namespace {

// Actors that live for one message, and actors that live on.

struct Ended {
  explicit Ended(std::uint64_t actors) : left(actors) {}
  std::atomic<std::uint64_t> left;
  std::atomic<std::uint64_t> sum{0};
  std::promise<void> all;
};

class Mayfly : public event_based_actor {
 public:
  Mayfly(caf::actor_config& config, Ended* ended) : event_based_actor(config), ended_(ended) {}

  behavior make_behavior() override {
    return {[this](std::uint64_t number) {
      ended_->sum.fetch_add(number, std::memory_order_relaxed);
      quit();
    }};
  }
  void on_exit() override {
    if (ended_->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      ended_->all.set_value();
    }
  }

 private:
  Ended* ended_;
};

class Spawner : public event_based_actor {
 public:
  Spawner(caf::actor_config& config, std::uint64_t actors, Ended* ended)
      : event_based_actor(config), actors_(actors), ended_(ended) {}

  behavior make_behavior() override {
    return {[this](std::uint64_t first) {
      const std::uint64_t until = std::min(first + spawned_a_turn, actors_);
      for (std::uint64_t number = first; number < until; ++number) {
        send(home_system().spawn<Mayfly>(ended_), number);
      }
      if (until < actors_) {
        send(this, until);
      }
    }};
  }

 private:
  std::uint64_t actors_;
  Ended* ended_;
};

class Sleeper : public event_based_actor {
 public:
  Sleeper(caf::actor_config& config, Ended* began) : event_based_actor(config), began_(began) {}

  behavior make_behavior() override {
    return {[this](std::uint64_t number) {
      state_[number % state_.size()] += number;
      began_->sum.fetch_add(number, std::memory_order_relaxed);
      if (began_->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        began_->all.set_value();
      }
    }};
  }

 private:
  Ended* began_;
  std::array<std::uint64_t, idle_state_bytes / 8 - 1> state_{};  // 64 with the pointer above
};

// Skynet.

class Branch : public event_based_actor {
 public:
  Branch(caf::actor_config& config, actor parent)
      : event_based_actor(config), parent_(std::move(parent)) {}

  behavior make_behavior() override {
    return {[this](std::uint64_t first, std::uint64_t leaves) {
              if (leaves == 1) {
                finish(first);
                return;
              }
              const std::uint64_t each = leaves / children;
              for (std::uint64_t child = 0; child < children; ++child) {
                send(home_system().spawn<Branch>(actor{this}), first + child * each, each);
              }
            },
            [this](Sum, std::uint64_t value) {
              sum_ += value;
              if (++answers_ == children) {
                finish(sum_);
              }
            }};
  }

 private:
  static constexpr std::uint64_t children = 10;
  void finish(std::uint64_t sum) {
    send(parent_, Sum::value, sum);
    parent_ = nullptr;
    quit();
  }

  actor parent_;
  std::uint64_t sum_ = 0;
  std::uint64_t answers_ = 0;
};

class Ground : public event_based_actor {
 public:
  Ground(caf::actor_config& config, std::promise<std::uint64_t>* done)
      : event_based_actor(config), done_(done) {}
  behavior make_behavior() override {
    return {[this](Sum, std::uint64_t value) { done_->set_value(value); }};
  }

 private:
  std::promise<std::uint64_t>* done_;
};

// The tail: a quiet actor beside four pairs that flood, with a window.

class Sink : public event_based_actor {
 public:
  Sink(caf::actor_config& config, std::atomic<std::uint64_t>* seen)
      : event_based_actor(config), seen_(seen) {}

  behavior make_behavior() override {
    return {[this](std::uint64_t number, std::uint64_t value) {
              require(number == received_ && value == value_of(number), "an item is out of order");
              if (++received_ % tail_items_seen == 0) {
                seen_->fetch_add(1, std::memory_order_relaxed);
              }
              if (received_ % (mailbox_messages / 2) == 0) {
                send(sender_of(*this), Ack::value);
              }
            },
            [this](Sum) { return received_; }};
  }

 private:
  std::atomic<std::uint64_t>* seen_;
  std::uint64_t received_ = 0;
};

class Source : public event_based_actor {
 public:
  Source(caf::actor_config& config, actor sink, const std::atomic<bool>* is_over)
      : event_based_actor(config), sink_(std::move(sink)), is_over_(is_over) {}

  behavior make_behavior() override {
    return {[this](Go) { advance(); },
            [this](Ack) {
              limit_ += mailbox_messages / 2;
              advance();
            },
            [this](Sum) { return sent_; }};
  }

 private:
  void advance() {
    for (; sent_ < limit_ && !is_over_->load(std::memory_order_relaxed); ++sent_) {
      send(sink_, sent_, value_of(sent_));
    }
  }

  actor sink_;
  const std::atomic<bool>* is_over_;
  std::uint64_t sent_ = 0;
  std::uint64_t limit_ = mailbox_messages;
};

class Quiet : public event_based_actor {
 public:
  using event_based_actor::event_based_actor;
  behavior make_behavior() override {
    return {[](std::uint64_t number) { return number; }};
  }
};

/// What it answers within the time; nothing otherwise.
template <class... Words>
std::optional<std::uint64_t> ask(caf::scoped_actor& self, const actor& one, double seconds,
                                 Words... words) {
  std::optional<std::uint64_t> answer;
  self->request(one, std::chrono::microseconds{std::llround(seconds * 1e6)}, words...)
      .receive([&](std::uint64_t value) { answer = value; }, [](const caf::error&) {});
  return answer;
}

}  // namespace

void spawn(caf::actor_system& system, std::uint64_t count) {
  Ended ended{count};
  const auto spawner = system.spawn<Spawner>(count, &ended);
  const Stopwatch watch;
  caf::anon_send(spawner, std::uint64_t{0});
  ended.all.get_future().wait();
  const double seconds = watch.seconds();
  require(ended.sum == count * (count - 1) / 2, "the sum of the messages is wrong");
  print_rate("spawn", count, seconds);
}

void idle(caf::actor_system& system, std::uint64_t count) {
  Ended began{count};
  std::vector<actor> all(count);
  const std::uint64_t bytes_before = resident_bytes();
  for (std::uint64_t number = 0; number < count; ++number) {
    all[number] = system.spawn<Sleeper>(&began);
    caf::anon_send(all[number], number);
    while (number % spawned_a_turn == 0 && began.left != count - number - 1) {
      std::this_thread::yield();
    }
  }
  began.all.get_future().wait();
  const std::uint64_t bytes = resident_bytes() - bytes_before;
  require(began.sum == count * (count - 1) / 2, "the sum of the messages is wrong");
  print_figure("idle", static_cast<double>(bytes) / static_cast<double>(count) - idle_state_bytes,
               "B");
}

void skynet(caf::actor_system& system, std::uint64_t count) {
  std::uint64_t leaves = 1;
  while (leaves * 10 <= count) {
    leaves *= 10;
  }
  std::promise<std::uint64_t> done;
  const auto ground = system.spawn<Ground>(&done);
  const Stopwatch watch;
  caf::anon_send(system.spawn<Branch>(ground), std::uint64_t{0}, leaves);
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == leaves * (leaves - 1) / 2, "the sum of the leaves is wrong");
  print_figure("skynet", seconds * 1e3, "ms");
}

void tail(caf::actor_system& system, std::uint64_t count) {
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> seen{0};
  std::vector<actor> sinks;
  std::vector<actor> sources;
  for (std::uint32_t pair = 0; pair < flooding_pairs; ++pair) {
    sinks.push_back(system.spawn<Sink>(&seen));
    sources.push_back(system.spawn<Source>(sinks.back(), &is_over));
    caf::anon_send(sources.back(), Go::value);
  }
  const auto quiet = system.spawn<Quiet>();
  while (seen < flooding_pairs) {
    std::this_thread::yield();
  }
  caf::scoped_actor self{system};
  std::vector<double> seconds;
  const Stopwatch all;
  for (std::uint64_t number = 0; number < count && all.seconds() < tail_seconds; ++number) {
    const double left = std::max(tail_seconds - all.seconds(), 0.001);
    const Stopwatch watch;
    const auto answer = ask(self, quiet, left, number);
    seconds.push_back(watch.seconds());
    require(answer ? *answer == number : all.seconds() >= tail_seconds, "an answer is wrong");
  }
  is_over = true;
  for (std::uint32_t pair = 0; pair < flooding_pairs; ++pair) {
    const auto sent = ask(self, sources[pair], 60, Sum::value);
    require(sent && ask(self, sinks[pair], 60, Sum::value) == sent, "the flood is not whole");
  }
  std::sort(seconds.begin(), seconds.end());
  print_figure("tail", seconds[seconds.size() * 99 / 100] * 1e6, "us");
}

}  // namespace troupe::bench
