#include "actors/thread_number.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

std::uint32_t number_of_new_thread() {
  std::uint32_t number = 0;
  std::thread{[&] { number = thread_number(); }}.join();
  return number;
}

TEST(ThreadNumber, IsHandedBackWhenItsThreadEnds) {
  const std::uint32_t own = thread_number();
  for (std::uint32_t i = 0; i < 4 * thread_numbers_max; ++i) {
    const std::uint32_t number = number_of_new_thread();
    EXPECT_NE(number, 0U);
    EXPECT_NE(number, own);
  }
  EXPECT_EQ(thread_number(), own);
}

TEST(ThreadNumber, BelongsToOneThreadAtATimeAndToNoneBeyondTheLast) {
  const std::uint32_t count = 2 * thread_numbers_max;
  std::vector<std::uint32_t> numbers(count);
  std::latch all{count};
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t& number : numbers) {
      threads.emplace_back([&all, &number] {
        number = thread_number();
        all.arrive_and_wait();
      });
    }
  }
  std::multiset<std::uint32_t> seen{numbers.begin(), numbers.end()};
  EXPECT_GE(seen.count(0), count - thread_numbers_max);
  for (std::uint32_t number = 1; number <= thread_numbers_max; ++number) {
    EXPECT_LE(seen.count(number), 1U) << number;
  }
  EXPECT_NE(number_of_new_thread(), 0U);
}

}  // namespace
}  // namespace troupe::actors
