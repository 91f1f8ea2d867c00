#include "actors/run_ring.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

struct Counted final : Runnable {
  After run(Turn) override { return After::idle; }
  int taken = 0;  // plain on purpose: ThreadSanitizer sees a taker that is not alone
};

TEST(RunRing, GivesBackInOrderAndRefusesWhenFull) {
  RunRing ring;
  std::vector<Counted> runnables(RunRing::capacity + 1);
  EXPECT_EQ(ring.pop(), nullptr);
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < RunRing::capacity; ++i) {
      EXPECT_TRUE(ring.push(runnables[i]));
    }
    EXPECT_FALSE(ring.push(runnables.back()));
    EXPECT_EQ(ring.size(), RunRing::capacity);
    for (std::uint32_t i = 0; i < RunRing::capacity; ++i) {
      EXPECT_EQ(ring.pop(), &runnables[i]);
    }
    EXPECT_EQ(ring.pop(), nullptr);
  }
}

TEST(RunRing, IsStolenByTheOlderHalf) {
  const struct {
    std::uint32_t size;
    std::uint32_t runnables_min;
    std::uint32_t stolen;
  } table[] = {{0, 1, 0}, {1, 1, 1}, {2, 1, 1}, {3, 1, 2}, {3, 4, 0}, {4, 4, 2}, {256, 4, 128}};
  std::vector<Counted> runnables(RunRing::capacity);
  for (const auto& row : table) {
    RunRing ring;
    RunRing thief;
    for (std::uint32_t i = 0; i < row.size; ++i) {
      EXPECT_TRUE(ring.push(runnables[i]));
    }
    EXPECT_EQ(ring.steal_into(thief, row.runnables_min), row.stolen) << row.size;
    EXPECT_EQ(thief.size(), row.stolen);
    for (std::uint32_t i = 0; i < row.size; ++i) {
      EXPECT_EQ((i < row.stolen ? thief : ring).pop(), &runnables[i]);
    }
  }
}

TEST(RunRing, GivesEachRunnableToExactlyOneTakerUnderStealing) {
  constexpr int rounds = 20'000;
  constexpr int thieves_count = 2;
  RunRing ring;
  std::vector<Counted> runnables(200);
  std::vector<std::atomic<bool>> is_out(runnables.size());
  std::atomic<bool> is_over{false};
  std::atomic<long> taken_count{0};
  const auto take = [&](Runnable& runnable) {
    auto& counted = static_cast<Counted&>(runnable);
    ++counted.taken;
    taken_count.fetch_add(1, std::memory_order_relaxed);
    is_out[static_cast<std::size_t>(&counted - runnables.data())].store(false,
                                                                        std::memory_order_release);
  };
  std::vector<std::thread> thieves;
  for (int i = 0; i < thieves_count; ++i) {
    thieves.emplace_back([&] {
      RunRing own;
      while (!is_over.load(std::memory_order_acquire)) {
        if (ring.steal_into(own, 1) == 0) {
          std::this_thread::yield();
        }
        while (Runnable* runnable = own.pop()) {
          take(*runnable);
        }
      }
    });
  }
  long pushed = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto chosen = static_cast<std::size_t>(round) % runnables.size();
    if (!is_out[chosen].load(std::memory_order_acquire)) {
      is_out[chosen].store(true, std::memory_order_relaxed);
      ASSERT_TRUE(ring.push(runnables[chosen]));
      ++pushed;
    }
    if (round % 3 == 0) {
      if (Runnable* runnable = ring.pop()) {
        take(*runnable);
      }
    }
  }
  while (Runnable* runnable = ring.pop()) {
    take(*runnable);
  }
  is_over.store(true, std::memory_order_release);
  for (auto& thief : thieves) {
    thief.join();
  }
  EXPECT_EQ(taken_count.load(), pushed);
  long counted = 0;
  for (const auto& runnable : runnables) {
    counted += runnable.taken;
  }
  EXPECT_EQ(counted, pushed);
}

}  // namespace
}  // namespace troupe::actors
