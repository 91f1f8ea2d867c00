#include "base/log.hpp"

#include <atomic>
#include <memory>

#include <spdlog/details/os.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace troupe::base {

namespace {

/// JSON lines with escaping of our own: spdlog's patterns do not escape the message.
class JsonFormatter final : public spdlog::formatter {
 public:
  explicit JsonFormatter(std::string node) : node_(std::move(node)) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& out) override {
    const auto since_epoch = msg.time.time_since_epoch();
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
    const std::tm utc = spdlog::details::os::gmtime(static_cast<std::time_t>(millis / 1000));
    fmt::format_to(std::back_inserter(out),
                   R"({{"time":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z","level":")",
                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                   utc.tm_sec, millis % 1000);
    append_escaped(out, spdlog::level::to_string_view(msg.level));
    append_field(out, R"(","node":")", node_);
    append_field(out, R"(","part":")", {msg.logger_name.data(), msg.logger_name.size()});
    append_field(out, R"(","message":")", {msg.payload.data(), msg.payload.size()});
    append_raw(out, "\"}\n");
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>(node_);
  }

 private:
  static void append_raw(spdlog::memory_buf_t& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
  }
  static void append_escaped(spdlog::memory_buf_t& out, spdlog::string_view_t text) {
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out.push_back(c);
      }
    }
  }
  static void append_field(spdlog::memory_buf_t& out, std::string_view lead,
                           std::string_view value) {
    append_raw(out, lead);
    append_escaped(out, {value.data(), value.size()});
  }

  std::string node_;
};

std::atomic<LogLevel> current_level{LogLevel::info};

spdlog::sinks::stderr_sink_mt& sink() {
  static auto shared = [] {
    auto made = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %-5l [%n] %v");
    return made;
  }();
  return *shared;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

void Log::configure(LogLevel level, LogFormat format, std::string_view node) {
  current_level.store(level, std::memory_order_relaxed);
  if (format == LogFormat::json) {
    sink().set_formatter(std::make_unique<JsonFormatter>(std::string{node}));
  } else {
    const std::string name = node.empty() ? "" : std::string{node} + " ";
    sink().set_pattern("%Y-%m-%d %H:%M:%S.%e %-5l " + name + "[%n] %v");
  }
}

bool Log::enabled(LogLevel level) {
  return level >= current_level.load(std::memory_order_relaxed) && level != LogLevel::off;
}

void Log::write(LogLevel level, std::string_view part, std::string_view message) {
  const spdlog::details::log_msg msg{
      spdlog::string_view_t{part.data(), part.size()}, spdlog_level(level),
      spdlog::string_view_t{message.data(), message.size()}};
  sink().log(msg);
  if (level >= LogLevel::warn) {
    sink().flush();
  }
}

}  // namespace troupe::base
