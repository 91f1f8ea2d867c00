#include "node/why.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "node/control_actor.hpp"
#include "node/node.hpp"

namespace troupe::node {
namespace {

using namespace std::chrono_literals;
using control::WhyReply;

struct Block {
  TROUPE_MESSAGE(Block)
};
struct AskOther {
  TROUPE_MESSAGE(AskOther)
};
struct Ping {
  using Reply = bool;
  TROUPE_MESSAGE(Ping)
};

struct Latches {
  std::latch has_begun{1};
  std::latch may_end{1};
};

class Blocking : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Block, Ping>;
  explicit Blocking(Latches* latches) : latches_(*latches) {}
  void on(const Block&) {
    latches_.has_begun.count_down();
    latches_.may_end.wait();
  }
  bool on(const Ping&) { return true; }

 private:
  Latches& latches_;
};

class Patient : public actors::Actor {
 public:
  using Protocol = actors::Protocol<AskOther, Ping>;
  explicit Patient(actors::ActorRef<Blocking> other) : other_(std::move(other)) {}
  actors::Task<void> on(AskOther) {
    auto asked = other_.ask(Ping{}, 100s);
    (void)co_await std::move(asked);
  }
  bool on(const Ping&) { return true; }

 private:
  actors::ActorRef<Blocking> other_;
};

/// A real node of two workers without a network.
class WhyTest : public testing::Test {
 protected:
  static Config config() {
    Config config;
    config.name = "n1";
    config.listen = "tcp://127.0.0.1:0";
    config.workers = 2;
    config.demo = false;
    config.log_level = base::LogLevel::off;
    return config;
  }
  WhyReply why(const std::string& name) {
    auto told = control_.ask(control::Why{.name = name}, 100s).get();
    EXPECT_TRUE(told.ok()) << told.error().text();
    return told.value_or(WhyReply{});
  }
  /// Asks until the node sees it in this state.
  WhyReply wait_for(const std::string& name, const std::string& state) {
    const base::SteadyClock clock;
    const base::TimePoint end = clock.now() + 60s;
    WhyReply reply = why(name);
    while (reply.state != state && clock.now() < end) {
      std::this_thread::yield();
      reply = why(name);
    }
    EXPECT_EQ(reply.state, state) << reply.verdict;
    return reply;
  }

  Node node_{config()};
  actors::ActorRef<ControlActor> control_{node_.control()};
};

TEST_F(WhyTest, NamesWhoKeepsAWorkerAndAnswersWhenAllAreKept) {
  Latches first;
  Latches second;
  const auto one = node_.spawn<Blocking>({.name = "one"}, &first).value();
  const auto two = node_.spawn<Blocking>({.name = "two"}, &second).value();
  const auto three = node_.spawn<Patient>({.name = "three"}, one).value();
  EXPECT_EQ(one.tell(Block{}), base::Outcome::accepted);
  EXPECT_EQ(two.tell(Block{}), base::Outcome::accepted);
  first.has_begun.wait();
  second.has_begun.wait();
  EXPECT_EQ(three.tell(Ping{}), base::Outcome::accepted);

  const WhyReply starved = wait_for("three", "starved");
  ASSERT_EQ(starved.held_workers.size(), 2U);
  EXPECT_NE(starved.held_workers[0].name, starved.held_workers[1].name);
  const WhyReply stuck = why("one");
  EXPECT_EQ(stuck.state, "stuck");
  EXPECT_EQ(stuck.where.node, "n1");
  EXPECT_EQ(stuck.where.actor, one.id().value);
  EXPECT_EQ(stuck.type, "Blocking");
  EXPECT_GE(stuck.held_ms, 1000);
  EXPECT_GE(stuck.mailbox_messages, 1);
  EXPECT_EQ(stuck.workers, 2U);

  first.may_end.count_down();
  second.may_end.count_down();
  EXPECT_EQ(wait_for("one", "idle").held_ms, -1);
  wait_for("three", "idle");
}

TEST_F(WhyTest, TellsForWhomAHandlerWaits) {
  Latches latches;
  const auto one = node_.spawn<Blocking>({.name = "one"}, &latches).value();
  const auto three = node_.spawn<Patient>({.name = "three"}, one).value();
  EXPECT_EQ(one.tell(Block{}), base::Outcome::accepted);
  latches.has_begun.wait();
  EXPECT_EQ(three.tell(AskOther{}), base::Outcome::accepted);
  EXPECT_EQ(wait_for("three", "waiting").waits_for, "one");
  latches.may_end.count_down();
  wait_for("three", "idle");
}

TEST_F(WhyTest, TellsSinceWhenAHandlerBlocksAThreadOfItsOwn) {
  Latches latches;
  const auto driver =
      node_.spawn<Blocking>({.name = "driver", .own_thread = true}, &latches).value();
  EXPECT_EQ(driver.tell(Block{}), base::Outcome::accepted);
  const WhyReply blocking = wait_for("driver", "blocking");
  EXPECT_GE(blocking.own_thread_ms, 1000);
  EXPECT_EQ(blocking.held_ms, -1);
  EXPECT_TRUE(blocking.held_workers.empty());
  latches.may_end.count_down();
  EXPECT_EQ(wait_for("driver", "idle").own_thread_ms, -1);
}

TEST_F(WhyTest, RefusesAnUnknownName) {
  ASSERT_TRUE(node_.wait_until_ready(10s).ok());
  const auto told = control_.ask(control::Why{.name = "nobody"}, 100s).get();
  ASSERT_FALSE(told.ok());
  EXPECT_TRUE(told.error().reason.starts_with("not_found: no actor 'nobody'"));
  EXPECT_EQ(why(control::actor_name).type, "ControlActor");
}

/// An actor with five messages in a node of two workers.
WhyReply working() {
  WhyReply reply;
  reply.where = {"hits", "counter", "n1", 1, 7, "running"};
  reply.type = "Counter";
  reply.mailbox_messages = 5;
  reply.mailbox_messages_max = 10;
  reply.workers = 2;
  return reply;
}

std::string state_of(WhyReply reply) {
  detail::conclude(reply);
  EXPECT_NE(reply.verdict, "");
  return reply.state;
}

TEST(WhyState, IsTheFirstThatExplainsTheSilence) {
  WhyReply reply = working();
  EXPECT_EQ(state_of(reply), "busy");
  reply.mailbox_messages = 10;
  EXPECT_EQ(state_of(reply), "full");
  reply.held_workers = {{0, 8, "", "Crawler", 1500}};
  EXPECT_EQ(state_of(reply), "full");
  reply.held_workers.push_back({1, 9, "", "Crawler", 1500});
  EXPECT_EQ(state_of(reply), "starved");
  reply.waits_for = "people";
  EXPECT_EQ(state_of(reply), "waiting");
  reply.own_thread_ms = 1500;
  EXPECT_EQ(state_of(reply), "blocking");
  reply.held_ms = 1500;
  EXPECT_EQ(state_of(reply), "stuck");
  reply.type.clear();
  EXPECT_EQ(state_of(reply), "ended");
  reply.where.actor = 0;
  EXPECT_EQ(state_of(reply), "starting");
  reply = working();
  reply.mailbox_messages = 0;
  EXPECT_EQ(state_of(reply), "idle");
}

TEST(WhyState, IsNotStarvedWithoutWorkers) {
  WhyReply reply = working();
  reply.workers = 0;
  EXPECT_EQ(state_of(reply), "busy");
}

}  // namespace
}  // namespace troupe::node
