#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>

#include "actors/detail/pause.hpp"
#include "actors/rate_limiter.hpp"
#include "base/clock.hpp"

namespace troupe::actors {

struct ThrottleOptions {
  std::uint32_t tokens = 1;
  /// Who would have to wait longer is told at once and takes nothing. In a reentrant actor this
  /// bounds how many wait.
  base::Duration wait_max = base::Duration::max();
};

/// What throttle() returns. Awaited once, in the actor that owns the limiter.
class [[nodiscard]] Throttle {
 public:
  Throttle(RateLimiter& limiter, ThrottleOptions options) : limiter_(limiter), options_(options) {}

  [[nodiscard]] bool await_ready() {
    const base::Duration wait =
        limiter_.reserve(detail::current_time(), options_.tokens, options_.wait_max);
    is_admitted_ = wait <= options_.wait_max && wait != base::Duration::max();
    if (!is_admitted_ || wait <= base::Duration::zero()) {
      return true;
    }
    pause_.emplace(wait);
    return false;
  }
  void await_suspend(std::coroutine_handle<> waiting) { pause_->await_suspend(waiting); }
  [[nodiscard]] bool await_resume() {
    if (pause_) {
      pause_->await_resume();
    }
    return is_admitted_;
  }

 private:
  RateLimiter& limiter_;
  ThrottleOptions options_;
  std::optional<detail::Pause> pause_;
  bool is_admitted_ = false;
};

/// `co_await throttle(limiter_)`: goes on when the limiter lets it, in the order of coming, and
/// gives true; false, at once, where that would take longer than `wait_max` or never come. The
/// tokens are taken when the wait begins: those of an actor that ends meanwhile are spent.
[[nodiscard]] inline Throttle throttle(RateLimiter& limiter, ThrottleOptions options = {}) {
  return {limiter, options};
}

}  // namespace troupe::actors
