#include "actors/block_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

TEST(BlockPool, GivesBackTheBlockThatWasFreedLast) {
  void* first = block_pool::take(1);
  block_pool::give(first, 1);
  EXPECT_EQ(block_pool::take(1), first);
  block_pool::give(first, 1);
  block_pool::empty_thread_bins();
}

TEST(BlockPool, KeepsEverySizeApart) {
  EXPECT_EQ(block_pool::class_of(1), 0U);
  EXPECT_EQ(block_pool::class_of(64), 0U);
  EXPECT_EQ(block_pool::class_of(65), 1U);
  EXPECT_EQ(block_pool::class_of(block_pool::pooled_bytes_max), block_pool::classes - 1);
  EXPECT_EQ(block_pool::class_of(block_pool::pooled_bytes_max + 1), block_pool::classes);
}

TEST(BlockPool, PassesMagazinesFromTheThreadThatFreesToTheOneThatTakes) {
  constexpr int blocks_count = 1000;
  std::vector<void*> blocks;
  for (int i = 0; i < blocks_count; ++i) {
    blocks.push_back(block_pool::take(2));
    *static_cast<int*>(blocks.back()) = i;
  }
  std::thread other{[&] {
    for (int i = 0; i < blocks_count; ++i) {
      EXPECT_EQ(*static_cast<int*>(blocks[static_cast<std::size_t>(i)]), i);
      block_pool::give(blocks[static_cast<std::size_t>(i)], 2);
    }
  }};
  other.join();
  int known = 0;
  std::vector<void*> again;
  for (int i = 0; i < blocks_count; ++i) {
    again.push_back(block_pool::take(2));
    known += std::count(blocks.begin(), blocks.end(), again.back()) != 0 ? 1 : 0;
  }
  EXPECT_GE(known, blocks_count - static_cast<int>(2 * block_pool::magazine_blocks));
  for (void* block : again) {
    block_pool::give(block, 2);
  }
  block_pool::empty_thread_bins();
}

TEST(BlockPool, AlignsBlocksToCacheLines) {
  void* small = block_pool::take(0);
  void* large = block_pool::take(block_pool::classes - 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(small) % block_pool::class_bytes, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large) % block_pool::class_bytes, 0U);
  block_pool::give(small, 0);
  block_pool::give(large, block_pool::classes - 1);
  block_pool::empty_thread_bins();
}

/// In the order in which they were taken or, `stride` blocks apart, in another.
void give_all(const std::vector<void*>& blocks, std::size_t size_class, std::size_t stride) {
  for (std::size_t start = 0; start < stride; ++start) {
    for (std::size_t at = start; at < blocks.size(); at += stride) {
      block_pool::give(blocks[at], size_class);
    }
  }
  block_pool::empty_thread_bins();
}

TEST(BlockPool, ReturnsAPeaksMemoryToTheSystem) {
  constexpr std::size_t size_class = 4;
  constexpr std::size_t block_bytes = (size_class + 1) * block_pool::class_bytes;
  constexpr std::size_t peak = 2 * block_pool::depot_bytes_max;
  const std::size_t before = block_pool::held_bytes();
  for (const std::size_t stride : {1, 7, 1000}) {
    std::vector<void*> blocks;
    for (std::size_t bytes = 0; bytes < peak; bytes += block_bytes) {
      blocks.push_back(block_pool::take(size_class));
    }
    EXPECT_GE(block_pool::held_bytes() - before, peak);
    EXPECT_LT(block_pool::held_bytes() - before, peak + peak / 4 + block_pool::depot_bytes_max);
    give_all(blocks, size_class, stride);
    if (stride == 1) {
      EXPECT_LT(block_pool::held_bytes() - before, block_pool::depot_bytes_max * 5 / 4);
    }
  }
}

TEST(BlockPool, ServesSeveralThreadsThatFreeEachOthersBlocks) {
  constexpr int rounds = 2000;
  std::vector<std::atomic<void*>> shelf(64);
  const auto work = [&](unsigned seed) {
    unsigned state = seed;
    for (int i = 0; i < rounds; ++i) {
      state = state * 1'664'525U + 1'013'904'223U;
      auto* block = static_cast<unsigned*>(block_pool::take(0));
      *block = state;
      void* before = shelf[state >> 26U].exchange(block, std::memory_order_acq_rel);
      if (before != nullptr) {
        *static_cast<unsigned*>(before) = 0;
        block_pool::give(before, 0);
      }
    }
  };
  std::thread first{work, 1U};
  std::thread second{work, 2U};
  first.join();
  second.join();
  for (auto& place : shelf) {
    if (void* block = place.load()) {
      block_pool::give(block, 0);
    }
  }
  block_pool::empty_thread_bins();
}

}  // namespace
}  // namespace troupe::actors
