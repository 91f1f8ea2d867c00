#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace troupe::actors {

/// How much one turn may do before other runnables get the thread.
struct Turn {
  std::uint32_t messages_max = 300;
};

/// Something a scheduler runs, an actor above all. Never run by two threads at once: whoever makes
/// it runnable calls Scheduler::schedule() once, and it is not scheduled again before its turn
/// ended with `idle` or the scheduler itself requeued it.
class Runnable {
 public:
  enum class After { idle, again };
  /// One turn. `again` asks to be queued behind what is runnable now.
  virtual After run(Turn turn) = 0;

  /// The scheduler's link while it is queued; nobody else touches it.
  Runnable* next_runnable = nullptr;

 protected:
  ~Runnable() = default;
};

/// Runnables linked through next_runnable: first in, first out. Not thread-safe; owns none.
struct RunnableList {
  Runnable* first = nullptr;
  Runnable* last = nullptr;

  void push(Runnable& runnable) {
    runnable.next_runnable = nullptr;
    (last != nullptr ? last->next_runnable : first) = &runnable;
    last = &runnable;
  }
  /// Not of an empty one.
  void pop() {
    first = first->next_runnable;
    if (first == nullptr) {
      last = nullptr;
    }
  }
};

/// Decides when and on which thread runnables run. Thread-safe.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// Queues a runnable that is not queued and not running. From a worker's own turn it runs next on
  /// that worker. A scheduler that has stopped never runs it.
  virtual void schedule(Runnable& runnable) = 0;
  /// Lets the turns that are under way end; nothing runs after that. Not from a turn; may be
  /// repeated. Nothing to do for a scheduler that its owner drives by hand.
  virtual void stop() {}
};

}  // namespace troupe::actors
