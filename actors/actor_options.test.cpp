#include <gtest/gtest.h>

#include <limits>

#include "actors/ask_with_retry.hpp"
#include "actors/testing/stepped_test.hpp"

// Values at the edge of what a user may say, and mistakes in what he says.

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration forever = base::Duration::max();

class ActorOptions : public testing::SteppedTest {};

struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};
struct Tick {
  TROUPE_MESSAGE(Tick)
};
struct Begin {
  TROUPE_MESSAGE(Begin)
};
struct Begun {
  using Reply = bool;
  TROUPE_MESSAGE(Begun)
};

class Ticks : public Actor {
 public:
  using Protocol = actors::Protocol<Tick, Get>;
  void on(const Tick&) { ++count_; }
  std::int64_t on(const Get&) { return count_; }

 private:
  std::int64_t count_ = 0;
};

/// Answers after a while.
class Slow : public Actor {
 public:
  using Protocol = actors::Protocol<Get, Tick>;
  Task<std::int64_t> on(Get) {
    co_await delay(1min);
    co_return 7;
  }
  void on(const Tick&) {}
};

// Timeouts that are never.

TEST_F(ActorOptions, AskWithoutADeadlineWaitsForItsReply) {
  auto slow = spawn<Slow>({});
  auto asked = slow.ask(Get{}, forever);
  run();
  EXPECT_FALSE(asked.is_ready());
  advance(1min);
  EXPECT_EQ(asked.get().value(), 7);
}

TEST_F(ActorOptions, TellWithinAnyTimeIsHandled) {
  auto ticks = spawn<Ticks>({});
  EXPECT_EQ(ticks.tell_within(forever, Tick{}), base::Outcome::accepted);
  EXPECT_EQ(ask(ticks, Get{}).value(), 1);
}

class Patient : public Actor {
 public:
  using Protocol = actors::Protocol<Begin, Get, Tick>;
  explicit Patient(ActorRef<Slow> slow) : slow_(slow) {}
  Task<> on(Begin) {
    after(forever, Tick{});
    const Tick tick;
    auto sending = slow_.send(tick, forever);
    sent_ = co_await sending;
    auto asking = ask_with_retry(slow_, Get{}, RetryPolicy{}, forever);
    const auto got = co_await std::move(asking);
    got_ = got.ok() ? got.value() : -1;
    co_await delay(forever);
    got_ = -2;
  }
  void on(const Tick&) { got_ = -3; }
  static inline base::Outcome sent_ = base::Outcome::expired;
  static inline std::int64_t got_ = 0;
  std::int64_t on(const Get&) { return got_; }

 private:
  ActorRef<Slow> slow_;
};

TEST_F(ActorOptions, WhatAnActorAwaitsForEverIsNotOverAtOnce) {
  auto slow = spawn<Slow>({.mailbox_messages_max = 1});
  auto first = slow.ask(Get{}, 5min);
  run();
  EXPECT_EQ(slow.tell(Tick{}), base::Outcome::accepted);  // it is full now
  auto patient = spawn<Patient>({}, slow);
  EXPECT_EQ(patient.tell(Begin{}), base::Outcome::accepted);
  advance(30min);
  EXPECT_EQ(first.get().value(), 7);
  EXPECT_EQ(Patient::sent_, base::Outcome::accepted);
  EXPECT_EQ(Patient::got_, 7);
}

// Mailboxes.

TEST_F(ActorOptions, UnlimitedMailboxTakesMessages) {
  auto ticks = spawn<Ticks>({.mailbox_messages_max = std::numeric_limits<std::uint32_t>::max()});
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(ticks.tell(Tick{}), base::Outcome::accepted) << i;
  }
  EXPECT_EQ(ask(ticks, Get{}).value(), 100);
}

TEST_F(ActorOptions, MailboxOfNoneHoldsOneMessage) {
  for (const Overflow overflow : {Overflow::wait, Overflow::reject, Overflow::drop_newest}) {
    auto ticks = spawn<Ticks>({.mailbox_messages_max = 0, .overflow = overflow});
    EXPECT_EQ(ticks.tell(Tick{}), base::Outcome::accepted);
    run();
    EXPECT_EQ(ask(ticks, Get{}).value(), 1);
  }
}

TEST_F(ActorOptions, FallbackWithoutAnActorIsAnError) {
  const auto spawned = system.spawn<Ticks>({.overflow = Overflow::fallback});
  ASSERT_FALSE(spawned.ok());
  EXPECT_EQ(spawned.error().code, base::Errc::invalid_argument);
}

// Repeated timers.

class Clockwork : public Actor {
 public:
  using Protocol = actors::Protocol<Begin, Tick, Get>;
  explicit Clockwork(base::Duration interval) : interval_(interval) {}
  void on(const Begin&) { every(interval_, Tick{}); }
  void on(const Tick&) { ++count_; }
  std::int64_t on(const Get&) { return count_; }

 private:
  base::Duration interval_;
  std::int64_t count_ = 0;
};

TEST_F(ActorOptions, RepeatedTimerKeepsToItsMultiplesHoweverLateItIsHandled) {
  auto clockwork = spawn<Clockwork>({}, 10ms);
  EXPECT_EQ(clockwork.tell(Begin{}), base::Outcome::accepted);
  run();
  // Each time 3 ms late: after ten intervals it would otherwise have ticked seven times.
  for (int i = 0; i < 10; ++i) {
    world.clock().advance(i == 0 ? 13ms : 10ms);
    (void)system.timers().run_due(world.now());
    run();
  }
  EXPECT_EQ(ask(clockwork, Get{}).value(), 10);
  // Missed ones are not made up for: one from 103 to 203 ms, the next at 210 and 220.
  world.clock().advance(100ms);
  (void)system.timers().run_due(world.now());
  run();
  EXPECT_EQ(ask(clockwork, Get{}).value(), 11);
  advance(17ms);
  EXPECT_EQ(ask(clockwork, Get{}).value(), 13);
}

TEST_F(ActorOptions, RepeatingWithoutAnIntervalFailsTheActorAndSaysSo) {
  auto clockwork = spawn<Clockwork>({}, 0ms);
  const auto asked = ask(clockwork, Begin{});
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().reason, "the actor crashed: every() needs an interval longer than 0");
}

/// Sets a timer for once, and one for ever.
class Alarmed : public Actor {
 public:
  using Protocol = actors::Protocol<Begin, Tick, Get, Begun>;
  explicit Alarmed(std::int64_t* ticks) : ticks_(ticks) {}
  void on(const Begin&) {
    once_ = after(1h, Tick{});
    every(10ms, Tick{});
  }
  void on(const Tick&) { ++*ticks_; }
  std::int64_t on(const Get&) { throw std::runtime_error{"alarmed"}; }
  bool on(const Begun&) {
    cancel(once_);
    return true;
  }

 private:
  TimerId once_{};
  std::int64_t* ticks_;
};

TEST_F(ActorOptions, TimersEndWhereTheyAreCancelledAndWithTheirActor) {
  std::int64_t ticks = 0;
  const std::size_t before = system.timers().size();
  auto alarmed = spawn<Alarmed>({}, &ticks);
  EXPECT_EQ(alarmed.tell(Begin{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(system.timers().size(), before + 2);
  EXPECT_EQ(alarmed.tell(Begun{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(system.timers().size(), before + 1);
  advance(100ms);
  EXPECT_EQ(ticks, 10);
  system.stop(alarmed);
  run();
  EXPECT_EQ(system.timers().size(), before);
}

TEST_F(ActorOptions, TimersOfAnObjectThatCrashedAreNotTheNextOnes) {
  std::int64_t ticks = 0;
  const std::size_t before = system.timers().size();
  auto alarmed = spawn<Alarmed>({}, &ticks);
  EXPECT_EQ(alarmed.tell(Begin{}), base::Outcome::accepted);
  EXPECT_EQ(alarmed.tell(Get{}), base::Outcome::accepted);
  run();
  advance(2h);
  EXPECT_EQ(ticks, 0);
  EXPECT_EQ(system.timers().size(), before);
  system.stop(alarmed);
  run();
}

// Results that hold something else.

class Careless : public Actor {
 public:
  using Protocol = actors::Protocol<Get, Begin, Begun, Tick>;
  explicit Careless(ActorRef<Ticks> gone) : gone_(gone) {}
  Task<std::int64_t> on(Get) {
    const Get question;
    auto asking = gone_.ask(question);
    const auto answer = co_await asking;
    co_return answer.value();
  }
  void on(const Begin&) { set_receive_timeout(1s); }
  void on(const Tick&) { watch(gone_); }
  bool on(const Begun&) { return true; }

 private:
  ActorRef<Ticks> gone_;
};

TEST_F(ActorOptions, ValueOfAFailedAskFailsTheActorOnly) {
  auto gone = spawn<Ticks>({});
  system.stop(gone);
  run();
  auto careless = spawn<Careless>({}, gone);
  const auto asked = ask(careless, Get{});
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().reason,
            "the actor crashed: value() of a failed result: not_run (stopped): the message was "
            "not accepted");
  EXPECT_TRUE(ask(careless, Begun{}).value());  // restarted
}

TEST_F(ActorOptions, ReceiveTimeoutWithoutItsHandlerFailsTheActorOnly) {
  auto careless = spawn<Careless>({}, ActorRef<Ticks>{});
  const auto asked = ask(careless, Begin{});
  ASSERT_FALSE(asked.ok());
  EXPECT_TRUE(asked.error().reason.starts_with("the actor crashed: set_receive_timeout() wants"))
      << asked.error().reason;
  EXPECT_TRUE(ask(careless, Begun{}).value());
}

TEST_F(ActorOptions, WatchWithoutItsHandlerFailsTheActorOnly) {
  auto careless = spawn<Careless>({}, spawn<Ticks>({}));
  const auto asked = ask(careless, Tick{});
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().reason,
            "the actor crashed: watch() wants a handler `on(const Terminated&)`");
  EXPECT_TRUE(ask(careless, Begun{}).value());
}

/// Watches what is nobody.
class Watcher : public Actor {
 public:
  using Protocol = actors::Protocol<Begin, Get>;
  void on(const Begin&) { watch(AnyRef{}); }
  std::int64_t on(const Get&) { return told_; }
  void on(const Terminated& notice) {
    told_ += !notice.actor && notice.reason == ExitReason::no_such_actor ? 1 : 100;
  }

 private:
  std::int64_t told_ = 0;
};

TEST_F(ActorOptions, WatchOfAnEmptyReferenceIsToldAtOnce) {
  auto watcher = spawn<Watcher>({});
  EXPECT_EQ(watcher.tell(Begin{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(ask(watcher, Get{}).value(), 1);
}

}  // namespace
}  // namespace troupe::actors
