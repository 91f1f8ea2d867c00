#pragma once

#include <cstdint>

#include "actors/atomics.hpp"

namespace troupe::actors {

/// The free places of a table that only grows: a stack of numbers, linked through the table itself.
///
/// Thread-safe and lock-free (Treiber, IBM RJ 5118, 1986). Owns nothing: each operation is given
/// how to find a place's link, `next_of(index)`, an atomic number that is the stack's while the
/// place is free. Invariants:
///  1. head_ is a place's number plus one, or 0 for none, and above it a count of the changes, so
///     that a place that was taken and given back meanwhile is not mistaken for an unchanged stack.
///  2. A place's link may be read after the place was taken, but is then not used. So places may
///     never be freed while the stack lives.
template <class Atomics = StdAtomics>
class BasicIndexStack {
 public:
  static constexpr std::uint32_t none = 0xFFFFFFFFU;

  template <class NextOf>
  void push(std::uint32_t index, NextOf&& next_of) {
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    do {
      next_of(index).store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
      // The release pairs with the acquire in pop().
    } while (!head_.compare_exchange_weak(head, changed(head, index + 1),
                                          std::memory_order_release, std::memory_order_relaxed));
  }

  /// The place that was pushed last, or `none`.
  template <class NextOf>
  [[nodiscard]] std::uint32_t pop(NextOf&& next_of) {
    std::uint64_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      const auto first = static_cast<std::uint32_t>(head);
      if (first == 0) {
        return none;
      }
      const std::uint32_t next = next_of(first - 1).load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, changed(head, next), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return first - 1;
      }
    }
  }

 private:
  static constexpr std::uint64_t changed(std::uint64_t head, std::uint32_t first) {
    return (((head >> 32U) + 1) << 32U) | first;
  }

  typename Atomics::template Atomic<std::uint64_t> head_{0};
};

using IndexStack = BasicIndexStack<>;

}  // namespace troupe::actors
