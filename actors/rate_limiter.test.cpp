#include "actors/rate_limiter.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

constexpr base::TimePoint start{base::Duration{1000}};

TEST(RateLimiter, StartsFullAndThenSaysHowLongToWait) {
  RateLimiter limiter{{.tokens = 10, .per = 1s, .burst = 3}};
  EXPECT_EQ(limiter.available(start), 3U);
  EXPECT_EQ(limiter.acquire(start), 0s);
  EXPECT_EQ(limiter.acquire(start), 0s);
  EXPECT_EQ(limiter.acquire(start), 0s);
  EXPECT_EQ(limiter.available(start), 0U);
  EXPECT_EQ(limiter.acquire(start), 100ms);
  EXPECT_EQ(limiter.acquire(start + 40ms), 60ms);
  EXPECT_EQ(limiter.acquire(start + 100ms), 0s);
}

TEST(RateLimiter, TakesNothingWhenItRefuses) {
  RateLimiter limiter{{.tokens = 10, .per = 1s, .burst = 5}};
  EXPECT_EQ(limiter.acquire(start, 4), 0s);
  EXPECT_EQ(limiter.acquire(start, 3), 200ms);
  EXPECT_EQ(limiter.acquire(start, 1), 0s);
}

TEST(RateLimiter, SavesUpNoMoreThanItsBurst) {
  RateLimiter limiter{{.tokens = 10, .per = 1s, .burst = 5}};
  EXPECT_EQ(limiter.acquire(start, 5), 0s);
  EXPECT_EQ(limiter.available(start + 1h), 5U);
  EXPECT_EQ(limiter.acquire(start + 1h, 5), 0s);
  EXPECT_EQ(limiter.acquire(start + 1h, 1), 100ms);
}

TEST(RateLimiter, NeverHasMoreThanItsBurst) {
  RateLimiter limiter{{.tokens = 10, .per = 1s, .burst = 5}};
  EXPECT_EQ(limiter.acquire(start, 6), base::Duration::max());
  EXPECT_EQ(limiter.acquire(start, 5), 0s);
}

TEST(RateLimiter, LetsWhoWaitsAsToldHaveItsToken) {
  RateLimiter limiter{{.tokens = 3, .per = 1s, .burst = 2}};
  base::Random random{1};
  base::TimePoint now = start;
  std::uint32_t taken = 0;
  while (now < start + 100s) {
    const auto tokens = static_cast<std::uint32_t>(1 + random.below(2));
    if (const base::Duration wait = limiter.acquire(now, tokens); wait > 0s) {
      now += wait;
      ASSERT_EQ(limiter.acquire(now, tokens), 0s);
    }
    taken += tokens;
  }
  EXPECT_NEAR(taken, 302, 3);
}

}  // namespace
}  // namespace troupe::actors
