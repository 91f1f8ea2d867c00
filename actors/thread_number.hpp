#pragma once

#include <cstdint>

namespace troupe::actors {

/// How many threads have a number at a time.
inline constexpr std::uint32_t thread_numbers_max = 31;

namespace detail {

/// 0: not asked for yet. From thread_numbers_max + 1 on: it has none.
inline constinit thread_local std::uint32_t own_thread_number = 0;

/// Gives this thread a number until it ends.
std::uint32_t take_thread_number();

}  // namespace detail

/// Of this thread, from 1; nobody else has it while the thread lives, and what its last owner wrote
/// is seen by the next. 0 for a thread that found all numbers taken, for all its life. So what is
/// kept by number needs neither a lock nor an atomic addition, except for 0.
[[nodiscard]] inline std::uint32_t thread_number() {
  std::uint32_t number = detail::own_thread_number;
  if (number == 0) [[unlikely]] {
    number = detail::take_thread_number();
  }
  return number <= thread_numbers_max ? number : 0;
}

}  // namespace troupe::actors
