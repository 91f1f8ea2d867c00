#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>

#include "actors/exit_reason.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"

namespace troupe::actors {

/// Which exits of a child its supervisor answers with a restart.
enum class Restart : std::uint8_t {
  permanent,  ///< every one
  transient,  ///< every one but `stopped`: the child may finish
  temporary,  ///< none
};

/// What becomes of a message whose handler crashed the actor.
enum class OnCrash : std::uint8_t {
  drop_message,   ///< its asker hears of the crash, and it is not handled again
  retry_message,  ///< it is the first one after the restart; see crashes_a_message_max
};
/// A message that crashed its actor so often goes to the dead letters, and its asker hears why.
inline constexpr std::uint32_t crashes_a_message_max = 3;

/// Whether a supervisor restarts a child that ended so.
[[nodiscard]] constexpr bool answers_with_restart(Restart restart, ExitReason reason) {
  switch (restart) {
    case Restart::permanent: return true;
    case Restart::transient: return reason != ExitReason::stopped;
    case Restart::temporary: return false;
  }
  return false;
}

/// Which children a supervisor restarts when one fails. After Erlang/OTP's supervisors.
enum class Strategy : std::uint8_t {
  one_for_one,   ///< that one
  one_for_all,   ///< all of them: they cannot work without each other
  rest_for_one,  ///< that one and those started after it: they build on those before
  dynamic,       ///< that one; children come and go, and all are stopped at once
};

/// Children by their place in the order of start.
struct ChildRange {
  std::size_t first = 0;
  std::size_t end = 0;

  bool operator==(const ChildRange&) const = default;
};

/// Who is stopped, the last one first, and started again, when the child at `failed` of `count`
/// failed.
[[nodiscard]] constexpr ChildRange restarted_with(Strategy strategy, std::size_t failed,
                                                  std::size_t count) {
  switch (strategy) {
    case Strategy::one_for_one:
    case Strategy::dynamic: return {failed, failed + 1};
    case Strategy::one_for_all: return {0, count};
    case Strategy::rest_for_one: return {failed, count};
  }
  return {failed, failed + 1};
}

/// Whether a supervisor ends when significant children have ended by themselves for good.
enum class AutoShutdown : std::uint8_t { never, any_significant, all_significant };

/// After the end of a significant child, with so many others left.
[[nodiscard]] constexpr bool ends_supervisor(AutoShutdown shutdown, std::size_t significant_left) {
  return shutdown == AutoShutdown::any_significant ||
         (shutdown == AutoShutdown::all_significant && significant_left == 0);
}

/// What a parent learns of a child.
struct ChildEvent {
  enum class Kind : std::uint8_t {
    failed,  ///< waits for a restart, or to be stopped; ActorCell::restart_child()
    halted,  ///< the same, because the parent wanted it
    ended,   ///< is gone
  };
  Kind kind = Kind::ended;
  base::ActorId child;
  ExitReason reason = ExitReason::stopped;
  std::string text;
};

/// How a supervisor treats a child that ended.
struct RestartPolicy {
  static constexpr std::uint32_t restarts_unlimited = std::numeric_limits<std::uint32_t>::max();

  Restart restart = Restart::permanent;
  /// Restarts within `window`. The exit after that escalates: the supervisor itself fails. More
  /// rides out longer troubles, fewer reports them sooner. 0: the first failure escalates.
  /// restarts_unlimited: never escalates.
  std::uint32_t restarts_max = 3;
  /// Restarts longer ago than this no longer count. Where `restarts_max` waits of `backoff_max`
  /// exceed it, a child that always fails may be restarted for ever, at that pace.
  base::Duration window = std::chrono::seconds{5};
  /// The wait before a restart: `backoff_min` after the first failure, doubling with each further
  /// one up to `backoff_max`. Longer spares what the child needs, shorter is back sooner.
  base::Duration backoff_min = std::chrono::milliseconds{100};
  base::Duration backoff_max = std::chrono::seconds{10};
  /// Each wait is multiplied by a number drawn from [1 - jitter, 1 + jitter], so that children
  /// that fell together do not return together. From 0 to 1.
  double jitter = 0.2;
  /// A child that lived this long is healthy again: its next wait is `backoff_min`.
  base::Duration stable_after = std::chrono::seconds{10};

  bool operator==(const RestartPolicy&) const = default;
};

/// Counts one child's restarts against its policy. Pure: time and randomness come by argument.
/// Not thread-safe; owned by the supervisor, one a child, for the child's whole succession of
/// lives.
///
/// An exit by `node_lost` is not the child's failure: it is restarted at once (elsewhere), without
/// counting against the budget and without a change of the backoff.
class RestartTracker {
 public:
  enum class Action : std::uint8_t {
    restart,   ///< after `delay`
    stop,      ///< the child stays gone, as its policy says
    escalate,  ///< the budget is spent: the supervisor fails
  };
  struct Decision {
    Action action = Action::stop;
    base::Duration delay{0};
  };

  RestartTracker(RestartPolicy policy, base::TimePoint started)
      : policy_(policy), alive_since_(started) {}

  /// What to do about an exit that the supervisor did not order itself.
  [[nodiscard]] Decision on_exit(ExitReason reason, base::TimePoint now, base::Random& random);

  /// Restarts that count at `now`.
  [[nodiscard]] std::uint32_t restarts_within_window(base::TimePoint now) const;

 private:
  RestartPolicy policy_;
  base::TimePoint alive_since_;
  std::uint32_t failures_in_a_row_ = 0;
  /// At most restarts_max.
  std::deque<base::TimePoint> restarts_;
};

}  // namespace troupe::actors
