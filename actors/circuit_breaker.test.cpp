#include "actors/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include "actors/testing/test_system.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

constexpr base::TimePoint start{base::Duration{1000}};
constexpr CircuitBreakerOptions three{.failures_max = 3, .window = 10s, .open_for = 5s};

void fail(CircuitBreaker& breaker, base::TimePoint now) {
  const auto permit = breaker.admit(now);
  ASSERT_TRUE(permit);
  breaker.failed(*permit, now);
}
/// A breaker that opened at `start`.
CircuitBreaker opened() {
  CircuitBreaker breaker{three};
  for (int i = 0; i < 3; ++i) {
    fail(breaker, start);
  }
  return breaker;
}

TEST(CircuitBreaker, OpensAfterSoManyFailuresWithinTheWindow) {
  CircuitBreaker breaker{three};
  fail(breaker, start);
  fail(breaker, start + 6s);
  fail(breaker, start + 11s);  // the first one counts no longer
  EXPECT_EQ(breaker.state(start + 11s), CircuitBreaker::State::closed);
  fail(breaker, start + 12s);
  EXPECT_EQ(breaker.state(start + 12s), CircuitBreaker::State::open);
  EXPECT_EQ(breaker.retry_at(), start + 17s);
  EXPECT_FALSE(breaker.admit(start + 16s));
}

TEST(CircuitBreaker, LetsOneTrialThroughWhenHalfOpen) {
  CircuitBreaker breaker = opened();
  EXPECT_EQ(breaker.state(start + 5s), CircuitBreaker::State::half_open);
  EXPECT_TRUE(breaker.admit(start + 5s));
  EXPECT_EQ(breaker.state(start + 6s), CircuitBreaker::State::half_open);
  EXPECT_FALSE(breaker.admit(start + 6s));
}

TEST(CircuitBreaker, ClosesAfterATrialThatSucceeds) {
  CircuitBreaker breaker = opened();
  const auto trial = breaker.admit(start + 5s);
  breaker.succeeded(*trial);
  EXPECT_EQ(breaker.state(start + 5s), CircuitBreaker::State::closed);
  fail(breaker, start + 5s);
  fail(breaker, start + 5s);
  EXPECT_EQ(breaker.state(start + 5s), CircuitBreaker::State::closed);
}

TEST(CircuitBreaker, OpensAgainAfterATrialThatFails) {
  CircuitBreaker breaker = opened();
  const auto trial = breaker.admit(start + 5s);
  breaker.failed(*trial, start + 6s);
  EXPECT_EQ(breaker.state(start + 10s), CircuitBreaker::State::open);
  EXPECT_EQ(breaker.state(start + 11s), CircuitBreaker::State::half_open);
}

TEST(CircuitBreaker, TriesAgainWhenATrialNeverEnds) {
  CircuitBreaker breaker = opened();
  const auto lost = breaker.admit(start + 5s);
  EXPECT_FALSE(breaker.admit(start + 9s));
  const auto second = breaker.admit(start + 10s);
  ASSERT_TRUE(second);
  breaker.succeeded(*lost);
  EXPECT_EQ(breaker.state(start + 10s), CircuitBreaker::State::half_open);
  breaker.succeeded(*second);
  EXPECT_EQ(breaker.state(start + 10s), CircuitBreaker::State::closed);
}

TEST(CircuitBreaker, LearnsNothingFromCallsOfAnEarlierPeriod) {
  CircuitBreaker breaker{three};
  const auto slow = breaker.admit(start);
  for (int i = 0; i < 3; ++i) {
    fail(breaker, start);
  }
  breaker.succeeded(*slow);
  EXPECT_EQ(breaker.state(start + 1s), CircuitBreaker::State::open);
  breaker.failed(*slow, start + 4s);
  EXPECT_EQ(breaker.retry_at(), start + 5s);
}

struct Work {
  using Reply = std::int64_t;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Work, number)
};

/// Its health is set by the test.
class Backend : public Actor {
 public:
  using Protocol = actors::Protocol<Work>;
  void on(const Work& m, ReplyTo<std::int64_t> reply) {
    ++calls;
    if (m.number < 0) {
      reply.refuse("no negative work");
    } else if (is_healthy) {
      reply.send(m.number);
    }
  }
  static inline bool is_healthy = true;
  static inline int calls = 0;
};

class Client : public Actor {
 public:
  using Protocol = actors::Protocol<Work>;
  explicit Client(ActorRef<Backend> backend) : backend_(backend) {}
  Task<std::int64_t> on(Work m) {
    auto call = breaker_.call(backend_, m, 1s);
    const auto result = co_await std::move(call);
    if (!result.ok()) {
      throw Refusal{result.error().text()};
    }
    co_return result.value();
  }

 private:
  ActorRef<Backend> backend_;
  CircuitBreaker breaker_{three};
};

TEST(CircuitBreakerInActors, FailsFastWhileOpenAndFindsOutWhenTheReceiverIsBack) {
  testing::TestSystem world;
  Backend::is_healthy = false;
  Backend::calls = 0;
  const auto client = world.spawn<Client>({}, world.spawn<Backend>());
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(world.ask(client, Work{1}).ok());
  }
  EXPECT_EQ(world.ask(client, Work{1}).error().reason,
            "not_run (refused): the circuit breaker is open");
  EXPECT_EQ(Backend::calls, 3);
  Backend::is_healthy = true;
  world.advance(5s);
  EXPECT_EQ(world.ask(client, Work{7}).value(), 7);
  EXPECT_EQ(world.ask(client, Work{8}).value(), 8);
}

TEST(CircuitBreakerInActors, TakesARefusalForAnAnswer) {
  testing::TestSystem world;
  Backend::is_healthy = true;
  const auto client = world.spawn<Client>({}, world.spawn<Backend>());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(world.ask(client, Work{-1}).error().reason, "no negative work");
  }
  EXPECT_EQ(world.ask(client, Work{2}).value(), 2);
}

}  // namespace
}  // namespace troupe::actors
