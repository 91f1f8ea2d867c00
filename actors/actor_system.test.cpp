#include "actors/actor_system.hpp"

#include <gtest/gtest.h>

#include "actors/testing/stepped_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Increment {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Increment, by)
};
struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};
struct Crash {
  std::string text;
  TROUPE_MESSAGE(Crash, text)
};
struct Refuse {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Refuse)
};
struct Unknown {
  TROUPE_MESSAGE(Unknown)
};

class Counter : public Actor {
 public:
  using Protocol = actors::Protocol<Increment, Get, Crash, Refuse>;
  void on(const Increment& m) { count_ += m.by; }
  std::int64_t on(const Get&) { return count_; }
  void on(const Crash& m) { throw std::runtime_error{m.text}; }
  std::int64_t on(const Refuse&) { throw Refusal{"not today"}; }

 private:
  std::int64_t count_ = 0;
};

class ActorSystemTest : public testing::SteppedTest {};

TEST_F(ActorSystemTest, CounterCountsAndAnswers) {
  auto counter = spawn<Counter>({});
  EXPECT_EQ(counter.tell(Increment{.by = 2}), base::Outcome::accepted);
  EXPECT_EQ(counter.tell(Increment{}), base::Outcome::accepted);
  EXPECT_EQ(ask(counter, Get{}).value(), 3);
}

TEST_F(ActorSystemTest, AskWithoutReplyTellsThatItWasHandled) {
  auto counter = spawn<Counter>({});
  EXPECT_TRUE(ask(counter, Increment{.by = 5}).ok());
  EXPECT_EQ(ask(counter, Get{}).value(), 5);
}

TEST_F(ActorSystemTest, RefusalAnswersAndTheActorLivesOn) {
  auto counter = spawn<Counter>({});
  const auto refused = ask(counter, Refuse{});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, AskError::Kind::refusal);
  EXPECT_EQ(refused.error().reason, "not today");
  EXPECT_EQ(ask(counter, Get{}).value(), 0);
}

TEST_F(ActorSystemTest, CrashFailsTheRequestAndRestartsTheActor) {
  auto counter = spawn<Counter>({.name = "c"});
  EXPECT_EQ(counter.tell(Increment{}), base::Outcome::accepted);
  const auto crashed = ask(counter, Crash{"boom"});
  ASSERT_FALSE(crashed.ok());
  EXPECT_EQ(crashed.error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(crashed.error().reason, "the actor crashed: boom");
  auto pending = counter.ask(Get{}, 10s);  // waits in the mailbox for the restart
  advance(1s);
  EXPECT_EQ(pending.get().value(), 0);
}

TEST_F(ActorSystemTest, RestartsAreBudgeted) {
  auto counter = spawn<Counter>({.restart = {.restarts_max = 3, .window = 100s}});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(counter.tell(Crash{"again"}), base::Outcome::accepted);
    advance(5s);
  }
  EXPECT_EQ(counter.tell(Increment{}), base::Outcome::stopped);
}

TEST_F(ActorSystemTest, StoppedActorAnswersNotRunForWhatItHadQueued) {
  auto counter = spawn<Counter>({});
  run();
  auto pending = counter.ask(Get{}, 1s);
  system.stop(counter);
  run();
  const auto result = pending.get();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, AskError::Kind::not_run);
  EXPECT_EQ(result.error().outcome, base::Outcome::stopped);
}

TEST_F(ActorSystemTest, FullMailboxIsToldAtOnce) {
  auto counter = spawn<Counter>({.mailbox_messages_max = 2});
  run();
  EXPECT_EQ(counter.tell(Increment{}), base::Outcome::accepted);
  EXPECT_EQ(counter.tell(Increment{}), base::Outcome::accepted);
  EXPECT_EQ(counter.tell(Increment{}), base::Outcome::mailbox_full);
  const auto full = counter.ask(Get{}, 1s).get();
  EXPECT_EQ(full.error().kind, AskError::Kind::not_run);
  EXPECT_EQ(full.error().outcome, base::Outcome::mailbox_full);
}

TEST_F(ActorSystemTest, ExpiredRequestIsNotHandled) {
  auto counter = spawn<Counter>({});
  run();
  EXPECT_EQ(counter.tell(Increment{}), base::Outcome::accepted);
  auto pending = counter.ask(Increment{.by = 100}, 1s);
  world.clock().advance(2s);
  run();  // the message is dropped before it is handled
  const auto result = pending.get();
  EXPECT_EQ(result.error().kind, AskError::Kind::not_run);
  EXPECT_EQ(result.error().outcome, base::Outcome::expired);
  EXPECT_EQ(ask(counter, Get{}).value(), 1);
}

// Dead letters.

/// Tells all of them, and ends the last one before that one could handle it.
class Teller : public Actor {
 public:
  using Protocol = actors::Protocol<Increment>;
  explicit Teller(std::vector<ActorRef<Counter>> to) : to_(std::move(to)) {}
  void on(const Increment& m) {
    for (const auto& counter : to_) {
      (void)counter.tell(m);
    }
    stop(to_.back());
  }

 private:
  std::vector<ActorRef<Counter>> to_;
};

TEST_F(ActorSystemTest, TheLastDeadLettersSayWhoLostWhatAndWhy) {
  constexpr std::size_t kept = 256;
  std::vector<ActorRef<Counter>> counters;
  for (int i = 0; i < 300; ++i) {
    counters.push_back(spawn<Counter>({}));
  }
  run();
  for (std::size_t i = 0; i + 1 < counters.size(); ++i) {
    system.stop(counters[i]);
  }
  run();
  auto teller = spawn<Teller>({}, counters);
  EXPECT_EQ(teller.tell(Increment{}), base::Outcome::accepted);
  run();
  const std::vector<DeadLetter> letters = system.recent_dead_letters();
  ASSERT_EQ(letters.size(), kept);
  for (std::size_t i = 0; i < kept; ++i) {
    ASSERT_EQ(letters[i].target, counters[counters.size() - kept + i].id()) << i;
    EXPECT_EQ(letters[i].sender, teller.id());
    EXPECT_EQ(letters[i].message, "Increment");
    EXPECT_EQ(letters[i].reason, base::Outcome::stopped);
  }
  EXPECT_EQ(letters.front().cause, "");  // its sender was told at once
  EXPECT_EQ(letters.back().cause, "the actor has ended");
}

// Coroutines.

struct Double {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Double)
};
class Asker : public Actor {
 public:
  using Protocol = actors::Protocol<Double>;
  explicit Asker(ActorRef<Counter> counter) : counter_(counter) {}
  Task<std::int64_t> on(Double) {
    const auto first = co_await counter_.ask(Get{}, 1s);
    co_await delay(10ms);
    const auto second = co_await counter_.ask(Get{}, 1s);
    if (!first.ok() || !second.ok()) {
      throw Refusal{"no answer"};
    }
    co_return first.value() + second.value();
  }

 private:
  ActorRef<Counter> counter_;
};

TEST_F(ActorSystemTest, CoroutineHandlerAwaitsAsksAndDelays) {
  auto counter = spawn<Counter>({});
  EXPECT_EQ(counter.tell(Increment{.by = 4}), base::Outcome::accepted);
  auto asker = spawn<Asker>({}, counter);
  EXPECT_EQ(ask(asker, Double{}).value(), 8);
  system.stop(counter);
  run();
  const auto refused = ask(asker, Double{});
  EXPECT_EQ(refused.error().reason, "no answer");
}

TEST_F(ActorSystemTest, StoppingAnActorThatWaitsEndsItsRequest) {
  auto counter = spawn<Counter>({});
  auto asker = spawn<Asker>({}, counter);
  auto pending = asker.ask(Double{}, 5s);
  run();
  EXPECT_FALSE(pending.is_ready());
  system.stop(asker);
  run();
  EXPECT_EQ(pending.get().error().kind, AskError::Kind::may_have_run);
}

// Watching.

class Watcher : public Actor {
 public:
  using Protocol = actors::Protocol<Get>;
  explicit Watcher(std::vector<AnyRef> watched) : watched_(std::move(watched)) {}
  void on_start() override {
    for (const AnyRef& actor : watched_) {
      watch(actor);
    }
  }
  void on(const Terminated& notice) { notices_ += notice.reason == ExitReason::stopped ? 1 : 100; }
  std::int64_t on(const Get&) { return notices_; }

 private:
  std::vector<AnyRef> watched_;
  std::int64_t notices_ = 0;
};

TEST_F(ActorSystemTest, WatcherIsToldExactlyOnce) {
  auto counter = spawn<Counter>({});
  auto gone = spawn<Counter>({});
  system.stop(gone);
  run();
  auto watcher = spawn<Watcher>({}, std::vector<AnyRef>{counter, gone, counter});
  EXPECT_EQ(ask(watcher, Get{}).value(), 100);
  system.stop(counter);
  run();
  EXPECT_EQ(ask(watcher, Get{}).value(), 101);
}

// Waiting senders.

struct Go {
  using Reply = std::int64_t;
  std::int64_t count = 0;
  TROUPE_MESSAGE(Go, count)
};
class Sender : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  explicit Sender(ActorRef<Counter> to) : to_(to) {}
  Task<std::int64_t> on(Go m) {
    std::int64_t accepted = 0;
    for (std::int64_t i = 0; i < m.count; ++i) {
      const base::Outcome outcome = co_await to_.send(Increment{}, 1s);
      accepted += outcome == base::Outcome::accepted ? 1 : 0;
    }
    co_return accepted;
  }

 private:
  ActorRef<Counter> to_;
};

TEST_F(ActorSystemTest, SendWaitsForRoomAndLosesNothing) {
  auto counter = spawn<Counter>({.mailbox_messages_max = 2});
  std::vector<Ask<std::int64_t>> asks;
  for (int i = 0; i < 5; ++i) {
    asks.push_back(spawn<Sender>({}, counter).ask(Go{.count = 200}, 5s));
  }
  run();
  for (auto& pending : asks) {
    EXPECT_EQ(pending.get().value(), 200);
  }
  EXPECT_EQ(ask(counter, Get{}).value(), 1000);
}

TEST_F(ActorSystemTest, SendToAStoppedActorSaysSo) {
  auto counter = spawn<Counter>({});
  system.stop(counter);
  run();
  EXPECT_EQ(ask(spawn<Sender>({}, counter), Go{.count = 3}).value(), 0);
}

// Replies later, children, timers, throwing constructors.

class Forwarder : public Actor {
 public:
  using Protocol = actors::Protocol<Get, Double, Increment>;
  explicit Forwarder(ActorRef<Counter> to) : to_(to) {}
  void on(const Get& m, ReplyTo<std::int64_t> reply) { (void)reply.forward(to_, m); }
  void on(const Double&, ReplyTo<std::int64_t> reply) { (void)reply; }
  void on(const Increment& m) { every(10ms, Increment{m}); }

 private:
  ActorRef<Counter> to_;
};

TEST_F(ActorSystemTest, ForwardKeepsTheAsker) {
  auto counter = spawn<Counter>({});
  EXPECT_EQ(counter.tell(Increment{.by = 9}), base::Outcome::accepted);
  EXPECT_EQ(ask(spawn<Forwarder>({}, counter), Get{}).value(), 9);
}

TEST_F(ActorSystemTest, DroppedReplyIsNotSilent) {
  const auto result = ask(spawn<Forwarder>({}, spawn<Counter>({})), Double{});
  EXPECT_EQ(result.error().kind, AskError::Kind::may_have_run);
}

class LateRefuser : public Actor {
 public:
  using Protocol = actors::Protocol<Get>;
  void on(const Get&, ReplyTo<std::int64_t>) { throw Refusal{"not like this"}; }
};

TEST_F(ActorSystemTest, RefusalIsHeardAlsoFromAHandlerThatAnswersLater) {
  const auto result = ask(spawn<LateRefuser>({}), Get{});
  EXPECT_EQ(result.error().kind, AskError::Kind::refusal);
  EXPECT_EQ(result.error().reason, "not like this");
}

class Ticker : public Actor {
 public:
  using Protocol = actors::Protocol<Increment, Get>;
  void on_start() override {
    every(10ms, Increment{});
    cancel(after(5ms, Increment{.by = 1000}));
    after(15ms, Increment{.by = 100});
  }
  void on(const Increment& m) { count_ += m.by; }
  std::int64_t on(const Get&) { return count_; }

 private:
  std::int64_t count_ = 0;
};

TEST_F(ActorSystemTest, TimersFireRepeatAndCancel) {
  auto ticker = spawn<Ticker>({});
  run();
  advance(105ms);
  EXPECT_EQ(ask(ticker, Get{}).value(), 110);
}

class Parent : public Actor {
 public:
  using Protocol = actors::Protocol<Get, Crash>;
  void on_start() override {
    child_ = spawn<Counter>({.name = "child", .restart = {.restarts_max = 1}}).value();
    ++starts;
  }
  std::int64_t on(const Get&) { return starts; }
  void on(const Crash& m, ReplyTo<void> reply) { (void)reply.forward(child_, m); }
  static inline int starts = 0;

 private:
  ActorRef<Counter> child_;
};

TEST_F(ActorSystemTest, ChildThatFailsTooOftenFailsItsParent) {
  Parent::starts = 0;
  auto parent = spawn<Parent>({.name = "parent"});
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(ask(parent, Crash{"child trouble"}).ok());
    advance(300ms);
  }
  advance(1s);
  EXPECT_EQ(ask(parent, Get{}).value(), 2);
  EXPECT_EQ(system.actor_count(), 2U);
}

class Unbuildable : public Actor {
 public:
  using Protocol = actors::Protocol<Increment>;
  Unbuildable() { throw 42; }
  void on(const Increment&) {}
};

TEST_F(ActorSystemTest, ConstructorThatThrowsAnythingEndsInDeadLetters) {
  auto broken = spawn<Unbuildable>({.name = "broken"});
  EXPECT_EQ(broken.tell(Increment{}), base::Outcome::accepted);
  advance(30s);
  EXPECT_EQ(broken.tell(Increment{}), base::Outcome::stopped);
  EXPECT_EQ(dead(base::Outcome::stopped), 2U);
}

TEST_F(ActorSystemTest, MessageOutsideTheProtocolIsRefused) {
  const ActorRef<Protocol<Unknown>> wrong{AnyRef{spawn<Counter>({})}};
  const auto result = ask(wrong, Unknown{});
  EXPECT_EQ(result.error().kind, AskError::Kind::not_run);
  EXPECT_EQ(result.error().outcome, base::Outcome::refused);
}

TEST_F(ActorSystemTest, RandomTrafficBalancesTheLedger) {
  base::Random random{world.seed()};
  std::vector<ActorRef<Counter>> actors;
  for (int round = 0; round < 5000; ++round) {
    const auto pick = random.below(100);
    if (actors.size() < 20 || pick < 2) {
      actors.push_back(spawn<Counter>(
          {.mailbox_messages_max = static_cast<std::uint32_t>(1 + random.below(5))}));
    } else if (pick < 4) {
      system.stop(actors[random.below(actors.size())]);
    } else if (pick < 6) {
      (void)actors[random.below(actors.size())].tell(Crash{"random"});
    } else if (pick < 80) {
      (void)actors[random.below(actors.size())].tell(Increment{});
    } else {
      actors[random.below(actors.size())].ask(Get{}, 1s).then([](const auto&) {});
    }
    if (random.chance(0.3)) {
      (void)world.step();
    }
    if (random.chance(0.02)) {
      advance(100ms);
    }
  }
}

}  // namespace
}  // namespace troupe::actors
