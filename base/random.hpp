#pragma once

#include <cstdint>

namespace troupe::base {

/// A small seeded generator (SplitMix64, Steele, Lea, Flood 2014): equal seeds, equal sequences.
/// Not thread-safe. Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  /// In [0, bound); 0 for a bound of 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  bool chance(double probability) { return unit() < probability; }

  /// An independent generator, for a part that must not disturb this one's sequence.
  Random split() { return Random{next()}; }

 private:
  std::uint64_t state_;
};

}  // namespace troupe::base
