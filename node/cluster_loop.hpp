#pragma once

#include <functional>
#include <vector>

#include "actors/scheduler.hpp"
#include "base/mutex.hpp"

namespace troupe::node {

/// The queue of the cluster thread: what other threads hand to it, and the system actors that run on
/// it. Who drives it (a thread, or a simulation) calls run().
///
/// post(), schedule() and set_waker() are thread-safe; run() is called by one thread at a time.
class ClusterLoop final : public actors::Scheduler {
 public:
  void post(std::function<void()> work);
  void schedule(actors::Runnable& runnable) override;
  /// Called, without a lock held, when work came while the loop was empty.
  void set_waker(std::function<void()> waker);

  /// Runs what is queued, and what that queues, up to a bound. True if more is left.
  bool run();
  /// Drops what is queued, because what it would touch is about to be destroyed.
  void clear();

 private:
  struct Work {
    actors::Runnable* runnable = nullptr;
    std::function<void()> function;
  };
  void push(Work work);

  base::Mutex mutex_;
  std::vector<Work> queue_ TROUPE_GUARDED_BY(mutex_);
  std::function<void()> waker_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::node
