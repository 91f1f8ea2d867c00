#include "actors/supervision.hpp"

#include <algorithm>

#include "actors/retry.hpp"

namespace troupe::actors {

RestartTracker::Decision RestartTracker::on_exit(ExitReason reason, base::TimePoint now,
                                                 base::Random& random) {
  if (!answers_with_restart(policy_.restart, reason)) {
    return {Action::stop, base::Duration::zero()};
  }
  if (reason == ExitReason::node_lost) {
    alive_since_ = now;
    return {Action::restart, base::Duration::zero()};
  }
  if (policy_.restarts_max != RestartPolicy::restarts_unlimited) {
    while (!restarts_.empty() && now - restarts_.front() >= policy_.window) {
      restarts_.pop_front();
    }
    if (restarts_.size() >= policy_.restarts_max) {
      return {Action::escalate, base::Duration::zero()};
    }
    restarts_.push_back(now);
  }
  if (now - alive_since_ >= policy_.stable_after) {
    failures_in_a_row_ = 0;
  }
  failures_in_a_row_ = std::min(failures_in_a_row_, RestartPolicy::restarts_unlimited - 1) + 1;
  const Backoff backoff{policy_.backoff_min, policy_.backoff_max, policy_.jitter};
  const base::Duration delay = backoff.delay(failures_in_a_row_, random);
  alive_since_ = base::later(now, delay);
  return {Action::restart, delay};
}

std::uint32_t RestartTracker::restarts_within_window(base::TimePoint now) const {
  return static_cast<std::uint32_t>(
      std::count_if(restarts_.begin(), restarts_.end(),
                    [&](base::TimePoint at) { return now - at < policy_.window; }));
}

}  // namespace troupe::actors
