#include "cli/duration.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>

namespace troupe::cli {

namespace {

constexpr double day_seconds = 86400;

}  // namespace

std::optional<base::Duration> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  double seconds = 0;
  if (unit.empty() || unit == "s") {
    seconds = number;
  } else if (unit == "ms") {
    seconds = number / 1000;
  } else if (unit == "m") {
    seconds = number * 60;
  } else if (unit == "h") {
    seconds = number * 3600;
  } else {
    return std::nullopt;
  }
  const bool allowed = seconds >= 0.001 && seconds <= day_seconds;  // also false for NaN
  if (!allowed) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>{seconds});
}

std::string duration_text(base::Duration duration) {
  const double seconds = std::chrono::duration<double>{duration}.count();
  if (seconds < 1) {
    return fmt::format("{:.0f} ms", seconds * 1000);
  }
  if (seconds < 120) {
    const bool is_whole = duration % std::chrono::seconds{1} == base::Duration::zero();
    return is_whole ? fmt::format("{:.0f} s", seconds) : fmt::format("{:.1f} s", seconds);
  }
  return fmt::format("{:.0f} min", seconds / 60);
}

std::string uptime_text(std::int64_t milliseconds) {
  if (milliseconds < 0) {
    return "-";
  }
  const std::int64_t seconds = milliseconds / 1000;
  if (seconds < 60) {
    return fmt::format("{}s", seconds);
  }
  const std::int64_t minutes = seconds / 60;
  if (minutes < 60) {
    return fmt::format("{}m{:02}s", minutes, seconds % 60);
  }
  const std::int64_t hours = minutes / 60;
  if (hours < 24) {
    return fmt::format("{}h{:02}m", hours, minutes % 60);
  }
  return fmt::format("{}d{}h", hours / 24, hours % 24);
}

std::string figure_text(std::int64_t figure) {
  if (figure < 0) {
    return "-";
  }
  if (figure < 1000) {
    return std::to_string(figure);
  }
  const auto number = static_cast<double>(figure);
  if (figure < 1000000) {
    return fmt::format("{:.1f}k", number / 1e3);
  }
  return figure < 1000000000 ? fmt::format("{:.1f}M", number / 1e6)
                             : fmt::format("{:.1f}G", number / 1e9);
}

}  // namespace troupe::cli
