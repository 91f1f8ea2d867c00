#include "actors/run_slot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

struct Counted final : Runnable {
  After run(Turn) override { return After::idle; }
  int taken = 0;  // plain on purpose: ThreadSanitizer sees a taker that is not alone
  std::atomic<bool> is_out{false};
};

TEST(RunSlot, GivesWhatWasPutToOwnerOrRobber) {
  RunSlot slot;
  Counted runnable;
  EXPECT_EQ(slot.take(), nullptr);
  EXPECT_EQ(slot.rob(), nullptr);
  slot.put(runnable);
  EXPECT_TRUE(slot.has_any());
  EXPECT_EQ(slot.take(), &runnable);
  slot.put(runnable);
  EXPECT_EQ(slot.rob(), &runnable);
  EXPECT_TRUE(slot.is_empty());
}

TEST(RunSlot, GivesEachRunnableToExactlyOneTakerUnderRobbing) {
  constexpr int rounds = 20'000;
  RunSlot slot;
  std::vector<Counted> runnables(8);
  std::atomic<bool> is_over{false};
  std::atomic<int> taken_count{0};
  const auto take = [&](Runnable* runnable) {
    if (runnable != nullptr) {
      auto& counted = static_cast<Counted&>(*runnable);
      ++counted.taken;
      taken_count.fetch_add(1, std::memory_order_relaxed);
      counted.is_out.store(false, std::memory_order_release);
    }
  };
  std::thread robber{[&] {
    while (!is_over.load(std::memory_order_acquire)) {
      take(slot.rob());
      std::this_thread::yield();
    }
  }};
  int put_count = 0;
  for (int round = 0; round < rounds; ++round) {
    Counted& chosen = runnables[static_cast<std::size_t>(round) % runnables.size()];
    if (slot.is_empty() && !chosen.is_out.load(std::memory_order_acquire)) {
      chosen.is_out.store(true, std::memory_order_relaxed);
      slot.put(chosen);
      ++put_count;
    }
    if (round % 4 != 0) {
      take(slot.take());
    } else if (round % 128 == 0) {
      // So that the robber has his turn, whatever the machine does.
      while (!slot.is_empty()) {
        std::this_thread::yield();
      }
    }
  }
  is_over.store(true, std::memory_order_release);
  robber.join();
  take(slot.take());
  EXPECT_EQ(taken_count.load(), put_count);
  int counted = 0;
  for (const Counted& runnable : runnables) {
    counted += runnable.taken;
  }
  EXPECT_EQ(counted, put_count);
}

}  // namespace
}  // namespace troupe::actors
