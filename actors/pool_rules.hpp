#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/clock.hpp"

namespace troupe::actors {

/// Which bucket, of `buckets` > 0, a key belongs to. Adding a bucket moves one key in `buckets` +
/// 1, all of them to the new one; only the last bucket can be taken away. J. Lamping and E. Veach,
/// "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).
[[nodiscard]] constexpr std::uint32_t jump_hash(std::uint64_t key, std::uint32_t buckets) {
  std::uint64_t bucket = 0;
  std::uint64_t jump = 0;
  while (jump < buckets) {
    bucket = jump;
    key = key * 2862933555777941757U + 1;
    jump = static_cast<std::uint64_t>(static_cast<double>(bucket + 1) *
                                      (0x1p31 / static_cast<double>((key >> 33U) + 1)));
  }
  return static_cast<std::uint32_t>(bucket);
}

/// A key's hash, the same in every process: of text 64-bit FNV-1a, of integers and enumerations the
/// finaliser of SplitMix64.
template <class Key>
requires std::integral<Key> || std::is_enum_v<Key> || std::convertible_to<Key, std::string_view>
[[nodiscard]] constexpr std::uint64_t key_hash(const Key& key) {
  if constexpr (std::convertible_to<Key, std::string_view>) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : std::string_view{key}) {
      hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
    }
    return hash;
  } else {
    auto hash = static_cast<std::uint64_t>(key);
    hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9U;
    hash = (hash ^ (hash >> 27U)) * 0x94D049BB133111EBU;
    return hash ^ (hash >> 31U);
  }
}

/// How a pool's size follows its load; off while `workers_max` is 0.
struct PoolScaling {
  std::uint32_t workers_min = 1;
  std::uint32_t workers_max = 0;
  /// How often the load is looked at.
  base::Duration interval = std::chrono::milliseconds{100};
  /// Grows by a quarter, at least by one, when work waited at so many looks in a row. Fewer follows
  /// bursts, more ignores them.
  std::uint32_t grow_after = 2;
  /// Shrinks by one when a worker was idle, and nothing waited, at so many looks in a row.
  std::uint32_t shrink_after = 20;
};

/// What a pool has to do at one moment.
struct PoolLoad {
  std::uint32_t workers = 0;
  std::uint32_t idle = 0;     ///< workers with nothing to do
  std::uint64_t waiting = 0;  ///< messages that no worker has begun
};

/// Decides a pool's size by its load. Pure; not thread-safe.
class PoolSizer {
 public:
  explicit PoolSizer(PoolScaling scaling) : scaling_(scaling) {}

  /// How many workers there should be from now on. Called at each look.
  [[nodiscard]] std::uint32_t look(const PoolLoad& load) {
    waited_ = load.waiting > 0 ? waited_ + 1 : 0;
    idled_ = load.waiting == 0 && load.idle > 0 ? idled_ + 1 : 0;
    std::uint32_t wanted = load.workers;
    if (waited_ >= scaling_.grow_after) {
      wanted += std::max(1U, load.workers / 4);
      waited_ = 0;
    } else if (idled_ >= scaling_.shrink_after && load.workers > 0) {
      --wanted;
      idled_ = 0;
    }
    return std::clamp(wanted, scaling_.workers_min,
                      std::max(scaling_.workers_min, scaling_.workers_max));
  }

 private:
  PoolScaling scaling_;
  std::uint32_t waited_ = 0;
  std::uint32_t idled_ = 0;
};

}  // namespace troupe::actors
