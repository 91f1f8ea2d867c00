#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/testing/test_system.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

/// Waits, and then throws as often as it says.
struct Try {
  using Reply = std::int64_t;
  std::string text;
  std::int64_t crashes = 0;
  TROUPE_MESSAGE(Try, text, crashes)
};
/// Waits long.
struct Wait {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Wait)
};
struct Say {
  using Reply = std::int64_t;
  std::string text;
  TROUPE_MESSAGE(Say, text)
};

using Words = std::vector<std::string>;

template <bool is_reentrant>
class Trying : public Actor {
 public:
  using Protocol = actors::Protocol<Try, Wait, Say>;
  static constexpr bool reentrant = is_reentrant;
  explicit Trying(std::shared_ptr<Words> words) : words_(std::move(words)) {}
  Task<std::int64_t> on(Try m) {
    words_->push_back(m.text);
    const auto times = std::count(words_->begin(), words_->end(), m.text);
    co_await delay(10ms);
    if (times <= m.crashes) {
      throw std::runtime_error{"trouble with " + m.text};
    }
    if (m.crashes < 0) {
      throw Refusal{"not this"};
    }
    co_return times;
  }
  Task<std::int64_t> on(Wait) {
    co_await delay(1h);
    co_return 0;
  }
  std::int64_t on(const Say& m) {
    words_->push_back(m.text);
    return static_cast<std::int64_t>(words_->size());
  }

 private:
  std::shared_ptr<Words> words_;
};

/// Both kinds of coroutine handlers, with plain mailboxes and with policies.
template <class Kind>
class CrashRetry : public ::testing::Test {
 protected:
  using Actor = Trying<Kind::is_reentrant>;
  auto start(SpawnOptions options = {}) {
    options.on_crash = OnCrash::retry_message;
    options.mailbox_bytes_max = Kind::bytes_max;
    options.restart.restarts_max = 10;
    return world.template spawn<Actor>(std::move(options), words);
  }

  std::shared_ptr<Words> words = std::make_shared<Words>();
  testing::TestSystem world;
};

template <bool reentrant, std::size_t bytes>
struct Kind {
  static constexpr bool is_reentrant = reentrant;
  static constexpr std::size_t bytes_max = bytes;
};
using Kinds =
    ::testing::Types<Kind<false, 0>, Kind<true, 0>, Kind<false, 100'000>, Kind<true, 100'000>>;
TYPED_TEST_SUITE(CrashRetry, Kinds);

TYPED_TEST(CrashRetry, WhatACoroutineHadIsTheFirstAfterTheRestartAndAnswersItsAsker) {
  const auto trying = this->start();
  auto first = trying.ask(Try{"first", 1}, 5s);
  this->world.run_until_idle();  // and waits in its coroutine
  this->world.advance(10ms);     // and has crashed
  auto second = trying.ask(Say{"second"}, 5s);
  this->world.advance(2s);
  EXPECT_EQ(first.get().value(), 2);
  EXPECT_EQ(second.get().value(), 3);
  EXPECT_EQ(*this->words, (Words{"first", "first", "second"}));
}

TYPED_TEST(CrashRetry, WhatCrashedThreeTimesGoesToTheDeadLettersWithItsCause) {
  const auto trying = this->start();
  auto poison = trying.ask(Try{"poison", 9}, 5s);
  this->world.run_until_idle();
  auto next = trying.ask(Try{"next", 2}, 5s);
  this->world.advance(4s);
  ASSERT_TRUE(poison.is_ready());
  const auto error = poison.get().error();
  EXPECT_EQ(error.kind, AskError::Kind::may_have_run);
  EXPECT_EQ(error.reason, "it crashed the actor 3 times: trouble with poison");
  EXPECT_EQ(this->world.system().recent_dead_letters().back().cause, error.reason);
  EXPECT_EQ(std::count(this->words->begin(), this->words->end(), "poison"), 3);
  if (!TypeParam::is_reentrant) {  // else it runs beside the poison, and is not to blame
    EXPECT_EQ(next.get().value(), 3);
  }
}

TYPED_TEST(CrashRetry, ARefusalOfACoroutineIsNoCrash) {
  const auto trying = this->start();
  auto refused = trying.ask(Try{"refused", -1}, 5s);
  this->world.advance(1s);
  EXPECT_EQ(refused.get().error().kind, AskError::Kind::refusal);
  EXPECT_EQ(this->words->size(), 1U);
}

TYPED_TEST(CrashRetry, WhatIsToBeRetriedIsNotWhenItsAskerGaveUp) {
  const auto trying = this->start();
  {
    auto asked = trying.ask(Try{"first", 1}, 5s);
    this->world.run_until_idle();
    this->world.advance(10ms);
  }
  this->world.advance(2s);
  EXPECT_EQ(this->words->size(), 1U);
  auto next = trying.ask(Try{"next", 2}, 5s);  // with three crashes of its own to go
  this->world.advance(2s);
  EXPECT_EQ(next.get().value(), 3);
}

TYPED_TEST(CrashRetry, WhatIsToBeRetriedWhenTheActorIsStoppedMayHaveRun) {
  const auto trying = this->start();
  auto asked = trying.ask(Try{"first", 1}, 5s);
  this->world.run_until_idle();
  this->world.advance(10ms);
  EXPECT_EQ(this->words->size(), 1U);
  this->world.system().stop(trying);
  this->world.run_until_idle();
  EXPECT_EQ(asked.get().error().kind, AskError::Kind::may_have_run);
}

TYPED_TEST(CrashRetry, ARestartWithoutTheMailboxRetriesNothing) {
  const auto trying = this->start({.keep_mailbox = false});
  auto asked = trying.ask(Try{"first", 1}, 5s);
  this->world.advance(2s);
  EXPECT_EQ(asked.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(this->words->size(), 1U);
}

using Reentrant = CrashRetry<Kind<true, 0>>;

TEST_F(Reentrant, WhatAnotherCoroutineHadBegunMayHaveRun) {
  const auto trying = start();
  auto other = trying.ask(Wait{}, 5s);
  auto first = trying.ask(Try{"first", 1}, 5s);
  world.advance(2s);
  EXPECT_EQ(other.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(first.get().value(), 2);
}

TEST(CrashRetryOff, WhatACoroutineHadIsNotRepeatedUnlessAskedFor) {
  testing::TestSystem world;
  const auto words = std::make_shared<Words>();
  const auto trying = world.spawn<Trying<false>>({}, words);
  auto asked = trying.ask(Try{"first", 1}, 5s);
  world.advance(2s);
  EXPECT_EQ(asked.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(words->size(), 1U);
}

/// Crashes at first, then puts it aside.
class PutsAside final : public Actor {
 public:
  using Protocol = actors::Protocol<Say>;
  explicit PutsAside(std::shared_ptr<Words> words, std::uint32_t stash_max = 10)
      : words_(std::move(words)), stash_max_(stash_max) {}
  void on_start() override { set_stash_max(stash_max_); }
  void on(const Say& m, ReplyTo<std::int64_t> reply) {
    words_->push_back(m.text);
    if (words_->size() == 1) {
      throw std::runtime_error{"at first"};
    }
    (void)stash(Say{m}, std::move(reply));
  }

 private:
  std::shared_ptr<Words> words_;
  std::uint32_t stash_max_;
};

TEST(CrashRetryStash, WhatCrashedTheActorAndWasThenPutAsideMayHaveRun) {
  testing::TestSystem world;
  const auto words = std::make_shared<Words>();
  const auto actor = world.spawn<PutsAside>({.on_crash = OnCrash::retry_message}, words);
  auto asked = actor.ask(Say{"first"}, 5s);
  world.advance(2s);
  ASSERT_EQ(words->size(), 2U);
  world.stop(actor);
  ASSERT_TRUE(asked.is_ready());
  EXPECT_EQ(asked.get().error().kind, AskError::Kind::may_have_run);
}

TEST(CrashRetryStash, WhatCrashedTheActorAndFindsNoRoomThereMayHaveRun) {
  testing::TestSystem world;
  const auto words = std::make_shared<Words>();
  const auto actor =
      world.spawn<PutsAside>({.on_crash = OnCrash::retry_message}, words, std::uint32_t{0});
  auto asked = actor.ask(Say{"first"}, 5s);
  world.advance(2s);
  ASSERT_TRUE(asked.is_ready());
  const auto result = asked.get();
  EXPECT_EQ(result.error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(result.error().outcome, base::Outcome::mailbox_full);
}

/// Before it is retried, and when it was put aside.
class CrashRetryLeft : public ::testing::TestWithParam<base::Duration> {};

TEST_P(CrashRetryLeft, WhatCrashedTheActorIsNotLeftToOthers) {
  testing::TestSystem world;
  const auto words = std::make_shared<Words>();
  int left = 0;
  const auto actor = world.spawn<PutsAside>(
      {.on_crash = OnCrash::retry_message, .on_left = [&](Envelope&&) { ++left; }}, words);
  auto asked = actor.ask(Say{"first"}, 5s);
  world.run_until_idle();
  world.advance(GetParam());
  world.stop(actor);
  EXPECT_EQ(left, 0);
  ASSERT_TRUE(asked.is_ready());
  EXPECT_EQ(asked.get().error().kind, AskError::Kind::may_have_run);
}

INSTANTIATE_TEST_SUITE_P(AtBothPlaces, CrashRetryLeft, ::testing::Values(0s, 2s));

TEST(CrashRetryHandOver, WhatCrashedTheActorAndWasThenPutAsideIsNotHandedOver) {
  testing::TestSystem world;
  const auto words = std::make_shared<Words>();
  const auto heirs = std::make_shared<Words>();
  const auto actor = world.spawn<PutsAside>({.on_crash = OnCrash::retry_message}, words);
  const auto heir = world.spawn<Trying<false>>({}, heirs);
  auto asked = actor.ask(Say{"first"}, 5s);
  world.advance(2s);
  ASSERT_EQ(words->size(), 2U);
  world.system().hand_over(actor, heir);
  world.advance(1s);
  ASSERT_TRUE(asked.is_ready());
  EXPECT_EQ(asked.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_TRUE(heirs->empty());
}

TEST(CrashRetryHandOver, WhatCrashedTheActorIsNotHandedOver) {
  testing::TestSystem world;
  const auto words = std::make_shared<Words>();
  const auto heirs = std::make_shared<Words>();
  const auto actor = world.spawn<PutsAside>({.on_crash = OnCrash::retry_message}, words);
  const auto heir = world.spawn<Trying<false>>({}, heirs);
  auto asked = actor.ask(Say{"first"}, 5s);
  world.run_until_idle();
  ASSERT_EQ(words->size(), 1U);
  world.system().hand_over(actor, heir);
  world.advance(1s);
  ASSERT_TRUE(asked.is_ready());
  EXPECT_EQ(asked.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_TRUE(heirs->empty());
}

}  // namespace
}  // namespace troupe::actors
