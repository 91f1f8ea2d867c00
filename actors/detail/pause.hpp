#pragma once

#include <coroutine>

#include "base/clock.hpp"

namespace troupe::actors::detail {

/// The time of the actor that runs on this thread; for free coroutines that run in one.
[[nodiscard]] base::TimePoint current_time();

/// `co_await Pause{d}` in an actor, or in a free coroutine that runs in one: goes on after so long.
struct Pause {
  base::Duration duration;

  [[nodiscard]] bool await_ready() const { return duration <= base::Duration::zero(); }
  void await_suspend(std::coroutine_handle<> waiting) const;
  void await_resume() const {}
};

}  // namespace troupe::actors::detail
