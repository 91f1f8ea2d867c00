#pragma once

#include "actors/atomics.hpp"
#include "actors/scheduler.hpp"

namespace troupe::actors {

/// A worker's place for the runnable that runs next: its owner needs no locked instruction.
///
/// put(), take() and is_empty() belong to the owning worker; has_any() to anyone; rob() to anyone,
/// one at a time. Owns no runnable.
///
/// Invariants
///   1. Only the owner fills the place, and only when it is empty.
///   2. The owner empties it in two steps only while is_taking_ is set and after is_robbed_ was
///   not;
///      otherwise, as a robber does, by an exchange.
///   3. A robber sets is_robbed_, lets all threads pass a full fence, and empties the place only
///      if is_taking_ is not set then. So either he sees the owner at it, or the owner sees him
///      (Dekker's algorithm, with the fence on one side: Dice, Huang and Yang, "Asymmetric Dekker
///      synchronization", 2001).
///   4. What was written to a runnable before put() is visible to whoever takes it.
template <class Atomics = StdAtomics>
class BasicRunSlot {
  template <class T>
  using Atomic = typename Atomics::template Atomic<T>;

 public:
  [[nodiscard]] bool is_empty() const {
    return runnable_.load(std::memory_order_relaxed) == nullptr;
  }
  [[nodiscard]] bool has_any() const { return !is_empty(); }

  /// Into an empty place.
  void put(Runnable& runnable) {
    // Pairs with the acquire in rob().
    runnable_.store(&runnable, std::memory_order_release);
  }

  /// Null if it is empty.
  [[nodiscard]] Runnable* take() {
    if (is_empty()) {
      return nullptr;
    }
    is_taking_.store(true, std::memory_order_relaxed);
    // Pairs with the fence in rob().
    Atomics::light_fence();
    Runnable* taken = nullptr;
    // Pairs with the release in rob().
    if (is_robbed_.load(std::memory_order_acquire) || !has_heavy_fence_) [[unlikely]] {
      taken = runnable_.exchange(nullptr, std::memory_order_relaxed);
    } else {
      taken = runnable_.load(std::memory_order_relaxed);
      runnable_.store(nullptr, std::memory_order_relaxed);
    }
    // Pairs with the acquire in rob().
    is_taking_.store(false, std::memory_order_release);
    return taken;
  }

  /// Null if it is empty, or the owner is about to run what is in it. Takes about a microsecond.
  [[nodiscard]] Runnable* rob() {
    is_robbed_.store(true, std::memory_order_relaxed);
    if (has_heavy_fence_) {
      Atomics::heavy_fence();
    }
    Runnable* robbed = nullptr;
    if (!has_heavy_fence_ || !is_taking_.load(std::memory_order_acquire)) {
      robbed = runnable_.exchange(nullptr, std::memory_order_acquire);
    }
    is_robbed_.store(false, std::memory_order_release);
    return robbed;
  }

 private:
  Atomic<Runnable*> runnable_{nullptr};
  Atomic<bool> is_taking_{false};
  Atomic<bool> is_robbed_{false};
  const bool has_heavy_fence_ = Atomics::has_heavy_fence();
};

using RunSlot = BasicRunSlot<>;

}  // namespace troupe::actors
