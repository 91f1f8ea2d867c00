#pragma once

#include <cstdint>
#include <deque>
#include <limits>

#include "actors/exit_reason.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"

namespace troupe::actors {

/// Which exits of a child its supervisor answers with a restart.
enum class Restart : std::uint8_t {
  permanent,  ///< every one
  transient,  ///< every one but `stopped`: the child may finish
  temporary,  ///< none
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
  [[nodiscard]] bool answers_with_restart(ExitReason reason) const;

  RestartPolicy policy_;
  base::TimePoint alive_since_;
  std::uint32_t failures_in_a_row_ = 0;
  /// At most restarts_max.
  std::deque<base::TimePoint> restarts_;
};

}  // namespace troupe::actors
