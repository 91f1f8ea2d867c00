#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "actors/testing/stepped_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Hit {
  using Reply = std::int64_t;
  std::string text;
  TROUPE_MESSAGE(Hit, text)
};
struct Link {
  AnyRef to;
  TROUPE_MESSAGE(Link, to)
};
struct Unlink {
  AnyRef from;
  TROUPE_MESSAGE(Unlink, from)
};
struct End {
  TROUPE_MESSAGE(End)
};

class ActorFailures : public testing::SteppedTest {
 protected:
  void TearDown() override {
    system.stop_all([] {});
    advance(1min);
    for (const auto& proceed : std::exchange(held_back, {})) {
      proceed();
    }
    run();
    SteppedTest::TearDown();
    EXPECT_EQ(system.actor_count(), 0U);
  }

  std::vector<std::function<void()>> held_back;
};

/// Throws what its messages say.
class Moody : public Actor {
 public:
  using Protocol = actors::Protocol<Hit, Link, Unlink, End>;
  explicit Moody(int* hits) : hits_(hits) {}
  std::int64_t on(const Hit& m) {
    ++*hits_;
    if (m.text == "throw 42") {
      throw 42;
    }
    if (m.text == "once" && *hits_ == 1) {
      throw std::runtime_error{"the first time"};
    }
    if (m.text == "always") {
      throw std::runtime_error{"as always"};
    }
    return *hits_;
  }
  void on(const Link& m) { link(m.to); }
  void on(const Unlink& m) { unlink(m.from); }
  void on(const End&) { stop(); }

 private:
  int* hits_;
};

TEST_F(ActorFailures, WhateverAHandlerThrowsIsItsFailure) {
  int hits = 0;
  const auto moody = system.spawn<Moody>({}, &hits).value();
  auto failed = moody.ask(Hit{"throw 42"}, 1s);
  run();
  EXPECT_EQ(failed.get().error().reason,
            "the actor crashed: something that is not a std::exception was thrown");
  auto answered = moody.ask(Hit{"fine"}, 1s);
  advance(500ms);
  EXPECT_EQ(answered.get().value(), 2);
}

TEST_F(ActorFailures, ACrashingMessageIsNotRepeatedUnlessAskedFor) {
  int hits = 0;
  const auto moody = system.spawn<Moody>({}, &hits).value();
  EXPECT_EQ(moody.tell(Hit{"once"}), base::Outcome::accepted);
  advance(1s);
  EXPECT_EQ(hits, 1);
}

TEST_F(ActorFailures, ARetriedMessageAnswersItsAskerAfterTheRestart) {
  int hits = 0;
  const auto moody = system.spawn<Moody>({.on_crash = OnCrash::retry_message}, &hits).value();
  auto first = moody.ask(Hit{"once"}, 2s);
  auto second = moody.ask(Hit{"after it"}, 2s);
  advance(1s);
  EXPECT_EQ(first.get().value(), 2);
  EXPECT_EQ(second.get().value(), 3);
}

TEST_F(ActorFailures, AMessageThatCrashedThreeTimesGoesToTheDeadLettersWithItsCause) {
  for (const std::size_t bytes_max : {std::size_t{0}, std::size_t{100'000}}) {  // plain; by policy
    int hits = 0;
    const auto moody =
        system
            .spawn<Moody>({.mailbox_bytes_max = bytes_max,
                           .restart = {.restart = Restart::transient, .restarts_max = 5},
                           .on_crash = OnCrash::retry_message},
                          &hits)
            .value();
    auto poison = moody.ask(Hit{"always"}, 5s);
    auto next = moody.ask(Hit{"fine"}, 5s);
    advance(3s);
    EXPECT_EQ(hits, 4);
    const auto error = poison.get().error();
    EXPECT_EQ(error.kind, AskError::Kind::may_have_run);
    EXPECT_EQ(error.reason, "it crashed the actor 3 times: as always");
    EXPECT_EQ(system.recent_dead_letters().back().cause, error.reason);
    EXPECT_TRUE(next.get().ok());
  }
}

TEST_F(ActorFailures, ARestartWithoutTheMailboxBeginsAnew) {
  int hits = 0;
  const auto moody = system.spawn<Moody>({.keep_mailbox = false}, &hits).value();
  EXPECT_EQ(moody.tell(Hit{"always"}), base::Outcome::accepted);
  auto lost = moody.ask(Hit{"fine"}, 2s);
  advance(1s);
  EXPECT_EQ(lost.get().error().kind, AskError::Kind::not_run);
  EXPECT_EQ(hits, 1);
  EXPECT_EQ(moody.tell(Hit{"fine"}), base::Outcome::accepted);
  run();
  EXPECT_EQ(hits, 2);
}

TEST_F(ActorFailures, ARestartWithoutTheMailboxDropsWhatHadComeAndNotWhatComesMeanwhile) {
  int hits = 0;
  int left = 0;
  AnyRef again;
  SpawnOptions options{.keep_mailbox = false};
  options.on_left = [&](Envelope&& message) {
    if (++left < 100) {
      (void)again.pass_on(std::move(message));
    }
  };
  const auto moody = system.spawn<Moody>(std::move(options), &hits).value();
  again = moody;
  EXPECT_EQ(moody.tell(Hit{"once"}), base::Outcome::accepted);
  EXPECT_EQ(moody.tell(Hit{"fine"}), base::Outcome::accepted);
  EXPECT_EQ(moody.tell(Hit{"fine"}), base::Outcome::accepted);
  advance(1s);
  EXPECT_EQ(left, 2);
  EXPECT_EQ(hits, 3);
}

class BadAtBoth : public Actor {
 public:
  using Protocol = actors::Protocol<End>;
  explicit BadAtBoth(bool at_start) {
    if (at_start) {
      throw_in_start_ = true;
    }
  }
  void on_start() override {
    if (throw_in_start_) {
      throw std::runtime_error{"in on_start"};
    }
  }
  void on_stop(ExitReason) override { throw 1; }
  void on(const End&) { stop(); }

 private:
  bool throw_in_start_ = false;
};

TEST_F(ActorFailures, OnStartThatThrowsIsAFailure) {
  const auto bad = system.spawn<BadAtBoth>({.restart = {.restarts_max = 1}}, true).value();
  advance(1s);
  EXPECT_EQ(bad.tell(End{}), base::Outcome::stopped);
}

class Reluctant : public Actor {
 public:
  using Protocol = actors::Protocol<End>;
  Reluctant() { throw Refusal{"not today"}; }
  void on(const End&) {}
};

TEST_F(ActorFailures, ARefusalToBeginIsAFailure) {
  const auto reluctant =
      system.spawn<Reluctant>({.restart = {.restart = Restart::temporary}}).value();
  auto asked = reluctant.ask(End{}, 1s);
  advance(2s);
  EXPECT_FALSE(asked.get().ok());
  EXPECT_EQ(reluctant.tell(End{}), base::Outcome::stopped);
}

TEST_F(ActorFailures, OnStopThatThrowsDoesNotKeepAnActor) {
  const auto bad = system.spawn<BadAtBoth>({}, false).value();
  EXPECT_EQ(bad.tell(End{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(bad.tell(End{}), base::Outcome::stopped);
}

class HoldsItself : public Actor {
 public:
  using Protocol = actors::Protocol<End, Link>;
  void on(const Link& m) { own_ = ActorRef<HoldsItself>{m.to}; }
  void on(const End&) {
    own_ = {};
    stop();
  }

 private:
  ActorRef<HoldsItself> own_;
};

TEST_F(ActorFailures, AnActorMayDestroyTheLastReferenceToItself) {
  {
    auto holder = system.spawn<HoldsItself>({}).value();
    EXPECT_EQ(holder.tell(Link{holder}), base::Outcome::accepted);
    EXPECT_EQ(holder.tell(End{}), base::Outcome::accepted);
  }
  run();
  EXPECT_EQ(system.actor_count(), 0U);
}

/// Keeps the right to answer one request until another message throws.
class Forgetful : public Actor {
 public:
  using Protocol = actors::Protocol<Hit>;
  void on(const Hit& m, ReplyTo<std::int64_t> reply) {
    if (m.text == "keep") {
      kept_ = std::move(reply);
      return;
    }
    const ReplyTo<std::int64_t> lost = std::move(kept_);
    throw Refusal{"not you"};
  }

 private:
  ReplyTo<std::int64_t> kept_;
};

TEST_F(ActorFailures, WhatAHandlerThrowsIsNoAnswerToAnotherRequest) {
  for (const OnCrash on_crash : {OnCrash::drop_message, OnCrash::retry_message}) {
    const auto forgetful = system.spawn<Forgetful>({.on_crash = on_crash}).value();
    auto asked = forgetful.ask(Hit{"keep"}, 5s);
    auto refused = forgetful.ask(Hit{"throw"}, 5s);  // by the same deadline
    run();
    ASSERT_TRUE(asked.is_ready());
    EXPECT_EQ(asked.get().error().reason, "the actor let go of the request without an answer");
    ASSERT_TRUE(refused.is_ready());
    EXPECT_EQ(refused.get().error().text(), "not you");
  }
}

TEST_F(ActorFailures, ACrashIsNotChargedToTheMessageAfterOneThatExpired) {
  int hits = 0;
  const auto moody =
      system
          .spawn<Moody>({.restart = {.restarts_max = 10, .backoff_min = 1s, .backoff_max = 1s},
                         .on_crash = OnCrash::retry_message},
                        &hits)
          .value();
  auto expiring = moody.ask(Hit{"always"}, 1500ms);  // fails twice until then
  auto next = moody.ask(Hit{"throw 42"}, 60s);
  advance(30s);
  EXPECT_EQ(expiring.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(hits, 5);
  EXPECT_EQ(next.get().error().kind, AskError::Kind::may_have_run);
}

// Links.

/// Hears of the ends of linked actors.
class Trapper : public Actor {
 public:
  static constexpr bool traps_exits = true;
  using Protocol = actors::Protocol<Link>;
  explicit Trapper(std::vector<Terminated>* heard) : heard_(heard) {}
  void on(const Link& m) { link(m.to); }
  void on(const Terminated& notice) { heard_->push_back(notice); }

 private:
  std::vector<Terminated>* heard_;
};

class Links : public ActorFailures {
 protected:
  ActorRef<Moody> moody() {
    return system.spawn<Moody>({.restart = {.restart = Restart::temporary}}, &hits).value();
  }
  void link(const ActorRef<Moody>& from, const AnyRef& to) {
    EXPECT_EQ(from.tell(Link{to}), base::Outcome::accepted);
    run();
  }
  [[nodiscard]] static bool is_alive(const ActorRef<Moody>& actor) {
    return actor.tell(Hit{}) == base::Outcome::accepted;
  }

  int hits = 100;
};

TEST_F(Links, AnAbnormalEndTakesTheOtherAlongInBothDirections) {
  for (const bool other_way : {false, true}) {
    const auto one = moody();
    const auto two = moody();
    link(one, two);
    EXPECT_EQ((other_way ? one : two).tell(Hit{"always"}), base::Outcome::accepted);
    run();
    EXPECT_FALSE(is_alive(one));
    EXPECT_FALSE(is_alive(two));
  }
}

TEST_F(Links, AnEndAsIntendedLeavesTheOtherAlone) {
  const auto one = moody();
  const auto two = moody();
  link(one, two);
  EXPECT_EQ(two.tell(End{}), base::Outcome::accepted);
  run();
  EXPECT_TRUE(is_alive(one));
}

TEST_F(Links, AnUnlinkedActorLivesOn) {
  const auto one = moody();
  const auto two = moody();
  link(one, two);
  EXPECT_EQ(one.tell(Unlink{two}), base::Outcome::accepted);
  run();
  EXPECT_EQ(two.tell(Hit{"always"}), base::Outcome::accepted);
  run();
  EXPECT_TRUE(is_alive(one));
}

TEST_F(Links, ALinkToOneThatIsGoneFailsAtOnce) {
  const auto one = moody();
  const auto gone = moody();
  system.stop(gone);
  run();
  link(one, gone);
  EXPECT_FALSE(is_alive(one));
}

TEST_F(Links, WhoTrapsExitsHearsTheReasonAndTheNumber) {
  std::vector<Terminated> heard;
  const auto trapper = system.spawn<Trapper>({}, &heard).value();
  const auto crashing = moody();
  const auto linked = moody();
  link(linked, crashing);
  for (const auto& actor : {crashing, linked}) {
    EXPECT_EQ(trapper.tell(Link{actor}), base::Outcome::accepted);
  }
  run();
  EXPECT_EQ(crashing.tell(Hit{"always"}), base::Outcome::accepted);
  run();
  ASSERT_EQ(heard.size(), 2U);
  std::sort(heard.begin(), heard.end(),
            [](const auto& a, const auto& b) { return a.reason < b.reason; });
  EXPECT_EQ(heard[0].actor, AnyRef{crashing});
  EXPECT_EQ(heard[0].reason, ExitReason::crashed);
  EXPECT_EQ(heard[0].text, "as always");
  EXPECT_EQ(heard[1].actor, AnyRef{linked});
  EXPECT_EQ(heard[1].reason, ExitReason::linked);
}

/// Crashes when it is told to, and keeps what it hears in spite of that.
class Watcher : public Actor {
 public:
  using Protocol = actors::Protocol<Link, Hit>;
  explicit Watcher(std::vector<Terminated>* heard) : heard_(heard) {}
  void on(const Link& m) { watch(m.to); }
  std::int64_t on(const Hit& m) { throw std::runtime_error{m.text}; }
  void on(const Terminated& notice) { heard_->push_back(notice); }

 private:
  std::vector<Terminated>* heard_;
};

TEST_F(Links, AWatcherHearsAfterItsRestartWhatEndedMeanwhile) {
  std::vector<Terminated> heard;
  const auto watcher = system.spawn<Watcher>({}, &heard).value();
  const auto watched = moody();
  EXPECT_EQ(watcher.tell(Link{watched}), base::Outcome::accepted);
  run();
  EXPECT_EQ(watcher.tell(Hit{"trouble"}), base::Outcome::accepted);
  run();  // it now waits for its restart
  EXPECT_EQ(watched.tell(Hit{"always"}), base::Outcome::accepted);
  run();
  EXPECT_TRUE(heard.empty());
  advance(1s);
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].actor, AnyRef{watched});
  EXPECT_EQ(heard[0].reason, ExitReason::crashed);
}

TEST_F(Links, ALinkedActorThatRestartsMeanwhileIsTakenAlong) {
  const auto one =
      system.spawn<Moody>({.restart = {.restart = Restart::transient, .restarts_max = 1}}, &hits)
          .value();
  const auto two = moody();
  link(one, two);
  EXPECT_EQ(one.tell(Hit{"always"}), base::Outcome::accepted);
  run();  // it now waits for its restart
  EXPECT_EQ(two.tell(Hit{"always"}), base::Outcome::accepted);
  advance(1s);
  EXPECT_FALSE(is_alive(one));
}

TEST_F(Links, ALinkIsMadeAgainAfterTheOtherEndedIt) {
  const auto one = moody();
  const auto two = moody();
  link(one, two);
  EXPECT_EQ(one.tell(Unlink{two}), base::Outcome::accepted);
  run();
  link(two, one);
  EXPECT_EQ(two.tell(Hit{"always"}), base::Outcome::accepted);
  run();
  EXPECT_FALSE(is_alive(one));
}

// Time to end.

class Held : public Actor {
 public:
  using Protocol = actors::Protocol<>;
};

/// Its first child never goes on after its end, until the test lets it.
class Family : public Actor {
 public:
  using Protocol = actors::Protocol<Hit, End>;
  void on_start() override {
    SpawnOptions held{.stop_timeout = 3s};
    held.on_exit = [](ExitReason, std::function<void()> proceed) {
      held_back->push_back(std::move(proceed));
    };
    (void)spawn<Held>(std::move(held));
    (void)spawn<Held>({});
  }
  std::int64_t on(const Hit& m) {
    if (!m.text.empty()) {
      throw std::runtime_error{m.text};
    }
    return 1;
  }
  void on(const End&) { stop(); }

  static inline std::vector<std::function<void()>>* held_back = nullptr;
};

TEST_F(ActorFailures, AChildThatDoesNotEndInTimeIsLetGoOf) {
  Family::held_back = &held_back;
  const auto family = system.spawn<Family>({}).value();
  run();
  EXPECT_EQ(family.tell(End{}), base::Outcome::accepted);
  advance(2900ms);
  EXPECT_EQ(system.actor_count(), 2U);  // the family and the child that is held
  advance(200ms);
  EXPECT_EQ(system.actor_count(), 1U);
}

TEST_F(ActorFailures, ARestartWaitsForAChildUntilItsTimeIsOver) {
  Family::held_back = &held_back;
  const auto family = system.spawn<Family>({}).value();
  run();
  auto crashed = family.ask(Hit{"trouble"}, 10s);
  auto next = family.ask(Hit{}, 10s);
  advance(2900ms);
  EXPECT_FALSE(next.is_ready());
  advance(200ms);
  EXPECT_TRUE(next.is_ready());
}

class Restless : public Actor {
 public:
  using Protocol = actors::Protocol<End>;
  explicit Restless(int* starts) { ++*starts; }
  void on(const End&) { stop(); }
};

TEST_F(ActorFailures, APermanentActorThatEndsByItselfComesBack) {
  int starts = 0;
  const auto restless =
      system.spawn<Restless>({.restart = {.restart = Restart::permanent}}, &starts).value();
  EXPECT_EQ(restless.tell(End{}), base::Outcome::accepted);
  advance(1s);
  EXPECT_EQ(starts, 2);
  system.stop(restless);
  advance(1s);
  EXPECT_EQ(starts, 2);
}

}  // namespace
}  // namespace troupe::actors
