#include "actors/own_thread.hpp"

#include <algorithm>
#include <system_error>

namespace troupe::actors {

void OwnThread::schedule(Runnable& runnable) {
  {
    base::MutexLock lock{mutex_};
    if (has_thread_ && !is_ending_) {
      runnables_.push_back(&runnable);
      changed_.notify_one();
      return;
    }
  }
  rest_.schedule(runnable);
}

bool OwnThread::begin() {
  {
    base::MutexLock lock{mutex_};
    is_ending_ = false;
    has_thread_ = true;
  }
  try {
    thread_ = std::thread{[this] { work(); }};
    return true;
  } catch (const std::system_error&) {
    base::MutexLock lock{mutex_};
    has_thread_ = false;
    return false;
  }
}

void OwnThread::end() {
  base::MutexLock lock{mutex_};
  is_ending_ = true;
  changed_.notify_one();
}

bool OwnThread::is_over() const {
  base::MutexLock lock{mutex_};
  return !has_thread_;
}

void OwnThread::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void OwnThread::work() {
  for (;;) {
    Runnable* next = nullptr;
    std::deque<Runnable*> left;
    {
      base::MutexLock lock{mutex_};
      while (runnables_.empty() && !is_ending_) {
        changed_.wait(mutex_);
      }
      if (is_ending_) {
        left.swap(runnables_);
        has_thread_ = false;
      } else {
        next = runnables_.front();
        runnables_.pop_front();
      }
    }
    if (next == nullptr) {
      for (Runnable* runnable : left) {
        rest_.schedule(*runnable);
      }
      return;
    }
    if (next->run(Turn{}) == Runnable::After::again) {
      schedule(*next);
    }
  }
}

OwnThread* OwnThreads::take() {
  base::MutexLock lock{mutex_};
  if (is_stopped_) {
    return nullptr;
  }
  const auto free = std::find_if(threads_.begin(), threads_.end(),
                                 [](const auto& thread) { return thread->is_over(); });
  OwnThread& thread =
      free != threads_.end() ? **free : *threads_.emplace_back(std::make_unique<OwnThread>(rest_));
  thread.join();
  return thread.begin() ? &thread : nullptr;
}

void OwnThreads::stop() {
  std::vector<OwnThread*> threads;
  {
    base::MutexLock lock{mutex_};
    is_stopped_ = true;
    for (const auto& thread : threads_) {
      thread->end();
      threads.push_back(thread.get());
    }
  }
  // Without the lock: a handler that still runs may ask for a thread.
  for (OwnThread* thread : threads) {
    thread->join();
  }
}

}  // namespace troupe::actors
