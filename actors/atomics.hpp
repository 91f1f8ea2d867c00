#pragma once

#include <atomic>

namespace troupe::actors {

/// Where lock-free parts take their atomics from: the machine's. Tests give them others, which hand
/// the processor over before each operation, to drive every interleaving of small cases.
struct StdAtomics {
  template <class T>
  using Atomic = std::atomic<T>;

  /// A full fence between two threads of which one pays for both: the other only keeps the compiler
  /// from reordering. By Linux's membarrier(2); without it, has_heavy_fence() is false.
  static void light_fence() { std::atomic_signal_fence(std::memory_order_seq_cst); }
  static void heavy_fence();
  [[nodiscard]] static bool has_heavy_fence();
};

/// A pointer to what lives for ever, that one thread at a time sets and any may look at.
template <class T>
class WatchedPointer {
 public:
  WatchedPointer() = default;
  WatchedPointer& operator=(T* pointer) {
    pointer_.store(pointer, std::memory_order_relaxed);
    return *this;
  }
  operator T*() const { return pointer_.load(std::memory_order_relaxed); }
  T* operator->() const { return pointer_.load(std::memory_order_relaxed); }
  T& operator*() const { return *pointer_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T*> pointer_{nullptr};
};

}  // namespace troupe::actors
