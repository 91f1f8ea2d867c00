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

OwnThread::CurrentTurn OwnThread::current_turn() const {
  base::MutexLock lock{mutex_};
  return current_;
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
      current_.runnable = nullptr;
      while (runnables_.empty() && !is_ending_) {
        changed_.wait(mutex_);
      }
      if (is_ending_) {
        left.swap(runnables_);
        has_thread_ = false;
      } else {
        next = runnables_.front();
        runnables_.pop_front();
        current_ = {current_.number + 1, next};
      }
    }
    if (next == nullptr) {
      for (Runnable* runnable : left) {
        rest_.schedule(*runnable);
      }
      return;
    }
    // Nobody else waits for this thread, and a short turn says how long a handler has been running.
    if (next->run(Turn{.messages_max = 1}) == Runnable::After::again) {
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

std::vector<OwnThread::CurrentTurn> OwnThreads::current_turns() const {
  std::vector<OwnThread::CurrentTurn> turns;
  base::MutexLock lock{mutex_};
  turns.reserve(threads_.size());
  for (const auto& thread : threads_) {
    turns.push_back(thread->current_turn());
  }
  return turns;
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
