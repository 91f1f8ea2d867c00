#pragma once

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

/// What every benchmark program prints, ours and the peers': its one figure.
inline void print_figure(const char* work, double value, const char* unit) {
  std::printf("%s %.6g %s\n", work, value, unit);
  std::fflush(stdout);
}
inline void print_rate(const char* work, std::uint64_t messages, double seconds) {
  print_figure(work, static_cast<double>(messages) / seconds / 1e6, "M/s");
}
inline void print_latency(const char* work, std::uint64_t messages, double seconds) {
  print_figure(work, seconds * 1e9 / static_cast<double>(messages), "ns");
}

/// A benchmark whose work went wrong has no figure.
inline void require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "benchmark failed: %s\n", what);
    std::_Exit(1);
  }
}

/// The value that the item of this number carries.
inline std::uint64_t value_of(std::uint64_t number) { return (number * 2654435761U) & 0xFFFFFFU; }

}  // namespace troupe::bench
