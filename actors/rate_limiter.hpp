#pragma once

#include <algorithm>
#include <cstdint>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace troupe::actors {

/// `tokens` every `per`, of which up to `burst` may be saved up.
struct RateLimit {
  std::uint32_t tokens = 1;
  base::Duration per = std::chrono::seconds{1};
  std::uint32_t burst = 1;
};

/// A token bucket that starts full. Pure: time comes by argument and may not go backwards. Not
/// thread-safe; an actor's member.
///
/// Kept as the one time at which the bucket would be full again (the generic cell rate algorithm,
/// ITU-T I.371), so nothing is to be refilled and nothing drifts.
class RateLimiter {
 public:
  /// At least one token and one of burst; no more than a token a nanosecond.
  explicit RateLimiter(RateLimit limit)
      : token_time_(limit.per / std::max(limit.tokens, 1U)), burst_(limit.burst) {
    TROUPE_CHECK(limit.tokens > 0 && limit.burst > 0 && token_time_ > base::Duration::zero(),
                 "a rate limit needs tokens, burst and at least a nanosecond a token");
  }

  /// Takes the tokens and returns 0, or takes none and returns how long to wait before trying
  /// again. More than the burst is never there: Duration::max().
  [[nodiscard]] base::Duration acquire(base::TimePoint now, std::uint32_t tokens = 1) {
    if (tokens > burst_) {
      return base::Duration::max();
    }
    const base::TimePoint full_at = std::max(full_at_, now) + token_time_ * tokens;
    const base::Duration excess = full_at - now - token_time_ * burst_;
    if (excess > base::Duration::zero()) {
      return excess;
    }
    full_at_ = full_at;
    return base::Duration::zero();
  }

  /// Takes the tokens in advance and returns how long to wait before using them, so that those who
  /// wait are served in the order of coming. Takes none if that is longer than `wait_max`; the
  /// result is then longer too. More than the burst is never there: Duration::max().
  [[nodiscard]] base::Duration reserve(base::TimePoint now, std::uint32_t tokens,
                                       base::Duration wait_max) {
    if (tokens > burst_) {
      return base::Duration::max();
    }
    const base::TimePoint full_at = std::max(full_at_, now) + token_time_ * tokens;
    const base::Duration wait =
        std::max(full_at - now - token_time_ * burst_, base::Duration::zero());
    if (wait <= wait_max) {
      full_at_ = full_at;
    }
    return wait;
  }

  /// Tokens that are there at `now`; none while some are taken in advance.
  [[nodiscard]] std::uint32_t available(base::TimePoint now) const {
    const base::Duration missing = std::max(full_at_, now) - now;
    const base::Duration there = token_time_ * burst_ - missing;
    return static_cast<std::uint32_t>(std::max(there, base::Duration::zero()) / token_time_);
  }

 private:
  base::Duration token_time_;
  std::uint32_t burst_;
  base::TimePoint full_at_{};
};

}  // namespace troupe::actors
