#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace troupe::base {

enum class LogLevel { debug, info, warn, error, off };
enum class LogFormat { text, json };

/// The process's log, the only singleton. Thread-safe. One event a line on standard error.
struct Log {
  /// Sets level, format and the node's name that each line carries. Text unless called.
  static void configure(LogLevel level, LogFormat format, std::string_view node);
  [[nodiscard]] static bool enabled(LogLevel level);
  /// `part` is the folder that speaks, e.g. "transport".
  static void write(LogLevel level, std::string_view part, std::string_view message);
};

template <class... Args>
void log(LogLevel level, std::string_view part, fmt::format_string<Args...> format,
         Args&&... args) {
  if (Log::enabled(level)) {
    Log::write(level, part, fmt::format(format, std::forward<Args>(args)...));
  }
}

}  // namespace troupe::base
