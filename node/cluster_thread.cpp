#include "node/cluster_thread.hpp"

#include <utility>

#include "base/check.hpp"

namespace troupe::node {

namespace {

// Bounds what is computed with time_never.
constexpr base::Duration wait_max = std::chrono::hours{1};

}  // namespace

ClusterThread::ClusterThread(Step step, const base::Clock& clock)
    : step_(std::move(step)), clock_(clock) {}

ClusterThread::~ClusterThread() {
  stop();
}

void ClusterThread::start() {
  TROUPE_CHECK(!thread_.joinable(), "the cluster thread was started twice");
  thread_ = std::thread{[this] { run(); }};
}

void ClusterThread::stop() {
  {
    base::MutexLock lock{mutex_};
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    TROUPE_CHECK(thread_.get_id() != std::this_thread::get_id(),
                 "the cluster thread cannot join itself");
    thread_.join();
  }
}

void ClusterThread::wake() {
  {
    base::MutexLock lock{mutex_};
    if (is_woken_) {
      return;
    }
    is_woken_ = true;
  }
  changed_.notify_one();
}

void ClusterThread::run() {
  for (;;) {
    {
      base::MutexLock lock{mutex_};
      if (is_stopping_) {
        return;
      }
      is_woken_ = false;  // what was announced until now is seen by the step below
    }
    const base::TimePoint due = step_();
    base::MutexLock lock{mutex_};
    while (!is_woken_ && !is_stopping_) {
      const base::TimePoint now = clock_.now();
      if (due <= now) {
        break;
      }
      changed_.wait_for(lock, due < now + wait_max ? due - now : wait_max);
    }
  }
}

}  // namespace troupe::node
