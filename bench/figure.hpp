#pragma once

// What all benchmark programs share, ours and the peers' (C++17): the clock, the one figure that
// each prints, and the contents by which it checks its work.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace troupe::bench {

/// The time of one measurement, from its construction.
class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// What every benchmark program prints: its one figure.
inline void print_figure(const char* work, double value, const char* unit) {
  std::printf("%s %.6g %s\n", work, value, unit);
  std::fflush(stdout);
}
inline void print_rate(const char* work, std::uint64_t count, double seconds) {
  print_figure(work, static_cast<double>(count) / seconds / 1e6, "M/s");
}
inline void print_latency(const char* work, std::uint64_t count, double seconds) {
  print_figure(work, seconds * 1e9 / static_cast<double>(count), "ns");
}

/// A benchmark whose work went wrong has no figure.
inline void require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "benchmark failed: %s\n", what);
    std::_Exit(1);
  }
}

/// The value that the item of this number carries.
inline std::uint64_t value_of(std::uint64_t number) {
  return (number * 2654435761U) & 0xFFFFFFU;
}
/// The sum of the values of the first `count` items.
inline std::uint64_t sum_of_values(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t number = 0; number < count; ++number) {
    sum += value_of(number);
  }
  return sum;
}

/// The same choices in every language: x' = 69069 x + 1 modulo 2^31, of which the high bits count.
class Choices {
 public:
  explicit Choices(std::uint32_t seed) : state_(seed) {}
  std::uint32_t below(std::uint32_t bound) {
    state_ = (state_ * 69069U + 1) & 0x7FFFFFFFU;
    return (state_ >> 8U) % bound;
  }

 private:
  std::uint32_t state_;
};

/// Resident bytes of this process.
inline std::uint64_t resident_bytes() {
  unsigned long long total = 0;
  unsigned long long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  require(file != nullptr && std::fscanf(file, "%llu %llu", &total, &resident) == 2,
          "no /proc/self/statm");
  std::fclose(file);
  return resident * 4096;
}

}  // namespace troupe::bench
