#pragma once

#include <condition_variable>
#include <functional>
#include <thread>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace troupe::node {

/// The cluster thread: drives a node by calling its step() when that is due or somebody wakes it.
///
/// wake() is thread-safe and may be called before start(), after stop() and from the step itself.
/// start() and stop() belong to the owner's thread. A wake() that comes while step() runs causes
/// one more step. `clock` outlives this.
class ClusterThread {
 public:
  /// Returns when it wants to be called again at the latest.
  using Step = std::function<base::TimePoint()>;

  ClusterThread(Step step, const base::Clock& clock);
  /// Stops.
  ~ClusterThread();
  ClusterThread(const ClusterThread&) = delete;
  ClusterThread& operator=(const ClusterThread&) = delete;

  /// Once.
  void start();
  /// Ends the loop after the step that runs at that moment, and joins. Not from the step. May be
  /// called again.
  void stop();
  void wake();

 private:
  void run();

  const Step step_;
  const base::Clock& clock_;
  base::Mutex mutex_;
  std::condition_variable_any changed_;
  bool is_woken_ TROUPE_GUARDED_BY(mutex_) = false;
  bool is_stopping_ TROUPE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace troupe::node
