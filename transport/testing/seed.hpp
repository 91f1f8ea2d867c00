#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace troupe::transport::testing {

/// The seed of a random test: TROUPE_SEED, or the default. Printed, so that a failure replays.
[[nodiscard]] inline std::uint64_t test_seed(std::uint64_t otherwise) {
  const char* given = std::getenv("TROUPE_SEED");
  const std::uint64_t seed = given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
  std::printf("seed: TROUPE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace troupe::transport::testing
