#include "node/cluster_loop.hpp"

#include <utility>

namespace troupe::node {

namespace {

constexpr int rounds_max = 64;

}  // namespace

void ClusterLoop::post(std::function<void()> work) { push({nullptr, std::move(work)}); }

void ClusterLoop::schedule(actors::Runnable& runnable) { push({&runnable, nullptr}); }

void ClusterLoop::set_waker(std::function<void()> waker) {
  base::MutexLock lock{mutex_};
  waker_ = std::move(waker);
}

void ClusterLoop::push(Work work) {
  std::function<void()> waker;
  {
    base::MutexLock lock{mutex_};
    if (queue_.empty()) {
      waker = waker_;
    }
    queue_.push_back(std::move(work));
  }
  if (waker) {
    waker();
  }
}

void ClusterLoop::clear() {
  std::vector<Work> dropped;  // destroyed without the lock
  {
    base::MutexLock lock{mutex_};
    dropped.swap(queue_);
    waker_ = nullptr;
  }
}

bool ClusterLoop::run() {
  std::vector<Work> batch;
  for (int round = 0; round < rounds_max; ++round) {
    {
      base::MutexLock lock{mutex_};
      batch.swap(queue_);
    }
    if (batch.empty()) {
      return false;
    }
    for (Work& work : batch) {
      if (work.runnable == nullptr) {
        work.function();
      } else if (work.runnable->run({}) == actors::Runnable::After::again) {
        schedule(*work.runnable);
      }
    }
    batch.clear();
  }
  return true;
}

}  // namespace troupe::node
