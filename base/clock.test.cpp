#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace troupe::base {
namespace {

using namespace std::chrono_literals;

TEST(Later, AddsAndEndsAtNever) {
  const TimePoint now{5s};
  EXPECT_EQ(later(now, 2s), TimePoint{7s});
  EXPECT_EQ(later(now, -2s), TimePoint{3s});
  EXPECT_EQ(later(now, Duration::max()), time_never);
  EXPECT_EQ(later(now, Duration::max() - 4s), time_never);
  EXPECT_EQ(later(now, Duration::max() - 5s), time_never);
  EXPECT_LT(later(now, Duration::max() - 6s), time_never);
  EXPECT_EQ(later(time_never, 1ns), time_never);
  EXPECT_EQ(later(TimePoint{-5s}, Duration::max()), time_never - 5s);
}

}  // namespace
}  // namespace troupe::base
