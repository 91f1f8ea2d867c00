#pragma once

#include <coroutine>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/suspension.hpp"
#include "base/clock.hpp"

namespace troupe::actors::detail {

/// The time of the actor that runs on this thread; for free coroutines that run in one.
[[nodiscard]] inline base::TimePoint current_time() {
  return ActorCell::current()->system().clock().now();
}

/// `co_await Pause{d}`: Actor::delay() for a free coroutine that runs in an actor.
struct Pause {
  base::Duration duration;

  [[nodiscard]] bool await_ready() const { return duration <= base::Duration::zero(); }
  void await_suspend(std::coroutine_handle<> waiting) const {
    const Suspension suspension = Suspension::of_current_actor(waiting);
    ActorSystem& system = ActorCell::current()->system();
    (void)system.timers().add(system.clock().now() + duration,
                              [suspension] { suspension.resume(); });
  }
  void await_resume() const {}
};

}  // namespace troupe::actors::detail
