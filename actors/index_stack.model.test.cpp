#include "actors/index_stack.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <utility>

#include "actors/testing/explorer.hpp"

namespace troupe::actors {
namespace {

using testing::Explorer;
using testing::ModelAtomics;
using testing::TornAtomics;

template <class Atomics>
struct Table {
  BasicIndexStack<Atomics> free;
  std::array<typename Atomics::template Atomic<std::uint32_t>, 3> links{};
  std::array<bool, 3> is_taken{};

  auto next_of() {
    return [this](std::uint32_t index) -> auto& {
      return links[index];
    };
  }
};

/// One takes two places and gives back the first, so that the top is the same as before and what is
/// below is not; the other is in the middle of taking meanwhile.
template <class Atomics>
Explorer::Result explore() {
  return Explorer{}.explore([](Explorer::Case& made) {
    const auto table = std::make_shared<Table<Atomics>>();
    for (const std::uint32_t index : {0U, 1U, 2U}) {
      table->free.push(index, table->next_of());
    }
    made.thread("taking", [table] {
      const std::uint32_t index = table->free.pop(table->next_of());
      Explorer::expect(!std::exchange(table->is_taken[index], true), "a place was taken twice");
    });
    made.thread("taking and giving back", [table] {
      const std::uint32_t first = table->free.pop(table->next_of());
      Explorer::expect(!std::exchange(table->is_taken[first], true), "a place was taken twice");
      const std::uint32_t second = table->free.pop(table->next_of());
      Explorer::expect(!std::exchange(table->is_taken[second], true), "a place was taken twice");
      table->is_taken[first] = false;
      table->free.push(first, table->next_of());
    });
    made.at_end([table] {
      const std::uint32_t left = table->free.pop(table->next_of());
      Explorer::expect(left < 3 && !table->is_taken[left], "the place that is left is not free");
      Explorer::expect(table->free.pop(table->next_of()) == BasicIndexStack<Atomics>::none,
                       "more is left than was given back");
    });
  });
}

TEST(IndexStackModel, GivesEachPlaceToOneInEverySchedule) {
  const auto result = explore<ModelAtomics>();
  EXPECT_EQ(result.failure, "") << result.trace;
  EXPECT_TRUE(result.is_complete);
  EXPECT_GT(result.schedules, 10U);
}

TEST(IndexStackModel, FindsACompareAndSwapThatIsNone) {
  EXPECT_NE(explore<TornAtomics>().failure, "");
}

}  // namespace
}  // namespace troupe::actors
