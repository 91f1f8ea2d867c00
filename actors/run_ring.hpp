#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "actors/atomics.hpp"
#include "actors/scheduler.hpp"

namespace troupe::actors {

/// A worker's queue of runnables: lock-free, first in, first out, with stealing by half.
///
/// push(), pop() and the target of steal_into() belong to the owning worker; steal_into(), take()
/// and size() to anyone. Holds at most `capacity`; a full ring refuses. Owns no runnable.
///
/// Invariants
///   1. head_ <= tail_ <= head_ + capacity, counted modulo 2^32. Only the owner writes tail_ and
///      the places; head_ moves forwards by compare-and-swap only.
///   2. The places [head_, tail_) hold the queued runnables. Whoever moves head_ from h to h + n
///      has taken exactly those of [h, h + n), which he read before.
///   3. A place is written again only after the owner saw head_ beyond it, so after its taker
///      read it.
///   4. What was written to a runnable before its push is visible to whoever takes it.
template <class Atomics = StdAtomics, std::uint32_t capacity_runnables = 256>
class BasicRunRing {
  template <class T>
  using Atomic = typename Atomics::template Atomic<T>;

 public:
  static constexpr std::uint32_t capacity = capacity_runnables;

  [[nodiscard]] bool push(Runnable& runnable) {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    // Pairs with the release of head_ in pop() and take(): invariant 3.
    const std::uint32_t head = head_.load(std::memory_order_acquire);
    if (tail - head >= capacity) {
      return false;
    }
    place(tail).store(&runnable, std::memory_order_relaxed);
    // Pairs with the acquire of tail_ in take(): invariant 4.
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Null if the ring is empty.
  [[nodiscard]] Runnable* pop() {
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    while (head != tail) {
      Runnable* runnable = place(head).load(std::memory_order_relaxed);
      // The release pairs with the acquire in push().
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return runnable;
      }
    }
    return nullptr;
  }

  /// Moves half of this ring, rounded up, if it holds at least `runnables_min` (1 or more), into
  /// `to`, which is the caller's own and empty. Returns how many; 0 also if others were faster.
  std::uint32_t steal_into(BasicRunRing& to, std::uint32_t runnables_min) {
    std::array<Runnable*, capacity / 2> taken;
    const std::uint32_t count = take(taken, runnables_min);
    const std::uint32_t tail = to.tail_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < count; ++i) {
      to.place(tail + i).store(taken[i], std::memory_order_relaxed);
    }
    to.tail_.store(tail + count, std::memory_order_release);
    return count;
  }

  /// Takes half of the ring, rounded up, if it holds at least `runnables_min`; returns how many.
  std::uint32_t take(std::array<Runnable*, capacity / 2>& taken, std::uint32_t runnables_min) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      // Pairs with the releases of head_: places below it are not read.
      std::uint32_t head = head_.load(std::memory_order_acquire);
      // Pairs with the release in push().
      const std::uint32_t size = tail_.load(std::memory_order_acquire) - head;
      // More than capacity: head_ has moved on since it was read.
      if (size < runnables_min || size == 0 || size > capacity) {
        return 0;
      }
      const std::uint32_t count = size - size / 2;
      for (std::uint32_t i = 0; i < count; ++i) {
        taken[i] = place(head + i).load(std::memory_order_relaxed);
      }
      // The release pairs with the acquire in push(): the places were read before.
      if (head_.compare_exchange_strong(head, head + count, std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
        return count;
      }
    }
    return 0;
  }

  /// A moment's view, exact for the owner while nobody steals.
  [[nodiscard]] std::uint32_t size() const {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    const std::uint32_t size = tail_.load(std::memory_order_relaxed) - head;
    return size > capacity ? 0 : size;
  }

 private:
  Atomic<Runnable*>& place(std::uint32_t index) { return places_[index % capacity]; }

  alignas(64) Atomic<std::uint32_t> head_{0};
  alignas(64) Atomic<std::uint32_t> tail_{0};
  std::array<Atomic<Runnable*>, capacity> places_{};
};

using RunRing = BasicRunRing<>;

}  // namespace troupe::actors
