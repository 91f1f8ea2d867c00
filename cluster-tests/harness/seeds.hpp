#pragma once

#include <cstdint>
#include <vector>

namespace troupe::harness {

/// Under a sanitizer everything takes ten times as long: a tenth has to do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t sanitizer_share = 10;
#else
inline constexpr std::uint64_t sanitizer_share = 1;
#endif

/// The seeds of a random test: TROUPE_SEED alone, or TROUPE_SEEDS many from 1 on, or `count`.
/// `part` of `parts` takes every parts-th of them, so that ctest may run the parts at once;
/// TROUPE_SEED runs in part 0 only.
[[nodiscard]] std::vector<std::uint64_t> seeds(std::uint64_t count, std::uint64_t part = 0,
                                               std::uint64_t parts = 1);
/// One seed; printed, so that a failure replays.
[[nodiscard]] std::uint64_t seed(std::uint64_t otherwise);
/// A number from the environment.
[[nodiscard]] std::uint64_t from_environment(const char* variable, std::uint64_t otherwise);

}  // namespace troupe::harness
