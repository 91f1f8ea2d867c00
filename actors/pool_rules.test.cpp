#include "actors/pool_rules.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

TEST(JumpHash, GivesTheValuesOfThePaper) {
  EXPECT_EQ(jump_hash(0, 1), 0U);
  EXPECT_EQ(jump_hash(1, 1), 0U);
  EXPECT_EQ(jump_hash(256, 1024), 520U);
  EXPECT_EQ(jump_hash(10863919174838991U, 11), 6U);
  EXPECT_EQ(jump_hash(2016238256797177309U, 11), 3U);
}

TEST(JumpHash, MovesFewKeysAndOnlyToTheNewBucket) {
  constexpr std::uint32_t keys = 10'000;
  for (const std::uint32_t buckets : {1U, 4U, 9U}) {
    std::uint32_t moved = 0;
    for (std::uint32_t key = 0; key < keys; ++key) {
      const std::uint32_t before = jump_hash(key_hash(key), buckets);
      const std::uint32_t after = jump_hash(key_hash(key), buckets + 1);
      ASSERT_TRUE(after == before || after == buckets);
      moved += after != before ? 1 : 0;
    }
    EXPECT_NEAR(moved, keys / (buckets + 1), keys / 50) << buckets;
  }
}

TEST(PoolSizer, GrowsWhenWorkWaitsAndShrinksWhenIdleWithinItsBounds) {
  PoolSizer sizer{{.workers_min = 2, .workers_max = 6, .grow_after = 2, .shrink_after = 3}};
  EXPECT_EQ(sizer.look({.workers = 4, .waiting = 5}), 4U);
  EXPECT_EQ(sizer.look({.workers = 4, .waiting = 5}), 5U);
  EXPECT_EQ(sizer.look({.workers = 5, .waiting = 5}), 5U);
  EXPECT_EQ(sizer.look({.workers = 6, .waiting = 5}), 6U);
  EXPECT_EQ(sizer.look({.workers = 6, .idle = 1}), 6U);
  EXPECT_EQ(sizer.look({.workers = 6, .idle = 1}), 6U);
  EXPECT_EQ(sizer.look({.workers = 6, .idle = 1}), 5U);
  EXPECT_EQ(sizer.look({.workers = 1, .idle = 1}), 2U);
}

}  // namespace
}  // namespace troupe::actors
