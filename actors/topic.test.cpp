#include "actors/topic.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/system_events.hpp"
#include "actors/testing/test_system.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Price {
  std::int64_t cents = 0;
  TROUPE_MESSAGE(Price, cents)
};
struct Closed {
  std::string market;
  TROUPE_MESSAGE(Closed, market)
};

struct Seen {
  std::vector<std::int64_t> prices;
  std::vector<std::string> closed;
  std::vector<Missed> missed;
};

class Listener : public Actor {
 public:
  using Protocol = actors::Protocol<Price, Closed, Missed>;
  explicit Listener(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
  void on(const Price& m) { seen_->prices.push_back(m.cents); }
  void on(const Closed& m) { seen_->closed.push_back(m.market); }
  void on(const Missed& m) { seen_->missed.push_back(m); }

 private:
  std::shared_ptr<Seen> seen_;
};

/// Takes a second for each price.
class SlowListener : public Actor {
 public:
  using Protocol = actors::Protocol<Price, Missed>;
  explicit SlowListener(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
  Task<> on(Price m) {
    seen_->prices.push_back(m.cents);
    co_await delay(1s);
  }
  void on(const Missed& m) { seen_->missed.push_back(m); }

 private:
  std::shared_ptr<Seen> seen_;
};

class TopicTest : public ::testing::Test {
 protected:
  void publish(const Topic<Price>& to, std::int64_t first, std::int64_t last) {
    for (std::int64_t cents = first; cents <= last; ++cents) {
      EXPECT_EQ(to.publish(Price{cents}), base::Outcome::accepted);
      world.run_until_idle();
    }
  }
  std::vector<SubscriberStatus> subscribers(const ActorRef<Protocol<GetSubscribers>>& of) {
    return world.ask(of, GetSubscribers{}).value();
  }

  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  testing::TestSystem world;
  Topic<Price> topic = spawn_topic<Price>(world.system(), {.spawn = {.name = "prices"}}).value();
};

TEST_F(TopicTest, GivesEachSubscriberEachMessageInOrder) {
  const auto other = std::make_shared<Seen>();
  EXPECT_EQ(topic.subscribe(world.spawn<Listener>({}, seen)), base::Outcome::accepted);
  EXPECT_EQ(topic.subscribe(world.spawn<Listener>({}, other)), base::Outcome::accepted);
  publish(topic, 1, 3);
  EXPECT_EQ(seen->prices, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(other->prices, seen->prices);
}

TEST_F(TopicTest, GivesNothingBeforeSubscribingTwiceOrAfterUnsubscribing) {
  const auto listener = world.spawn<Listener>({}, seen);
  publish(topic, 1, 1);
  EXPECT_EQ(topic.subscribe(listener), base::Outcome::accepted);
  EXPECT_EQ(topic.subscribe(listener), base::Outcome::accepted);
  publish(topic, 2, 2);
  EXPECT_EQ(topic.unsubscribe(listener), base::Outcome::accepted);
  publish(topic, 3, 3);
  EXPECT_EQ(seen->prices, (std::vector<std::int64_t>{2}));
}

TEST_F(TopicTest, LetsASlowSubscriberMissAndTellsIt) {
  const auto fast = std::make_shared<Seen>();
  const auto slow = world.spawn<SlowListener>({.mailbox_messages_max = 2}, seen);
  EXPECT_EQ(topic.subscribe(slow), base::Outcome::accepted);
  EXPECT_EQ(topic.subscribe(world.spawn<Listener>({}, fast)), base::Outcome::accepted);
  publish(topic, 1, 6);  // one in hand, two in the mailbox
  EXPECT_EQ(fast->prices.size(), 6U);
  auto status = subscribers(topic);
  ASSERT_EQ(status.size(), 2U);
  EXPECT_EQ(status[0].delivered, 3U);
  EXPECT_EQ(status[0].missed, 3U);
  EXPECT_EQ(status[1].missed, 0U);
  world.advance(5s);
  publish(topic, 7, 7);
  world.advance(5s);
  EXPECT_EQ(seen->prices, (std::vector<std::int64_t>{1, 2, 3, 7}));
  ASSERT_EQ(seen->missed.size(), 1U);
  EXPECT_EQ(seen->missed[0].topic, "prices");
  EXPECT_EQ(seen->missed[0].count, 3U);
  EXPECT_FALSE(seen->missed[0].unsubscribed);
  EXPECT_EQ(world.system().ledger().dead[static_cast<std::size_t>(base::Outcome::mailbox_full)],
            3U);
}

TEST_F(TopicTest, UnsubscribesWhoMissesTooManyInARowAndSaysSo) {
  const auto strict =
      spawn_topic<Price>(world.system(), {.spawn = {.name = "strict"}, .misses_max = 3}).value();
  const auto slow = world.spawn<SlowListener>({.mailbox_messages_max = 1}, seen);
  EXPECT_EQ(strict.subscribe(slow), base::Outcome::accepted);
  publish(strict, 1, 5);
  world.advance(10s);
  publish(strict, 6, 7);
  EXPECT_EQ(seen->prices, (std::vector<std::int64_t>{1, 2}));
  ASSERT_EQ(seen->missed.size(), 1U);
  EXPECT_TRUE(seen->missed[0].unsubscribed);
  EXPECT_EQ(seen->missed[0].count, 3U);
  EXPECT_TRUE(subscribers(strict).empty());
}

TEST_F(TopicTest, ForgetsSubscribersThatEnd) {
  const auto listener = world.spawn<Listener>({}, seen);
  EXPECT_EQ(topic.subscribe(listener), base::Outcome::accepted);
  world.run_until_idle();
  EXPECT_EQ(subscribers(topic).size(), 1U);
  world.system().stop(listener);
  world.run_until_idle();
  EXPECT_TRUE(subscribers(topic).empty());
  publish(topic, 1, 1);
  EXPECT_EQ(world.system().ledger().dead[static_cast<std::size_t>(base::Outcome::stopped)], 0U);
}

TEST_F(TopicTest, EndsAnAskWhenTheMessageWasGivenToAll) {
  EXPECT_EQ(topic.subscribe(world.spawn<Listener>({}, seen)), base::Outcome::accepted);
  EXPECT_TRUE(world.ask(topic, Price{1}).ok());
  EXPECT_EQ(seen->prices.size(), 1U);
}

TEST_F(TopicTest, EventStreamGivesByType) {
  const EventStream events = spawn_event_stream(world.system()).value();
  const auto both = world.spawn<Listener>({}, seen);
  const auto one = std::make_shared<Seen>();
  const auto prices_only = world.spawn<Listener>({}, one);
  EXPECT_EQ(events.subscribe<Price>(both), base::Outcome::accepted);
  EXPECT_EQ(events.subscribe<Closed>(both), base::Outcome::accepted);
  EXPECT_EQ(events.subscribe<Price>(prices_only), base::Outcome::accepted);
  EXPECT_EQ(events.publish(Price{5}), base::Outcome::accepted);
  EXPECT_EQ(events.publish(Closed{"Tokyo"}), base::Outcome::accepted);
  EXPECT_EQ(events.publish(Missed{}), base::Outcome::accepted);
  world.run_until_idle();
  EXPECT_EQ(seen->prices, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(seen->closed, (std::vector<std::string>{"Tokyo"}));
  EXPECT_EQ(one->prices, (std::vector<std::int64_t>{5}));
  EXPECT_TRUE(one->closed.empty());
  EXPECT_EQ(events.unsubscribe<Price>(both), base::Outcome::accepted);
  EXPECT_EQ(events.publish(Price{6}), base::Outcome::accepted);
  EXPECT_EQ(events.publish(Closed{"Paris"}), base::Outcome::accepted);
  world.run_until_idle();
  EXPECT_EQ(seen->prices.size(), 1U);
  EXPECT_EQ(seen->closed.size(), 2U);
  EXPECT_EQ(subscribers(events).size(), 2U);
}

struct Break {
  TROUPE_MESSAGE(Break)
};
class Fragile : public Actor {
 public:
  using Protocol = actors::Protocol<Break>;
  void on(const Break&) { throw std::runtime_error{"broken"}; }
};

/// Writes down what the system tells.
class Chronicler : public Actor {
 public:
  using Protocol = actors::Protocol<ActorFailed, ActorGivenUp, MessageLost>;
  explicit Chronicler(std::shared_ptr<std::vector<std::string>> lines) : lines_(std::move(lines)) {}
  void on(const ActorFailed& m) { lines_->push_back(m.actor + " failed: " + m.text); }
  void on(const ActorGivenUp& m) { lines_->push_back(m.actor + " is given up"); }
  void on(const MessageLost& m) {
    lines_->push_back("lost " + m.message + ", " + std::string{base::to_string(m.reason)});
  }

 private:
  std::shared_ptr<std::vector<std::string>> lines_;
};

TEST(SystemEvents, TellOfFailuresAndLosses) {
  testing::TestSystem world;
  const EventStream events = spawn_event_stream(world.system()).value();
  world.system().set_events(events);
  const auto lines = std::make_shared<std::vector<std::string>>();
  const auto chronicler = world.spawn<Chronicler>({}, lines);
  EXPECT_EQ(events.subscribe<ActorFailed>(chronicler), base::Outcome::accepted);
  EXPECT_EQ(events.subscribe<ActorGivenUp>(chronicler), base::Outcome::accepted);
  EXPECT_EQ(events.subscribe<MessageLost>(chronicler), base::Outcome::accepted);
  const auto fragile = world.spawn<Fragile>({.name = "vase", .restart = {.restarts_max = 0}});
  EXPECT_EQ(fragile.tell(Break{}), base::Outcome::accepted);
  world.run_until_idle();
  EXPECT_EQ(fragile.tell(Break{}), base::Outcome::stopped);
  world.run_until_idle();
  EXPECT_EQ(*lines, (std::vector<std::string>{"vase failed: broken", "vase is given up",
                                              "lost Break, stopped"}));
}

TEST(SystemEvents, DoNotBreedWhereNobodyHasRoom) {
  testing::TestSystem world;
  const EventStream events = spawn_event_stream(world.system()).value();
  world.system().set_events(events);
  const auto seen = std::make_shared<Seen>();
  struct Deaf : Actor {
    using Protocol = actors::Protocol<MessageLost>;
    Task<> on(MessageLost) { co_await delay(1h); }
  };
  EXPECT_EQ(events.subscribe<MessageLost>(world.spawn<Deaf>({.mailbox_messages_max = 1})),
            base::Outcome::accepted);
  const auto gone = world.spawn<Listener>({}, seen);
  world.stop(gone);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(gone.tell(Price{}), base::Outcome::stopped);
  }
  world.run_until_idle();
  EXPECT_LT(world.system().recent_dead_letters().size(), 20U);
}

class TopicOwner : public Actor {
 public:
  using Protocol = actors::Protocol<>;
  TopicOwner(std::shared_ptr<Topic<Price>> topic, std::shared_ptr<EventStream> events)
      : topic_(std::move(topic)), events_(std::move(events)) {}
  void on_start() override {
    *topic_ = spawn_topic<Price>(*this).value();
    *events_ = spawn_event_stream(*this).value();
  }

 private:
  std::shared_ptr<Topic<Price>> topic_;
  std::shared_ptr<EventStream> events_;
};

TEST_F(TopicTest, EndsWithTheActorThatItBelongsTo) {
  const auto own = std::make_shared<Topic<Price>>();
  const auto events = std::make_shared<EventStream>();
  const auto owner = world.spawn<TopicOwner>({}, own, events);
  world.run_until_idle();
  EXPECT_EQ(own->publish(Price{1}), base::Outcome::accepted);
  EXPECT_EQ(events->publish(Price{1}), base::Outcome::accepted);
  world.stop(owner);
  EXPECT_EQ(own->publish(Price{2}), base::Outcome::stopped);
  EXPECT_EQ(events->publish(Price{2}), base::Outcome::stopped);
}

}  // namespace
}  // namespace troupe::actors
