#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// What is to be done later: actions by the time they are due.
///
/// Thread-safe, except that one thread at a time, the driver, calls run_due(). Owns the actions; a
/// cancelled one is destroyed at once. Adding and cancelling cost O(log n), next to nothing where
/// timers are added in the order in which they are due. Does not bound their number: whoever adds
/// one is bounded itself (an ask, an actor's timer).
class Timers {
 public:
  /// Never used twice; 0 is none.
  using Id = std::uint64_t;
  using Action = std::function<void()>;
  using Waker = std::function<void(base::TimePoint)>;

  /// The action runs once, on the driver's thread, at `due` or later, unless it is cancelled. It
  /// must not throw and may add and cancel timers.
  [[nodiscard]] Id add(base::TimePoint due, Action action);

  /// True: the action has not run and never will. False: it ran, is running, or was cancelled.
  bool cancel(Id id);

  /// Runs what is due in the order of (due, adding), without a lock held, and returns how many ran.
  /// Timers added meanwhile run too if they are due, but no more run than there were at the call:
  /// a timer that always adds a due one cannot hold the driver.
  std::size_t run_due(base::TimePoint now);

  /// The earliest time at which something is due; time_never if nothing is. The driver sleeps until
  /// then at most, unless the waker tells an earlier time.
  [[nodiscard]] base::TimePoint next_due() const;

  /// Called, without a lock held and by the thread that adds, when something is due earlier than
  /// next_due() last said. May still be called for a moment after it was replaced.
  void set_waker(Waker waker);

  [[nodiscard]] std::size_t size() const;

 private:
  struct Timer {
    Action action;
    std::uint32_t place = 0;
    std::uint32_t generation = 1;
  };
  struct Entry {
    base::TimePoint due;
    std::uint64_t order = 0;
    std::uint32_t slot = 0;

    [[nodiscard]] bool is_before(const Entry& other) const {
      return due != other.due ? due < other.due : order < other.order;
    }
  };

  void put(std::uint32_t place, const Entry& entry) TROUPE_REQUIRES(mutex_);
  void move_up(std::uint32_t place) TROUPE_REQUIRES(mutex_);
  void move_down(std::uint32_t place) TROUPE_REQUIRES(mutex_);
  Action remove(std::uint32_t slot) TROUPE_REQUIRES(mutex_);
  [[nodiscard]] base::TimePoint earliest() const TROUPE_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  /// By slot; an id is a slot and its generation.
  std::vector<Timer> timers_ TROUPE_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> free_ TROUPE_GUARDED_BY(mutex_);
  /// A heap with four children a node; timers_[slot].place is the way back.
  std::vector<Entry> heap_ TROUPE_GUARDED_BY(mutex_);
  std::uint64_t added_ TROUPE_GUARDED_BY(mutex_) = 0;
  /// What the driver was last told, at or after the time it sleeps until. So a timer that is added
  /// and cancelled again and again, such as an ask's deadline, wakes it once and not each time.
  mutable base::TimePoint told_ TROUPE_GUARDED_BY(mutex_) = base::time_never;
  std::shared_ptr<const Waker> waker_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::actors
