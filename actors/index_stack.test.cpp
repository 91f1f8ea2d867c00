#include "actors/index_stack.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::actors {
namespace {

struct Place {
  std::atomic<std::uint32_t> next{0};
  int uses = 0;  // plain on purpose: ThreadSanitizer sees an owner that is not alone
};

TEST(IndexStack, GivesBackTheLastPlaceFirst) {
  std::vector<Place> places(3);
  const auto next_of = [&](std::uint32_t index) -> auto& {
    return places[index].next;
  };
  IndexStack free;
  EXPECT_EQ(free.pop(next_of), IndexStack::none);
  for (const std::uint32_t index : {0U, 1U, 2U}) {
    free.push(index, next_of);
  }
  for (const std::uint32_t index : {2U, 1U, 0U, IndexStack::none}) {
    EXPECT_EQ(free.pop(next_of), index);
  }
}

TEST(IndexStack, GivesEachPlaceToOneThreadAtATime) {
  constexpr int rounds = 20'000;
  constexpr int threads_count = 3;
  // Fewer than the threads take together: each sees the stack empty now and then.
  std::vector<Place> places(2 * threads_count - 1);
  const auto next_of = [&](std::uint32_t index) -> auto& {
    return places[index].next;
  };
  IndexStack free;
  for (std::uint32_t index = 0; index < places.size(); ++index) {
    free.push(index, next_of);
  }
  std::atomic<int> uses{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_count; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        // The first is given back first: what is below the top has changed then.
        const std::uint32_t taken[] = {free.pop(next_of), free.pop(next_of)};
        for (const std::uint32_t index : taken) {
          if (index != IndexStack::none) {
            ++places[index].uses;
            uses.fetch_add(1, std::memory_order_relaxed);
            free.push(index, next_of);
          }
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  int counted = 0;
  for (std::size_t left = 0; left < places.size(); ++left) {
    const std::uint32_t index = free.pop(next_of);
    ASSERT_NE(index, IndexStack::none);
    counted += std::exchange(places[index].uses, 0);
  }
  EXPECT_EQ(free.pop(next_of), IndexStack::none);
  EXPECT_EQ(counted, uses.load());
}

}  // namespace
}  // namespace troupe::actors
