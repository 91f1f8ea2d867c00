#include "actors/worker_pool.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "actors/detail/worker.hpp"
#include "base/check.hpp"

// Invariants
//   1. A runnable that is to run is in exactly one place: one worker's run_next, ring or overflow,
//      or the shared queue. It is taken from there by exactly one worker, which then runs it.
//   2. What is in the shared queue is never forgotten: a worker parks only under mutex_ and with
//      the shared queue empty, and whoever adds to it, under mutex_, wakes a worker unless one
//      searches. A search ends under mutex_: with a look at the shared queue, and waking the next
//      worker if it is not empty.
//   3. What is in a ring, an overflow or in run_next is never forgotten, because its own worker
//      parks only with all of them empty, and nobody else adds to them. Waking others for it is an
//      optimisation: the hints that decide on it (can_wake_, is_patrolled_) may be stale.
//   4. At most one worker searches or is being woken (searcher_).
//   5. parked_ has the workers that wait in park(), without the one that is at its patrol
//      (patroller_). Its first one patrols next, at intervals while the pool is busy; is_patrolled_
//      says whether it does. Who makes another worker the first, or sets is_patrolled_, tells it.
//   6. Nothing of a runnable is read or written after its run() returned idle.

namespace troupe::actors {

namespace {

/// So many times in a row run_next goes before the ring.
constexpr std::uint32_t run_next_in_a_row_max = 64;
/// To move a runnable with what it touches to another core costs about as much as so long a turn.
constexpr base::Duration turn_time_worth_stealing = std::chrono::microseconds{2};
/// Turns after a theft that say how long such turns are.
constexpr std::uint64_t stolen_turns_min = 8;
/// Turns an interval of patrol_interval below which turns are long compared with a wake-up.
constexpr std::uint64_t long_turns_max = 32;
/// Patrols of an idle pool until they cease.
constexpr std::uint32_t quiet_patrols_max = 100;

inline void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

WorkerPoolOptions fit_to_machine(WorkerPoolOptions options) {
  const std::uint32_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  options.workers =
      std::clamp(options.workers != 0 ? options.workers : cores, 1U, options.workers_max);
  if (cores == 1) {
    options.spins_max = 0;
  }
  return options;
}

}  // namespace

namespace {

constinit thread_local void* this_pool = nullptr;
constinit thread_local void* this_worker = nullptr;
constinit thread_local std::uint32_t this_index = WorkerPool::no_worker;

}  // namespace

WorkerPool::WorkerPool(WorkerPoolOptions options) : options_(fit_to_machine(options)) {
  for (std::uint32_t i = 0; i < options_.workers; ++i) {
    all_.push_back(std::make_unique<Worker>(i));
    all_.back()->backlog_needed.store(options_.backlog_min, std::memory_order_relaxed);
  }
}

WorkerPool::~WorkerPool() {
  stop();
}

void WorkerPool::start() {
  {
    base::MutexLock lock(mutex_);
    TROUPE_CHECK(!is_started_, "a worker pool starts once");
    is_started_ = true;
  }
  for (const auto& worker : all_) {
    worker->thread = std::thread([this, me = worker.get()] {
      this_pool = this;
      this_worker = me;
      this_index = me->index;
      work(*me);
    });
  }
}

void WorkerPool::stop() {
  TROUPE_CHECK(this_pool != this, "a worker cannot stop its own pool");
  // 1. Nobody parks after this.
  {
    base::MutexLock lock(mutex_);
    is_stopping_.store(true, std::memory_order_relaxed);
  }
  // 2. Those who are parked leave.
  for (const auto& worker : all_) {
    worker->wake.notify_one();
  }
  // 3. The others end their turn, or begin the one for which they have taken a runnable.
  for (const auto& worker : all_) {
    if (worker->thread.joinable()) {
      worker->thread.join();
    }
  }
}

std::uint32_t WorkerPool::current_worker() {
  return this_index;
}

WorkerPool::CurrentTurn WorkerPool::current_turn(std::uint32_t worker) const {
  const Worker& asked = *all_[worker];
  return {asked.turns.load(std::memory_order_relaxed),
          asked.running.load(std::memory_order_relaxed)};
}

void WorkerPool::schedule(Runnable& runnable) {
  if (this_pool == this) {
    Worker& me = *static_cast<Worker*>(this_worker);
    if (me.run_next.is_empty()) {
      me.run_next.put(runnable);
      if (!is_patrolled_.load(std::memory_order_relaxed)) [[unlikely]] {
        resume_patrols();
      }
    } else {
      push_local(me, runnable);
    }
    return;
  }
  Worker* to_wake = nullptr;
  {
    base::MutexLock lock(mutex_);
    push_shared(runnable);
    to_wake = choose_to_wake();
  }
  if (to_wake != nullptr) {
    to_wake->wake.notify_one();
  }
}

void WorkerPool::work(Worker& me) {
  for (;;) {
    Runnable* runnable = next_local(me);
    if (runnable == nullptr) {
      runnable = wait_for_work(me);
      if (runnable == nullptr) {
        return;
      }
    }
    me.turns.store(me.turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (--me.turns_until_measured == 0) [[unlikely]] {
      measure_turns(me);
    }
    me.running.store(runnable, std::memory_order_relaxed);
    if (runnable->run(options_.turn) == Runnable::After::again) {
      me.overflow_size.load(std::memory_order_relaxed) == 0 ? push_local(me, *runnable)
                                                            : push_overflowing(me, *runnable);
    }
    if (is_stopping_.load(std::memory_order_relaxed)) [[unlikely]] {
      return;
    }
  }
}

void WorkerPool::measure_turns(Worker& me) {
  const base::TimePoint now = clock_.now();
  const base::Duration turn =
      std::max((now - me.measured_at) / Worker::turns_a_measure, base::Duration{1});
  me.backlog_needed.store(
      std::max(options_.backlog_min, static_cast<std::uint32_t>(options_.backlog_time_min / turn)),
      std::memory_order_relaxed);
  me.measured_at = now;
  me.turns_until_measured = Worker::turns_a_measure;
}

Runnable* WorkerPool::next_local(Worker& me) {
  if (--me.turns_until_shared == 0) {
    me.turns_until_shared = Worker::shared_turn_interval;
    if (shared_size_.load(std::memory_order_relaxed) != 0) {
      base::MutexLock lock(mutex_);
      if (Runnable* runnable = take_shared(me, 1)) {
        return runnable;
      }
    }
    if (Runnable* runnable = me.pop_overflow()) {
      return runnable;
    }
  }
  if (Runnable* runnable = me.run_next.take()) {
    if (++me.run_next_in_a_row <= run_next_in_a_row_max) {
      return runnable;
    }
    push_local(me, *runnable);
  }
  me.run_next_in_a_row = 0;
  Runnable* runnable = me.ring.pop();
  if (runnable == nullptr && me.overflow_size.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    me.move_overflow_into(me.ring, RunRing::capacity);
    runnable = me.ring.pop();
  }
  return runnable;
}

void WorkerPool::push_local(Worker& me, Runnable& runnable) {
  if (!me.ring.push(runnable)) [[unlikely]] {
    push_overflowing(me, runnable);
  }
  if (can_wake_.load(std::memory_order_relaxed) && may_steal_from(me) &&
      me.backlog() >= me.backlog_needed.load(std::memory_order_relaxed)) {
    wake_for_backlog();
  }
  if (!is_patrolled_.load(std::memory_order_relaxed)) [[unlikely]] {
    resume_patrols();
  }
}

void WorkerPool::push_overflowing(Worker& me, Runnable& runnable) {
  std::array<Runnable*, RunRing::capacity / 2> older;
  const std::uint32_t count = me.ring.take(older, 1);
  base::MutexLock lock{me.overflow_mutex};
  for (std::uint32_t i = 0; i < count; ++i) {
    me.overflow.push(*older[i]);
  }
  me.overflow.push(runnable);
  me.overflow_size.fetch_add(count + 1, std::memory_order_relaxed);
}

// Called with an empty ring and an empty run_next; null once the pool is stopping.
Runnable* WorkerPool::wait_for_work(Worker& me) {
  me.running.store(nullptr, std::memory_order_relaxed);
  if (me.stole_at != base::time_never) {
    judge_theft(me);
  }
  Worker* to_wake = nullptr;
  Runnable* runnable = nullptr;
  {
    base::MutexLock lock(mutex_);
    while (!is_stopping_.load(std::memory_order_relaxed)) {
      runnable = take_shared(me, RunRing::capacity / 2);
      if (runnable != nullptr) {
        break;
      }
      if (searcher_ == nullptr) {
        searcher_ = &me;
        update_hints();
      }
      if (searcher_ == &me) {
        lock.unlock();
        runnable = search(me);
        lock.lock();
        if (runnable != nullptr) {
          break;
        }
        if (shared_.first != nullptr) {
          continue;
        }
      }
      end_search(me);
      runnable = park(me);
      if (runnable != nullptr) {
        break;
      }
    }
    end_search(me);
    if (runnable != nullptr &&
        (shared_.first != nullptr ||
         (may_steal_from(me) &&
          me.backlog() >= me.backlog_needed.load(std::memory_order_relaxed)))) {
      to_wake = choose_to_wake();
    }
  }
  if (to_wake != nullptr) {
    to_wake->wake.notify_one();
  }
  if (runnable != nullptr && me.ring.size() != 0 &&
      !is_patrolled_.load(std::memory_order_relaxed)) {
    resume_patrols();
  }
  return runnable;
}

// Without a patrol: if thefts are worth it, or the worker is in a turn that a patrol found long.
bool WorkerPool::may_steal_from(const Worker& victim) const {
  return is_stealing_worth_it_.load(std::memory_order_relaxed) ||
         victim.long_turn.load(std::memory_order_relaxed) ==
             victim.turns.load(std::memory_order_relaxed);
}

Runnable* WorkerPool::steal(Worker& me, Worker& victim, std::uint32_t runnables_min) {
  Runnable* runnable = victim.steal_into(me.ring, runnables_min);
  const bool is_in_long_turn = victim.long_turn.load(std::memory_order_relaxed) ==
                               victim.turns.load(std::memory_order_relaxed);
  if (runnable != nullptr && !is_in_long_turn) {
    me.stole_at = clock_.now();
    me.stole_at_turn = me.turns.load(std::memory_order_relaxed);
  }
  return runnable;
}

// The last theft, done with: whether its turns were worth it.
void WorkerPool::judge_theft(Worker& me) {
  const base::Duration time = clock_.now() - std::exchange(me.stole_at, base::time_never);
  const std::uint64_t turns = me.turns.load(std::memory_order_relaxed) - me.stole_at_turn;
  if (turns >= stolen_turns_min) {
    is_stealing_worth_it_.store(time / turns >= turn_time_worth_stealing,
                                std::memory_order_relaxed);
  }
}

// Null: nothing found, or something is in the shared queue.
Runnable* WorkerPool::search(Worker& me) {
  for (std::uint32_t spin = 0; spin <= options_.spins_max; ++spin) {
    if (shared_size_.load(std::memory_order_relaxed) != 0 ||
        is_stopping_.load(std::memory_order_relaxed)) {
      return nullptr;
    }
    for (std::uint32_t i = 1; i < workers(); ++i) {
      Worker& victim = *all_[(me.index + i) % workers()];
      if (!may_steal_from(victim)) {
        continue;
      }
      const auto runnables_min =
          std::max(victim.backlog_needed.load(std::memory_order_relaxed) / 2, 1U);
      if (Runnable* runnable = steal(me, victim, runnables_min)) {
        return runnable;
      }
    }
    pause_briefly();
  }
  return nullptr;
}

// Waits until woken to search (null), or returns what a patrol found. Null also if the pool stops,
// or if something came into the shared queue during a patrol.
Runnable* WorkerPool::park(Worker& me) {
  me.is_woken = false;
  parked_.push_back(&me);
  update_hints();
  while (!me.is_woken && !is_stopping_.load(std::memory_order_relaxed)) {
    if (parked_.front() != &me || patroller_ != nullptr ||
        !is_patrolled_.load(std::memory_order_relaxed)) {
      me.wake.wait(mutex_);
      continue;
    }
    if (me.wake.wait_for(mutex_, options_.patrol_interval) == std::cv_status::no_timeout ||
        me.is_woken) {
      continue;
    }
    if (parked_.size() == all_.size()) {
      if (++quiet_patrols_ >= quiet_patrols_max) {
        is_patrolled_.store(false, std::memory_order_relaxed);
      }
      continue;
    }
    quiet_patrols_ = 0;
    unpark(me);
    patroller_ = &me;
    mutex_.unlock();
    Runnable* runnable = patrol(me);
    mutex_.lock();
    patroller_ = nullptr;
    if (runnable != nullptr || shared_.first != nullptr) {
      if (!parked_.empty()) {
        parked_.front()->wake.notify_one();
      }
      return runnable;
    }
    parked_.insert(parked_.begin(), &me);
    update_hints();
  }
  if (!me.is_woken) {
    unpark(me);
  }
  return nullptr;
}

// Takes waiting work from a worker whose turns are long, or that has had much of it since the last
// patrol. A run_next is taken only from a turn that
// has gone on since the last patrol: otherwise it is about to run where it is.
Runnable* WorkerPool::patrol(Worker& me) {
  Runnable* found = nullptr;
  for (std::uint32_t i = 1; i < workers(); ++i) {
    Worker& victim = *all_[(me.index + i) % workers()];
    const std::uint64_t turns = victim.turns.load(std::memory_order_relaxed);
    const std::uint64_t turns_since = turns - victim.patrolled_turns;
    const std::uint32_t backlog = victim.backlog();
    const std::uint32_t backlog_before = victim.patrolled_backlog;
    const bool has_next = victim.run_next.has_any();
    const bool waited = victim.patrolled_waiting;
    victim.patrolled_turns = turns;
    victim.patrolled_waiting = backlog != 0 || has_next;
    victim.patrolled_backlog = backlog;
    if (found != nullptr || !waited) {
      continue;
    }
    if (turns_since > long_turns_max) {
      const std::uint32_t needed = victim.backlog_needed.load(std::memory_order_relaxed);
      if (backlog_before >= needed) {
        found = steal(me, victim, needed);
      }
      continue;
    }
    if (turns_since == 0) {
      victim.long_turn.store(turns, std::memory_order_relaxed);
    }
    found = steal(me, victim, 1);
    if (found == nullptr && has_next && turns_since == 0) {
      found = victim.run_next.rob();
    }
  }
  return found;
}

void WorkerPool::wake_for_backlog() {
  Worker* to_wake = nullptr;
  {
    base::MutexLock lock(mutex_);
    to_wake = choose_to_wake();
  }
  if (to_wake != nullptr) {
    to_wake->wake.notify_one();
  }
}

void WorkerPool::resume_patrols() {
  Worker* next_to_patrol = nullptr;
  {
    base::MutexLock lock(mutex_);
    is_patrolled_.store(true, std::memory_order_relaxed);
    quiet_patrols_ = 0;
    if (!parked_.empty()) {
      next_to_patrol = parked_.front();
    }
  }
  if (next_to_patrol != nullptr) {
    next_to_patrol->wake.notify_one();
  }
}

// Gives up to `count_max` of the shared queue to this worker, a fair part of it, and returns the
// first; the others go into its ring.
Runnable* WorkerPool::take_shared(Worker& me, std::uint32_t count_max) {
  const std::uint32_t size = shared_size_.load(std::memory_order_relaxed);
  const std::uint32_t count = std::min(count_max, (size + workers() - 1) / workers());
  Runnable* taken = nullptr;
  std::uint32_t i = 0;
  for (; i < count && shared_.first != nullptr; ++i) {
    if (taken == nullptr) {
      taken = shared_.first;
    } else if (!me.ring.push(*shared_.first)) {
      break;
    }
    shared_.pop();
  }
  shared_size_.store(size - i, std::memory_order_relaxed);
  return taken;
}

void WorkerPool::push_shared(Runnable& runnable) {
  shared_.push(runnable);
  shared_size_.fetch_add(1, std::memory_order_relaxed);
}

WorkerPool::Worker* WorkerPool::choose_to_wake() {
  if (searcher_ != nullptr || parked_.empty()) {
    return nullptr;
  }
  Worker* worker = parked_.back();
  worker->is_woken = true;
  searcher_ = worker;
  unpark(*worker);
  return worker;
}

void WorkerPool::end_search(Worker& me) {
  if (searcher_ == &me) {
    searcher_ = nullptr;
    update_hints();
  }
}

void WorkerPool::unpark(Worker& worker) {
  std::erase(parked_, &worker);
  update_hints();
}

void WorkerPool::update_hints() {
  can_wake_.store(searcher_ == nullptr && !parked_.empty(), std::memory_order_relaxed);
}

}  // namespace troupe::actors
