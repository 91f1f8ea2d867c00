#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace troupe::actors {

/// How long to wait between attempts: doubling from `min` up to `max`, spread so that those who
/// failed together do not come back together.
struct Backoff {
  /// The wait after the first failure. 0: no wait at all.
  base::Duration min = std::chrono::milliseconds{100};
  /// No wait is longer. A larger value spares a struggling receiver and recovers later.
  base::Duration max = std::chrono::seconds{10};
  /// The wait is multiplied by a number drawn from [1 - jitter, 1 + jitter]; from 0 to 1.
  double jitter = 0.2;

  /// After `failures` failures in a row; 0 for none, and at most `max` in any case.
  [[nodiscard]] base::Duration delay(std::uint32_t failures, base::Random& random) const;
};

/// When to try something again that failed: a value, and pure. Only what certainly did not run, or
/// is harmless to run twice, may be tried again.
struct RetryPolicy {
  /// All attempts together, the first included. 1: never again. Reached: the failure stands.
  std::uint32_t attempts_max = 3;
  base::Duration backoff_min = std::chrono::milliseconds{100};
  base::Duration backoff_max = std::chrono::seconds{10};
  double jitter = 0.2;
  /// One attempt takes at most this long, and never longer than what is left of the whole. An
  /// attempt that ends so may have run.
  base::Duration attempt_timeout = base::Duration::max();

  /// Whether another attempt is due after `attempt`, counted from 1, has failed.
  [[nodiscard]] bool retries_after(std::uint32_t attempt) const { return attempt < attempts_max; }
  /// The wait between the failure of `attempt`, counted from 1, and the next one.
  [[nodiscard]] base::Duration delay(std::uint32_t attempt, base::Random& random) const {
    return Backoff{backoff_min, backoff_max, jitter}.delay(attempt, random);
  }
};

}  // namespace troupe::actors
