#include "actors/run_ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "actors/testing/explorer.hpp"

namespace troupe::actors {
namespace {

using testing::Explorer;
using testing::ModelAtomics;
using testing::TornAtomics;

struct Counted final : Runnable {
  After run(Turn) override { return After::idle; }
  int taken = 0;
};

template <class Atomics>
struct Shared {
  using Ring = BasicRunRing<Atomics, 4>;
  Ring ring;
  std::array<Ring, 2> stolen;
  std::array<Counted, 6> runnables;

  void take(Runnable* runnable) { ++static_cast<Counted*>(runnable)->taken; }
};

/// The owner pushes and pops around two thieves; the ring is small, so that places are used again.
template <class Atomics>
Explorer::Result explore(std::size_t thieves, int pushes) {
  return Explorer{}.explore([=](Explorer::Case& made) {
    const auto shared = std::make_shared<Shared<Atomics>>();
    for (int i = 0; i < 2; ++i) {
      (void)shared->ring.push(shared->runnables[static_cast<std::size_t>(i)]);
    }
    made.thread("owner", [shared, pushes] {
      for (int i = 2; i < 2 + pushes; ++i) {
        auto& runnable = shared->runnables[static_cast<std::size_t>(i)];
        if (!shared->ring.push(runnable)) {
          shared->take(&runnable);
        }
        if (Runnable* popped = shared->ring.pop()) {
          shared->take(popped);
        }
      }
    });
    for (std::size_t thief = 0; thief < thieves; ++thief) {
      made.thread("thief " + std::to_string(thief), [shared, thief] {
        auto& own = shared->stolen[thief];
        (void)shared->ring.steal_into(own, 1);
        while (Runnable* popped = own.pop()) {
          shared->take(popped);
        }
      });
    }
    made.at_end([shared, pushes] {
      while (Runnable* left = shared->ring.pop()) {
        shared->take(left);
      }
      for (int i = 0; i < 2 + pushes; ++i) {
        Explorer::expect(shared->runnables[static_cast<std::size_t>(i)].taken == 1,
                         "a runnable was not taken exactly once");
      }
    });
  });
}

TEST(RunRingModel, GivesEachRunnableToExactlyOneTakerInEverySchedule) {
  for (const auto& [thieves, pushes] : {std::pair{1U, 4}, std::pair{2U, 1}}) {
    const auto result = explore<ModelAtomics>(thieves, pushes);
    EXPECT_EQ(result.failure, "") << result.trace;
    EXPECT_TRUE(result.is_complete);
  }
}

TEST(RunRingModel, FindsACompareAndSwapThatIsNone) {
  const auto result = explore<TornAtomics>(1, 1);
  EXPECT_EQ(result.failure, "a runnable was not taken exactly once");
}

}  // namespace
}  // namespace troupe::actors
