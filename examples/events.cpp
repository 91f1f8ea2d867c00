// A topic: each subscriber gets each message. One that is too slow misses some, slows nobody, and
// is told how many it missed. And a stream of events of any type, the actor system's own among
// them.
#include <iostream>
#include <stdexcept>
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

struct Unplug {
  TROUPE_MESSAGE(Unplug)
};
struct MarketClosed {
  TROUPE_MESSAGE(MarketClosed)
};
struct News {
  std::int64_t failures = 0;
  std::int64_t lost = 0;
  bool is_closed = false;
  TROUPE_MESSAGE(News, failures, lost, is_closed)
};
struct GetNews {
  using Reply = News;
  TROUPE_MESSAGE(GetNews)
};

/// Hears what the application tells, and what becomes of its actors and messages.
class Chronicle : public troupe::Actor {
 public:
  using Protocol =
      troupe::Protocol<MarketClosed, troupe::ActorFailed, troupe::MessageLost, GetNews>;
  void on(const MarketClosed&) { news_.is_closed = true; }
  void on(const troupe::ActorFailed& m) {
    ++news_.failures;
    std::cout << m.actor << " failed: " << m.text << '\n';
  }
  void on(const troupe::MessageLost& m) { news_.lost += m.message == "Price" ? 1 : 0; }
  News on(const GetNews&) { return news_; }

 private:
  News news_;
};

class Display : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Price, troupe::Missed, GetSeen, Unplug>;
  explicit Display(troupe::Duration pause) : pause_(pause) {}

  troupe::Task<> on(Price) {
    ++seen_.prices;
    co_await delay(pause_);
  }
  void on(const troupe::Missed& m) { seen_.missed += static_cast<std::int64_t>(m.count); }
  Seen on(const GetSeen&) { return seen_; }
  void on(const Unplug&) { throw std::runtime_error{"no power"}; }

 private:
  troupe::Duration pause_;
  Seen seen_;
};

/// What a display crashed by, what it missed, and what the application says comes to one actor.
bool chronicle_is_right(const troupe::EventStream& events,
                        const troupe::ActorRef<Chronicle>& chronicle,
                        const troupe::ActorRef<Display>& display, const Seen& missed) {
  const auto unplugged = display.ask(Unplug{}, 10s).get();
  if (unplugged.ok() || events.publish(MarketClosed{}) != troupe::Outcome::accepted) {
    return false;
  }
  News news;
  for (int i = 0; i < 10'000 && (!news.is_closed || news.failures == 0); ++i) {
    news = chronicle.ask(GetNews{}, 10s).get().value();
  }
  std::cout << news.failures << " failure, " << news.lost << " prices lost\n";
  return news.is_closed && news.failures == 1 && news.lost >= missed.missed;
}

int main(int argc, char** argv) {
  constexpr std::int64_t prices = 200;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  // Before other actors: what happens in the system is told here from now on.
  const auto events = troupe::spawn_event_stream(node.system()).value();
  node.system().set_events(events);
  // On a thread of its own: what it prints to may block.
  const auto chronicle = node.spawn<Chronicle>({.own_thread = true}).value();
  auto heard = events.subscribe<troupe::ActorFailed>(chronicle);
  heard =
      heard == troupe::Outcome::accepted ? events.subscribe<troupe::MessageLost>(chronicle) : heard;
  heard = heard == troupe::Outcome::accepted ? events.subscribe<MarketClosed>(chronicle) : heard;
  if (heard != troupe::Outcome::accepted) {
    return 1;
  }
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
  const bool is_seen = fast_seen.prices > prices && fast_seen.missed == 0 && slow_seen.missed > 0;
  return is_seen && chronicle_is_right(events, chronicle, fast, slow_seen) ? 0 : 1;
}
