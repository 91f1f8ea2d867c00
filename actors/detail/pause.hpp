#pragma once

#include <coroutine>
#include <cstdint>

#include "base/clock.hpp"

namespace troupe::actors {

class Timers;

namespace detail {

/// The time of the actor that runs on this thread; for free coroutines that run in one.
[[nodiscard]] base::TimePoint current_time();

/// `co_await Pause{d}` in an actor, or in a free coroutine that runs in one: goes on after so long.
/// Awaited once. Its timer goes with it where the coroutine ends first.
class [[nodiscard]] Pause {
 public:
  explicit Pause(base::Duration duration) : duration_(duration) {}
  /// Of one that does not wait yet: GCC 12 copies some awaited temporaries.
  Pause(const Pause& other) : duration_(other.duration_) {}
  Pause& operator=(const Pause&) = delete;
  ~Pause() {
    if (timer_ != 0) {
      cancel();
    }
  }

  [[nodiscard]] bool await_ready() const { return duration_ <= base::Duration::zero(); }
  void await_suspend(std::coroutine_handle<> waiting);
  void await_resume() { timer_ = 0; }

 private:
  void cancel();

  base::Duration duration_;
  Timers* timers_ = nullptr;
  std::uint64_t timer_ = 0;
};

}  // namespace detail

}  // namespace troupe::actors
