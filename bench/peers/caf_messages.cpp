#include <vector>

#include "bench/peers/caf_windowed.hpp"

namespace troupe::bench {

namespace {

// Flood and fan-in.

class Sink : public event_based_actor {
 public:
  Sink(caf::actor_config& config, std::uint32_t sources, std::uint64_t messages,
       std::promise<std::uint64_t>* done)
      : event_based_actor(config), next_(sources), left_(messages), done_(done) {}

  behavior make_behavior() override {
    return {[this](std::uint32_t source, std::uint32_t number, std::uint64_t value) {
      require(number == next_[source]++, "an item is out of order");
      sum_ += value;
      if (--left_ == 0) {
        done_->set_value(sum_);
      }
    }};
  }

 private:
  std::vector<std::uint32_t> next_;
  std::uint64_t left_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t sum_ = 0;
};

class Source : public event_based_actor {
 public:
  Source(caf::actor_config& config, std::uint32_t number, std::uint32_t messages, actor sink)
      : event_based_actor(config), number_(number), messages_(messages), sink_(std::move(sink)) {}

  behavior make_behavior() override {
    return {[this](Go) {
      for (std::uint32_t number = 0; number < messages_; ++number) {
        send(sink_, number_, number, value_of(number));
      }
    }};
  }

 private:
  std::uint32_t number_;
  std::uint32_t messages_;
  actor sink_;
};

void fan_in(const char* work, caf::actor_system& system, std::uint32_t sources,
            std::uint64_t count) {
  const auto each = static_cast<std::uint32_t>(count / sources);
  const std::uint64_t messages = std::uint64_t{each} * sources;
  std::promise<std::uint64_t> done;
  const auto sink = system.spawn<Sink>(sources, messages, &done);
  std::vector<actor> senders;
  for (std::uint32_t number = 0; number < sources; ++number) {
    senders.push_back(system.spawn<Source>(number, each, sink));
  }
  const Stopwatch watch;
  for (const actor& sender : senders) {
    caf::anon_send(sender, Go::value);
  }
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sources * sum_of_values(each), "the sum of the items is wrong");
  print_rate(work, messages, seconds);
}

struct Numbered {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Numbered& item) {
  return f(caf::meta::type_name("Numbered"), item.number, item.value);
}
struct LocalItem {
  using Message = Numbered;
  static Message make(std::uint64_t number) { return {number, value_of(number)}; }
  static bool is_right(const Message&) { return true; }
};

// Ping-pong and rings.

class Player : public event_based_actor {
 public:
  Player(caf::actor_config& config, std::uint64_t players, std::uint64_t first_left,
         std::promise<void>* done)
      : event_based_actor(config), players_(players), expected_(first_left), done_(done) {}

  behavior make_behavior() override {
    return {[this](const actor& next) { next_ = next; },
            [this](std::uint64_t left) {
              require(left == expected_, "a ball is out of order");
              expected_ -= players_;
              if (left == 0) {
                done_->set_value();
                return;
              }
              send(next_, left - 1);
            }};
  }

 private:
  actor next_;
  std::uint64_t players_;
  std::uint64_t expected_;
  std::promise<void>* done_;
};

void ring(const char* work, caf::actor_system& system, std::uint64_t players, std::uint64_t count) {
  const std::uint64_t hops = count / players * players;
  std::promise<void> done;
  std::vector<actor> all;
  for (std::uint64_t number = 0; number < players; ++number) {
    all.push_back(system.spawn<Player>(players, hops - 1 - number, &done));
  }
  for (std::uint64_t number = 0; number < players; ++number) {
    caf::anon_send(all[number], all[(number + 1) % players]);
  }
  const Stopwatch watch;
  caf::anon_send(all[0], hops - 1);
  done.get_future().wait();
  print_latency(work, hops, watch.seconds());
}

// Ask.

class Answerer : public event_based_actor {
 public:
  using event_based_actor::event_based_actor;
  behavior make_behavior() override {
    return {[](std::uint64_t number) { return value_of(number); }};
  }
};

class Asker : public event_based_actor {
 public:
  Asker(caf::actor_config& config, actor answerer, std::uint64_t asks, std::uint64_t open_max,
        std::promise<std::uint64_t>* done)
      : event_based_actor(config),
        answerer_(std::move(answerer)),
        asks_(asks),
        open_max_(open_max),
        done_(done) {}

  behavior make_behavior() override {
    return {[this](Go) {
      while (sent_ < asks_ && sent_ < open_max_) {
        ask();
      }
    }};
  }

 private:
  void ask() {
    request(answerer_, caf::infinite, sent_++).then([this](std::uint64_t answer) {
      require(answer == value_of(answered_++), "an answer is wrong");
      sum_ += answer;
      if (sent_ < asks_) {
        ask();
      } else if (answered_ == asks_) {
        done_->set_value(sum_);
      }
    });
  }

  actor answerer_;
  std::uint64_t asks_;
  std::uint64_t open_max_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t sum_ = 0;
};

void ask(const char* work, caf::actor_system& system, std::uint64_t open_max, std::uint64_t count) {
  std::promise<std::uint64_t> done;
  const auto answerer = system.spawn<Answerer>();
  const auto asker = system.spawn<Asker>(answerer, count, open_max, &done);
  const Stopwatch watch;
  caf::anon_send(asker, Go::value);
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(count), "the sum of the answers is wrong");
  print_rate(work, count, seconds);
}

}  // namespace

void flood(caf::actor_system& system, std::uint64_t count) {
  fan_in("flood", system, 1, count);
}
void fan_in_8(caf::actor_system& system, std::uint64_t count) {
  fan_in("fan-in-8", system, 8, count);
}
void fan_in_64(caf::actor_system& system, std::uint64_t count) {
  fan_in("fan-in-64", system, 64, count);
}

void flood_window(caf::actor_system& system, std::uint64_t count) {
  std::promise<std::uint64_t> done;
  const auto sink = system.spawn<WindowedSink<LocalItem>>(count, mailbox_messages, nullptr);
  const auto source = system.spawn<WindowedSource<LocalItem>>(count, mailbox_messages, sink, &done);
  const Stopwatch watch;
  caf::anon_send(source, Go::value);
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(count), "the sum of the items is wrong");
  print_rate("flood-window", count, seconds);
}

void ping_pong(caf::actor_system& system, std::uint64_t count) {
  ring("ping-pong", system, 2, count);
}
void ring_100(caf::actor_system& system, std::uint64_t count) {
  ring("ring-100", system, 100, count);
}
void ring_1000(caf::actor_system& system, std::uint64_t count) {
  ring("ring-1000", system, 1'000, count);
}

void ask_1(caf::actor_system& system, std::uint64_t count) {
  ask("ask-1", system, 1, count);
}
void ask_64(caf::actor_system& system, std::uint64_t count) {
  ask("ask-64", system, 64, count);
}

}  // namespace troupe::bench
