// A topic: each subscriber gets each message. One that is too slow misses some, slows nobody, and
// is told how many it missed.
#include <iostream>
#include <troupe/troupe.hpp>

using namespace std::chrono_literals;

struct Price {
  std::int64_t cents = 0;
  TROUPE_MESSAGE(Price, cents)
};
struct Seen {
  std::int64_t prices = 0;
  std::int64_t missed = 0;
  TROUPE_MESSAGE(Seen, prices, missed)
};
struct GetSeen {
  using Reply = Seen;
  TROUPE_MESSAGE(GetSeen)
};

class Display : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Price, troupe::Missed, GetSeen>;
  explicit Display(troupe::Duration pause) : pause_(pause) {}

  troupe::Task<> on(Price) {
    ++seen_.prices;
    co_await delay(pause_);
  }
  void on(const troupe::Missed& m) { seen_.missed += static_cast<std::int64_t>(m.count); }
  Seen on(const GetSeen&) { return seen_; }

 private:
  troupe::Duration pause_;
  Seen seen_;
};

int main(int argc, char** argv) {
  constexpr std::int64_t prices = 200;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto fast = node.spawn<Display>({}, 0ms).value();
  const auto slow = node.spawn<Display>({.mailbox_messages_max = 4}, 10ms).value();
  const auto topic =
      troupe::spawn_topic<Price>(node.system(), {.spawn = {.name = "prices"}}).value();

  auto sent = topic.subscribe(fast);
  sent = sent == troupe::Outcome::accepted ? topic.subscribe(slow) : sent;
  for (std::int64_t cents = 1; cents <= prices && sent == troupe::Outcome::accepted; ++cents) {
    sent = topic.publish(Price{cents});
  }
  if (sent != troupe::Outcome::accepted || !topic.ask(Price{0}, 10s).get().ok()) {
    return 1;
  }
  // The next price, once the slow one has room, brings the news of what it missed.
  Seen fast_seen;
  Seen slow_seen;
  for (std::int64_t published = prices + 1; published < 10'000; ++published) {
    fast_seen = fast.ask(GetSeen{}, 10s).get().value_or({});
    slow_seen = slow.ask(GetSeen{}, 10s).get().value_or({});
    if (slow_seen.missed > 0) {
      break;
    }
    (void)topic.ask(Price{published}, 10s).get();
  }
  std::cout << "fast: " << fast_seen.prices << " seen, " << fast_seen.missed << " missed\n"
            << "slow: " << slow_seen.prices << " seen, " << slow_seen.missed << " missed\n";
  return fast_seen.prices > prices && fast_seen.missed == 0 && slow_seen.missed > 0 ? 0 : 1;
}
