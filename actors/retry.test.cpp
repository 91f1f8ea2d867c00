#include "actors/retry.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsMaximum) {
  base::Random random{1};
  const Backoff backoff{.min = 100ms, .max = 1s, .jitter = 0.0};
  const struct {
    std::uint32_t failures;
    base::Duration delay;
  } table[] = {{0, 0ms},   {1, 100ms}, {2, 200ms}, {3, 400ms},
               {4, 800ms}, {5, 1s},    {6, 1s},    {4'000'000'000U, 1s}};
  for (const auto& row : table) {
    EXPECT_EQ(backoff.delay(row.failures, random), row.delay) << row.failures;
  }
}

TEST(Backoff, StaysWithinItsJitterAndUsesIt) {
  base::Random random{7};
  const Backoff backoff{.min = 100ms, .max = 10s, .jitter = 0.2};
  base::Duration least = base::Duration::max();
  base::Duration most{0};
  for (int i = 0; i < 1000; ++i) {
    const base::Duration delay = backoff.delay(2, random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, 160ms);
  EXPECT_LT(least, 165ms);
  EXPECT_LE(most, 240ms);
  EXPECT_GT(most, 235ms);
}

TEST(Backoff, NeverExceedsItsMaximumByJitterOrOverflow) {
  base::Random random{7};
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE((Backoff{.min = 1s, .max = 1s, .jitter = 1.0}.delay(1, random)), 1s);
    EXPECT_LE((Backoff{.min = 1s, .max = base::Duration::max(), .jitter = 1.0}.delay(100, random)),
              base::Duration::max());
    EXPECT_GE((Backoff{.min = 1s, .max = base::Duration::max(), .jitter = 1.0}.delay(100, random)),
              0s);
  }
}

TEST(Backoff, HasNoWaitWithAMinimumOfZero) {
  base::Random random{1};
  EXPECT_EQ((Backoff{.min = 0s, .max = 1s, .jitter = 0.2}.delay(5, random)), 0s);
}

TEST(RetryPolicy, CountsTheFirstAttemptToo) {
  const RetryPolicy policy{.attempts_max = 3};
  EXPECT_TRUE(policy.retries_after(1));
  EXPECT_TRUE(policy.retries_after(2));
  EXPECT_FALSE(policy.retries_after(3));
  EXPECT_FALSE(RetryPolicy{.attempts_max = 1}.retries_after(1));
}

TEST(RetryPolicy, WaitsLongerAfterEachAttempt) {
  base::Random random{1};
  const RetryPolicy policy{.backoff_min = 10ms, .backoff_max = 1s, .jitter = 0.0};
  EXPECT_EQ(policy.delay(1, random), 10ms);
  EXPECT_EQ(policy.delay(2, random), 20ms);
  EXPECT_EQ(policy.delay(3, random), 40ms);
}

}  // namespace
}  // namespace troupe::actors
