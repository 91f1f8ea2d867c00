#include "actors/retry.hpp"

#include <algorithm>

namespace troupe::actors {

base::Duration Backoff::delay(std::uint32_t failures, base::Random& random) const {
  if (failures == 0 || min <= base::Duration::zero()) {
    return base::Duration::zero();
  }
  base::Duration wait = std::min(min, max);
  for (std::uint32_t i = 1; i < failures && wait < max; ++i) {
    wait = wait > max / 2 ? max : wait * 2;
  }
  // Drawn also without jitter, so that a change of it alone does not shift a seeded run.
  const double spread = 1.0 + jitter * (2.0 * random.unit() - 1.0);
  const auto spread_wait = std::chrono::duration<double, base::Duration::period>(wait) * spread;
  if (spread_wait >= max) {
    return max;
  }
  return std::max(base::Duration::zero(), std::chrono::duration_cast<base::Duration>(spread_wait));
}

}  // namespace troupe::actors
