#include "actors/run_slot.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "actors/testing/explorer.hpp"

namespace troupe::actors {
namespace {

using testing::Explorer;
using testing::ModelAtomic;
using testing::ModelAtomics;
using testing::TornAtomics;

struct Counted final : Runnable {
  After run(Turn) override { return After::idle; }
  int taken = 0;
};

/// On machines without the fence both sides exchange.
struct FencelessAtomics : ModelAtomics {
  static bool has_heavy_fence() { return false; }
};
struct TornFencelessAtomics : TornAtomics {
  static bool has_heavy_fence() { return false; }
};

/// The owner puts and takes, one after another, while a robber comes again and again.
template <class Atomics>
Explorer::Result explore() {
  struct Shared {
    BasicRunSlot<Atomics> slot;
    std::array<Counted, 3> runnables;
    void take(Runnable* runnable) {
      if (runnable != nullptr) {
        ++static_cast<Counted*>(runnable)->taken;
      }
    }
  };
  return Explorer{}.explore([=](Explorer::Case& made) {
    const auto shared = std::make_shared<Shared>();
    made.thread("owner", [shared] {
      for (Counted& runnable : shared->runnables) {
        if (shared->slot.is_empty()) {
          shared->slot.put(runnable);
        } else {
          shared->take(&runnable);
        }
        shared->take(shared->slot.take());
      }
    });
    made.thread("robber", [shared] {
      for (int i = 0; i < 2; ++i) {
        shared->take(shared->slot.rob());
      }
    });
    made.at_end([shared] {
      shared->take(shared->slot.take());
      for (const Counted& runnable : shared->runnables) {
        Explorer::expect(runnable.taken == 1, "a runnable was not taken exactly once");
      }
    });
  });
}

TEST(RunSlotModel, GivesEachRunnableToExactlyOneTakerInEverySchedule) {
  for (const auto& result : {explore<ModelAtomics>(), explore<FencelessAtomics>()}) {
    EXPECT_EQ(result.failure, "") << result.trace;
    EXPECT_TRUE(result.is_complete) << result.schedules;
  }
}

TEST(RunSlotModel, FindsAnExchangeThatIsNone) {
  EXPECT_NE(explore<TornFencelessAtomics>().failure, "");
}

}  // namespace
}  // namespace troupe::actors
