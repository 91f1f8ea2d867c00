#include "actors/timer_thread.hpp"

#include <algorithm>
#include <condition_variable>

#include "base/mutex.hpp"

namespace troupe::actors {

namespace {

// Bounds what is computed with time_never.
constexpr base::Duration wait_max = std::chrono::hours{1};

}  // namespace

struct TimerThread::Alarm {
  base::Mutex mutex;
  std::condition_variable_any changed;
  bool is_earlier TROUPE_GUARDED_BY(mutex) = false;
  bool is_stopping TROUPE_GUARDED_BY(mutex) = false;
};

TimerThread::TimerThread(Timers& timers, const base::SteadyClock& clock)
    : timers_(timers), clock_(clock), alarm_(std::make_shared<Alarm>()) {
  timers_.set_waker([alarm = alarm_](base::TimePoint) {
    {
      base::MutexLock lock(alarm->mutex);
      alarm->is_earlier = true;
    }
    alarm->changed.notify_one();
  });
  thread_ = std::thread([this] { run(); });
}

TimerThread::~TimerThread() {
  timers_.set_waker(nullptr);
  {
    base::MutexLock lock(alarm_->mutex);
    alarm_->is_stopping = true;
  }
  alarm_->changed.notify_one();
  thread_.join();
}

void TimerThread::run() {
  for (;;) {
    timers_.run_due(clock_.now());
    const base::TimePoint due = timers_.next_due();
    const base::TimePoint now = clock_.now();
    base::MutexLock lock(alarm_->mutex);
    // A call of the waker since next_due() has set this, so it is not missed.
    if (!alarm_->is_earlier && !alarm_->is_stopping && due > now) {
      alarm_->changed.wait_for(lock, due < now + wait_max ? due - now : wait_max);
    }
    alarm_->is_earlier = false;
    if (alarm_->is_stopping) {
      return;
    }
  }
}

}  // namespace troupe::actors
