#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace troupe::base {

using Duration = std::chrono::nanoseconds;

/// The tag of TimePoint: time since an arbitrary start that only goes forwards.
struct MonotonicTime {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  static constexpr bool is_steady = true;
};
using TimePoint = std::chrono::time_point<MonotonicTime, Duration>;

/// Later than every deadline.
inline constexpr TimePoint time_never = TimePoint::max();

/// `now + duration`; time_never where that is later than any time, as with Duration::max().
[[nodiscard]] constexpr TimePoint later(TimePoint now, Duration duration) {
  return duration > time_never - std::max(now, TimePoint{}) ? time_never : now + duration;
}

/// The only source of time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  /// The same, cheaper, and up to 10 ms behind: for what is measured in seconds.
  [[nodiscard]] virtual TimePoint coarse_now() const { return now(); }
};

/// The machine's monotonic clock.
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    return TimePoint{std::chrono::duration_cast<Duration>(
        std::chrono::steady_clock::now().time_since_epoch())};
  }
  [[nodiscard]] TimePoint coarse_now() const override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return TimePoint{std::chrono::seconds{now.tv_sec} + Duration{now.tv_nsec}};
  }
};

/// Milliseconds since 1970: only to number the lives of a process, never to measure time.
[[nodiscard]] inline std::uint64_t wall_clock_ms() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::system_clock::now().time_since_epoch())
          .count());
}

/// Stands still until it is moved by hand: for simulation and tests.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    return TimePoint{Duration{now_.load(std::memory_order_acquire)}};
  }
  void advance(Duration by) { now_.fetch_add(by.count(), std::memory_order_acq_rel); }
  void set(TimePoint now) {
    now_.store(now.time_since_epoch().count(), std::memory_order_release);
  }

 private:
  std::atomic<Duration::rep> now_{1};
};

}  // namespace troupe::base
