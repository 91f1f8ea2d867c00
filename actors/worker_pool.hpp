#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "actors/run_ring.hpp"
#include "actors/run_slot.hpp"
#include "actors/scheduler.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

struct WorkerPoolOptions {
  /// Threads. 0: one a core. At most workers_max.
  std::uint32_t workers = 0;
  static constexpr std::uint32_t workers_max = 1024;
  /// What one turn may do: more is faster for floods, fewer is fairer to the others.
  Turn turn{};
  /// Runnables in a worker's ring from which on it wakes another worker. Waking costs 10 µs, and a
  /// pair that talks is slower on two workers than on one: lower spreads work sooner, higher keeps
  /// more of it together.
  std::uint32_t backlog_min = 8;
  /// And the time that they take, by the worker's last turns: a shorter backlog is done before
  /// another worker is awake, and actors that exchange small messages are slower on two cores.
  base::Duration backlog_time_min = std::chrono::microseconds{16};
  /// Looks around before an idle worker parks, some 40 ns each; none on a machine of one core. More
  /// saves wake-ups, and takes a core from others where cores are scarce.
  std::uint32_t spins_max = 100;
  /// How often one parked worker looks whether another, busy one keeps work waiting behind long
  /// turns, so that even two runnables get two cores. Off while the pool is idle.
  base::Duration patrol_interval = std::chrono::milliseconds{1};
};

/// The scheduler of a real node: threads that run what is runnable.
///
/// Thread-safe; start() and stop() belong to its owner's thread. Owns its threads, not the
/// runnables: a runnable may be destroyed as soon as its run() has returned idle. A runnable made
/// runnable by a worker's turn stays on that worker: the first one runs next, the others follow in
/// order. Other workers steal from workers with long turns, and at intervals from those that have
/// much to do for long. Queues are not bounded here: each runnable is in them at most once, and
/// what no ring has room for is linked through the runnables.
class WorkerPool final : public Scheduler {
 public:
  static constexpr std::uint32_t no_worker = std::numeric_limits<std::uint32_t>::max();

  explicit WorkerPool(WorkerPoolOptions options = {});
  /// Calls stop().
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Starts the threads; once. What was scheduled before runs now.
  void start();

  /// Lets each worker end its turn, and joins. Not from a worker. What is still queued never runs.
  void stop() override;

  void schedule(Runnable& runnable) override;

  [[nodiscard]] std::uint32_t workers() const { return static_cast<std::uint32_t>(all_.size()); }

  /// What a worker runs, and which of its turns that is; null while it has nothing to do. A
  /// moment's view, for whoever compares two of them. The runnable may be gone: only its address is
  /// told.
  struct CurrentTurn {
    std::uint64_t number = 0;
    const Runnable* runnable = nullptr;
    bool operator==(const CurrentTurn&) const = default;
  };
  [[nodiscard]] CurrentTurn current_turn(std::uint32_t worker) const;

  /// The number, from 0, of the worker that this thread is, of whichever pool; else no_worker.
  [[nodiscard]] static std::uint32_t current_worker();

 private:
  struct Worker;

  void work(Worker& me);
  Runnable* next_local(Worker& me);
  void measure_turns(Worker& me);
  void push_local(Worker& me, Runnable& runnable);
  void push_overflowing(Worker& me, Runnable& runnable);
  Runnable* wait_for_work(Worker& me);
  [[nodiscard]] bool may_steal_from(const Worker& victim) const;
  Runnable* steal(Worker& me, Worker& victim, std::uint32_t runnables_min);
  void judge_theft(Worker& me);
  Runnable* search(Worker& me);
  Runnable* park(Worker& me) TROUPE_REQUIRES(mutex_);
  Runnable* patrol(Worker& me);
  void wake_for_backlog();
  void resume_patrols();

  Runnable* take_shared(Worker& me, std::uint32_t count_max) TROUPE_REQUIRES(mutex_);
  void push_shared(Runnable& runnable) TROUPE_REQUIRES(mutex_);
  Worker* choose_to_wake() TROUPE_REQUIRES(mutex_);
  void end_search(Worker& me) TROUPE_REQUIRES(mutex_);
  void unpark(Worker& worker) TROUPE_REQUIRES(mutex_);
  void update_hints() TROUPE_REQUIRES(mutex_);

  const WorkerPoolOptions options_;
  const base::SteadyClock clock_;
  std::vector<std::unique_ptr<Worker>> all_;

  base::Mutex mutex_;
  RunnableList shared_ TROUPE_GUARDED_BY(mutex_);
  /// In the order of parking: the first is the one that patrols, the last is woken first.
  std::vector<Worker*> parked_ TROUPE_GUARDED_BY(mutex_);
  /// The only worker that looks for work, or was woken to.
  Worker* searcher_ TROUPE_GUARDED_BY(mutex_) = nullptr;
  Worker* patroller_ TROUPE_GUARDED_BY(mutex_) = nullptr;
  /// In a row, with nobody at work.
  std::uint32_t quiet_patrols_ TROUPE_GUARDED_BY(mutex_) = 0;
  bool is_started_ TROUPE_GUARDED_BY(mutex_) = false;

  // Read by workers without the mutex, written under it, and rarely.
  alignas(64) std::atomic<std::uint32_t> shared_size_{0};
  std::atomic<bool> is_stopping_{false};
  std::atomic<bool> can_wake_{false};
  std::atomic<bool> is_patrolled_{true};
  /// By the last theft; while not, only patrols steal, and others from turns that patrols found
  /// long.
  std::atomic<bool> is_stealing_worth_it_{true};
};

}  // namespace troupe::actors
