#include "actors/ask_with_retry.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <stdexcept>

#include "actors/testing/test_system.hpp"
#include "actors/throttle.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Charge {
  using Reply = std::int64_t;
  std::int64_t amount = 0;
  TROUPE_MESSAGE(Charge, amount)
};
struct Put {
  using Reply = std::int64_t;
  static constexpr bool idempotent = true;
  std::int64_t value = 0;
  TROUPE_MESSAGE(Put, value)
};

enum class Behave { answer, not_run, crash, refuse, silent };

/// Does with each request what the test says, and answers when the script is over.
class Receiver : public Actor {
 public:
  using Protocol = actors::Protocol<Charge, Put>;
  void on(const Charge& m, ReplyTo<std::int64_t> reply) { play(m.amount, std::move(reply)); }
  void on(const Put& m, ReplyTo<std::int64_t> reply) { play(m.value, std::move(reply)); }

  static inline std::deque<Behave> script;
  static inline std::vector<base::TimePoint> times;

 private:
  void play(std::int64_t value, ReplyTo<std::int64_t> reply) {
    times.push_back(now());
    Behave next = Behave::answer;
    if (!script.empty()) {
      next = script.front();
      script.pop_front();
    }
    switch (next) {
      case Behave::answer: reply.send(value); return;
      case Behave::not_run:
        reply.fail({AskError::Kind::not_run, base::Outcome::mailbox_full, "busy"});
        return;
      case Behave::crash: throw std::runtime_error{"boom"};
      case Behave::refuse: reply.refuse("no"); return;
      case Behave::silent: kept_.push_back(std::move(reply)); return;
    }
  }
  std::vector<ReplyTo<std::int64_t>> kept_;
};

constexpr RetryPolicy policy{
    .attempts_max = 4, .backoff_min = 10ms, .backoff_max = 1s, .jitter = 0.0};

template <class M>
class Asker : public Actor {
 public:
  using Protocol = actors::Protocol<M>;
  Asker(ActorRef<Receiver> to, RetryPolicy retry) : to_(to), retry_(retry) {}
  Task<std::int64_t> on(M m) {
    auto task = ask_with_retry(to_, m, retry_, 2s);
    const auto result = co_await std::move(task);
    if (!result.ok()) {
      throw Refusal{result.error().text()};
    }
    co_return result.value();
  }

 private:
  ActorRef<Receiver> to_;
  RetryPolicy retry_;
};

class AskWithRetry : public ::testing::Test {
 protected:
  template <class M>
  AskResult<std::int64_t> play(std::deque<Behave> script, M message, RetryPolicy retry = policy) {
    Receiver::script = std::move(script);
    Receiver::times.clear();
    const auto receiver = world.spawn<Receiver>({.restart = {.backoff_min = 1ms}});
    return world.ask(world.spawn<Asker<M>>({}, receiver, retry), message);
  }
  testing::TestSystem world;
};

TEST_F(AskWithRetry, RepeatsWhatDidNotRunWithBackoff) {
  EXPECT_EQ(play({Behave::not_run, Behave::not_run}, Charge{5}).value(), 5);
  ASSERT_EQ(Receiver::times.size(), 3U);
  EXPECT_EQ(Receiver::times[1] - Receiver::times[0], 10ms);
  EXPECT_EQ(Receiver::times[2] - Receiver::times[1], 20ms);
}

TEST_F(AskWithRetry, DoesNotRepeatWhatMayHaveRun) {
  EXPECT_TRUE(play({Behave::crash}, Charge{5}).error().reason.starts_with("may_have_run"));
  EXPECT_EQ(Receiver::times.size(), 1U);
}

TEST_F(AskWithRetry, RepeatsWhatMayHaveRunIfItIsIdempotent) {
  EXPECT_EQ(play({Behave::crash, Behave::crash}, Put{5}).value(), 5);
  EXPECT_EQ(Receiver::times.size(), 3U);
}

TEST_F(AskWithRetry, DoesNotRepeatARefusal) {
  EXPECT_EQ(play({Behave::refuse}, Put{5}).error().reason, "no");
  EXPECT_EQ(Receiver::times.size(), 1U);
}

TEST_F(AskWithRetry, GivesUpAfterItsAttempts) {
  const auto result = play(std::deque<Behave>(9, Behave::not_run), Charge{5});
  EXPECT_EQ(result.error().reason, "not_run (mailbox_full): busy");
  EXPECT_EQ(Receiver::times.size(), 4U);
}

TEST_F(AskWithRetry, SaysThatItMayHaveRunIfAnyAttemptMay) {
  const auto result =
      play({Behave::crash, Behave::not_run, Behave::not_run, Behave::not_run}, Put{5});
  EXPECT_TRUE(result.error().reason.starts_with("may_have_run"));
}

TEST_F(AskWithRetry, EndsByItsOverallDeadline) {
  const auto begin = world.now();
  RetryPolicy patient = policy;
  patient.attempts_max = 1'000'000;
  EXPECT_FALSE(play(std::deque<Behave>(10'000, Behave::not_run), Charge{5}, patient).ok());
  EXPECT_LE(world.now() - begin, 2s);
}

TEST_F(AskWithRetry, BoundsAnAttemptAndRepeatsASilentOneOnlyIfItIsIdempotent) {
  RetryPolicy hasty = policy;
  hasty.attempt_timeout = 100ms;
  EXPECT_EQ(play({Behave::silent}, Put{5}, hasty).value(), 5);
  EXPECT_EQ(Receiver::times[1] - Receiver::times[0], 110ms);
  EXPECT_FALSE(play({Behave::silent}, Charge{5}, hasty).ok());
  EXPECT_EQ(Receiver::times.size(), 1U);
}

// Throttle.

struct Pass {
  using Reply = bool;
  TROUPE_MESSAGE(Pass)
};

class Gate : public Actor {
 public:
  using Protocol = actors::Protocol<Pass>;
  static constexpr bool reentrant = true;
  explicit Gate(base::Duration wait_max) : wait_max_(wait_max) {}
  Task<bool> on(Pass) {
    auto turn = throttle(limiter_, {.wait_max = wait_max_});
    const bool admitted = co_await turn;
    if (admitted) {
      passed.push_back(now());
    }
    co_return admitted;
  }
  static inline std::vector<base::TimePoint> passed;

 private:
  RateLimiter limiter_{{.tokens = 1, .per = 10ms, .burst = 2}};
  base::Duration wait_max_;
};

TEST(Throttle, LetsThroughTheBurstAndThenOneAtATime) {
  testing::TestSystem world;
  Gate::passed.clear();
  const auto gate = world.spawn<Gate>({}, base::Duration::max());
  const auto begin = world.now();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(gate.tell(Pass{}), base::Outcome::accepted);
  }
  world.advance(1s);
  EXPECT_EQ(Gate::passed,
            (std::vector<base::TimePoint>{begin, begin, begin + 10ms, begin + 20ms, begin + 30ms}));
}

TEST(Throttle, TellsAtOnceWhoWouldWaitTooLong) {
  testing::TestSystem world;
  Gate::passed.clear();
  const auto gate = world.spawn<Gate>({}, base::Duration{15ms});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(gate.tell(Pass{}), base::Outcome::accepted);
  }
  EXPECT_FALSE(world.ask(gate, Pass{}).value());
  world.advance(10ms);
  EXPECT_TRUE(world.ask(gate, Pass{}).value());
}

}  // namespace
}  // namespace troupe::actors
