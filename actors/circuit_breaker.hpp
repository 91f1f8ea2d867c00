#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "actors/actor_ref.hpp"
#include "actors/detail/pause.hpp"
#include "actors/task.hpp"
#include "base/clock.hpp"

namespace troupe::actors {

struct CircuitBreakerOptions {
  /// So many failures within `window` open it. Fewer protects sooner, more rides out single faults.
  std::uint32_t failures_max = 5;
  base::Duration window = std::chrono::seconds{10};
  /// How long it stays open before a trial; also how long a trial that does not end is waited for.
  base::Duration open_for = std::chrono::seconds{5};
};

/// Keeps callers away from a receiver that fails, so that they fail fast and it can recover: closed
/// (calls pass, failures count), open (calls are refused), half-open (one call is tried: it closes
/// or opens the circuit again). The pattern is M. Nygard's ("Release It!", 2007).
///
/// Pure but for call(): time comes by argument and may not go backwards. Not thread-safe; an
/// actor's member. Remembers at most `failures_max` failures.
class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };

  /// The right to one call, whose end is told by succeeded() or failed(). One that is never told
  /// has no effect, but for a trial: another is let through after `open_for`.
  struct Permit {
    std::uint64_t period = 0;
  };

  explicit CircuitBreaker(CircuitBreakerOptions options) : options_(options) {}

  /// Whether a call may be made now; nothing if the circuit is open, or its one trial is under way.
  [[nodiscard]] std::optional<Permit> admit(base::TimePoint now);
  /// What became of an admitted call. Of calls of an earlier period nothing is learnt: they began
  /// before the circuit last opened or closed.
  void succeeded(Permit permit);
  void failed(Permit permit, base::TimePoint now);

  [[nodiscard]] State state(base::TimePoint now) const;
  /// When it will be half-open; only while it is open.
  [[nodiscard]] base::TimePoint retry_at() const { return retry_at_; }

  /// `co_await breaker.call(ref, message, timeout)` in an actor: an ask that is admitted, or ends
  /// as not_run (refused) without being sent. An ask that ends as not_run or may_have_run is a
  /// failure; a reply is none, nor a refusal, by which the receiver shows that it works. The
  /// breaker outlives the call.
  template <class T, base::Message M>
  Task<AskResult<ReplyOf<M>>> call(ActorRef<T> ref, M message,
                                   base::Duration timeout = ask_timeout_default) {
    const std::optional<Permit> permit = admit(detail::current_time());
    if (!permit) {
      co_return AskError{AskError::Kind::not_run, base::Outcome::refused,
                         "the circuit breaker is open"};
    }
    auto asked = ref.ask(std::move(message), timeout);
    AskResult<ReplyOf<M>> result = co_await asked;
    if (result.ok() || result.error().kind == AskError::Kind::refusal) {
      succeeded(*permit);
    } else {
      failed(*permit, detail::current_time());
    }
    co_return result;
  }

 private:
  void open(base::TimePoint now);

  CircuitBreakerOptions options_;
  /// Counts the changes between closed, open and trial; permits of another period are stale.
  std::uint64_t period_ = 1;
  bool is_closed_ = true;
  bool is_on_trial_ = false;
  /// Of an open circuit: the next trial.
  base::TimePoint retry_at_ = base::time_never;
  /// The last failures while closed, oldest first.
  std::deque<base::TimePoint> failures_;
};

/// The state's name as in the enumeration.
[[nodiscard]] constexpr std::string_view to_string(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::closed: return "closed";
    case CircuitBreaker::State::open: return "open";
    case CircuitBreaker::State::half_open: return "half_open";
  }
  return "open";
}

}  // namespace troupe::actors
