#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <thread>

#include "actors/run_ring.hpp"
#include "actors/run_slot.hpp"
#include "actors/scheduler.hpp"
#include "actors/worker_pool.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// One thread of a WorkerPool with what waits for it. What is atomic may be looked at by anyone,
/// and runnables stolen by anyone; all else belongs to the thread, or as each place says.
struct WorkerPool::Worker {
  /// Every so many turns the shared queue and the overflow go before the ring.
  static constexpr std::uint32_t shared_turn_interval = 16;
  /// So many turns are timed together.
  static constexpr std::uint32_t turns_a_measure = 256;

  explicit Worker(std::uint32_t its_index) : index(its_index) {}

  const std::uint32_t index;
  RunRing ring;
  alignas(64) RunSlot run_next;
  /// Written by the owner alone.
  std::atomic<std::uint64_t> turns{0};
  std::atomic<const Runnable*> running{nullptr};
  /// The number of the last turn that a patrol found the same as the one before.
  std::atomic<std::uint64_t> long_turn{~std::uint64_t{0}};
  std::uint32_t run_next_in_a_row = 0;
  std::uint32_t turns_until_shared = shared_turn_interval;
  /// Runnables waiting here that are worth another worker; written by the owner alone.
  std::atomic<std::uint32_t> backlog_needed{1};
  std::uint32_t turns_until_measured = turns_a_measure;
  base::TimePoint measured_at{};
  /// When and at which turn it last stole; time_never: that is settled.
  base::TimePoint stole_at = base::time_never;
  std::uint64_t stole_at_turn = 0;

  /// What the ring had no room for, and those who want another turn while there is such. Only the
  /// owner adds; the size is written under the mutex.
  alignas(64) base::Mutex overflow_mutex;
  RunnableList overflow TROUPE_GUARDED_BY(overflow_mutex);
  std::atomic<std::uint32_t> overflow_size{0};

  /// Guarded by the pool's mutex: it was taken from parked_ in order to search.
  bool is_woken = false;
  std::condition_variable_any wake;
  std::thread thread;

  /// What the patrol saw last time; belongs to whoever patrols, handed over under the mutex.
  std::uint64_t patrolled_turns = 0;
  std::uint32_t patrolled_backlog = 0;
  bool patrolled_waiting = false;

  [[nodiscard]] std::uint32_t backlog() const {
    return ring.size() + overflow_size.load(std::memory_order_relaxed);
  }
  [[nodiscard]] Runnable* pop_overflow() {
    if (overflow_size.load(std::memory_order_relaxed) == 0) {
      return nullptr;
    }
    base::MutexLock lock{overflow_mutex};
    Runnable* oldest = overflow.first;
    if (oldest != nullptr) {
      overflow.pop();
      overflow_size.fetch_sub(1, std::memory_order_relaxed);
    }
    return oldest;
  }
  /// Moves some of the overflow into a ring that is the caller's own and empty.
  void move_overflow_into(RunRing& to, std::uint32_t count_max) {
    base::MutexLock lock{overflow_mutex};
    std::uint32_t size = overflow_size.load(std::memory_order_relaxed);
    for (; count_max != 0 && size != 0 && to.push(*overflow.first); --count_max, --size) {
      overflow.pop();
    }
    overflow_size.store(size, std::memory_order_relaxed);
  }
  /// Moves half of what waits here, as far as a ring holds it, into the caller's own empty ring.
  /// Null: there were fewer than `runnables_min`, or others were faster.
  Runnable* steal_into(RunRing& to, std::uint32_t runnables_min) {
    const std::uint32_t overflowing = overflow_size.load(std::memory_order_relaxed);
    if (ring.size() + overflowing < runnables_min) {
      return nullptr;
    }
    if (ring.steal_into(to, overflowing != 0 ? 1 : runnables_min) == 0 && overflowing != 0) {
      move_overflow_into(to, std::min((overflowing + 1) / 2, RunRing::capacity / 2));
    }
    return to.pop();
  }
};

}  // namespace troupe::actors
