#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace troupe::cli {

/// "500ms", "2s", "1.5s", "3m", "1h", or a plain number of seconds; empty for anything else, also
/// for zero and for more than a day.
[[nodiscard]] std::optional<base::Duration> parse_duration(std::string_view text);

/// "800 ms", "12.8 s", "3 min".
[[nodiscard]] std::string duration_text(base::Duration duration);

/// "45s", "2h13m", "3d4h"; "-" for a negative number, which means unknown.
[[nodiscard]] std::string uptime_text(std::int64_t milliseconds);

/// "412", "8.1k", "2.0M"; "-" for a negative number, which means unknown.
[[nodiscard]] std::string figure_text(std::int64_t figure);

}  // namespace troupe::cli
