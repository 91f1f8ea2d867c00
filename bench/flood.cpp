#include <memory>
#include <vector>

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"
#include "bench/windowed.hpp"

namespace troupe::bench {

namespace {

// Some actors send, one receives, through a bounded mailbox: who finds it full waits for room.

struct Item {
  std::uint32_t source = 0;
  std::uint32_t number = 0;
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Item, source, number, value)
};

class Sink : public Actor {
 public:
  using Protocol = actors::Protocol<Item>;
  Sink(std::uint32_t sources, std::uint64_t messages, std::promise<std::uint64_t>* done)
      : next_(sources), left_(messages), done_(done) {}

  void on(const Item& m) {
    require(m.number == next_[m.source]++, "an item is out of order");
    sum_ += m.value;
    if (--left_ == 0) {
      done_->set_value(sum_);
    }
  }

 private:
  std::vector<std::uint32_t> next_;
  std::uint64_t left_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t sum_ = 0;
};

class Source : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Source(std::uint32_t number, std::uint32_t messages, ActorRef<Sink> sink)
      : number_(number), messages_(messages), sink_(sink) {}

  Task<> on(Go) {
    for (std::uint32_t number = 0; number < messages_; ++number) {
      const Item item{number_, number, value_of(number)};
      Outcome outcome = sink_.tell(item);
      if (outcome == Outcome::mailbox_full) {
        auto sending = sink_.send(item);
        outcome = co_await sending;
      }
      require(outcome == Outcome::accepted, "an item was not accepted");
    }
  }

 private:
  std::uint32_t number_;
  std::uint32_t messages_;
  ActorRef<Sink> sink_;
};

void fan_in(const char* work, std::uint32_t sources, const Order& order) {
  const auto each = static_cast<std::uint32_t>(order.count / sources);
  const std::uint64_t messages = std::uint64_t{each} * sources;
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const auto sink =
      actors->spawn<Sink>({.mailbox_messages_max = mailbox_messages}, sources, messages, &done)
          .value();
  std::vector<ActorRef<Source>> senders;
  for (std::uint32_t number = 0; number < sources; ++number) {
    senders.push_back(actors->spawn<Source>({}, number, each, sink).value());
  }
  const Stopwatch watch;
  for (const auto& sender : senders) {
    tell(sender, Go{});
  }
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sources * sum_of_values(each), "the sum of the items is wrong");
  print_rate(work, messages, seconds);
}

}  // namespace

void flood(const Order& order) {
  fan_in("flood", 1, order);
}
void fan_in_8(const Order& order) {
  fan_in("fan-in-8", 8, order);
}
void fan_in_64(const Order& order) {
  fan_in("fan-in-64", 64, order);
}

void flood_window(const Order& order) {
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const auto sink =
      actors->spawn<WindowedSink<LocalItem>>({.mailbox_messages_max = 2 * mailbox_messages})
          .value();
  const std::function<void(std::uint64_t)> finish = [&](std::uint64_t sum) { done.set_value(sum); };
  const auto source =
      actors->spawn<WindowedSource<LocalItem>>({}, sink, order.count, mailbox_messages, finish)
          .value();
  const Stopwatch watch;
  tell(source, Go{});
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(order.count), "the sum of the items is wrong");
  print_rate("flood-window", order.count, seconds);
}

}  // namespace troupe::bench
