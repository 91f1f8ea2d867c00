#pragma once

#include <memory>
#include <thread>

#include "actors/timers.hpp"
#include "base/clock.hpp"

namespace troupe::actors {

/// The driver of a Timers in a program without a node: one thread that runs what is due, and the
/// only one that may. Thread-safe. Constructing starts the thread; destroying it joins, after the
/// action that runs at that moment; timers that are not due by then stay in their Timers.
class TimerThread {
 public:
  /// Both outlive this.
  TimerThread(Timers& timers, const base::SteadyClock& clock);
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

 private:
  struct Alarm;
  void run();

  Timers& timers_;
  const base::SteadyClock& clock_;
  /// Shared with the waker, which may outlive this by one call.
  std::shared_ptr<Alarm> alarm_;
  std::thread thread_;
};

}  // namespace troupe::actors
