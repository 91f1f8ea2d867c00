#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "node/config.hpp"

namespace troupe::node::detail {

enum class ValueKind { text, number, flag, list, pairs };

/// One setting, the same for all sources.
struct Setting {
  std::string_view key;  ///< as the flag without its dashes and as in the file
  ValueKind kind = ValueKind::text;
  std::string_view placeholder;  ///< in the help
  std::string_view allowed;      ///< completes "KEY must be …"
  std::string_view example;      ///< a value that is allowed
  std::string_view help;
};

[[nodiscard]] const std::vector<Setting>& settings();
/// Null for a key that does not exist.
[[nodiscard]] const Setting* find_setting(std::string_view key);
[[nodiscard]] std::vector<std::string> setting_keys();

enum class Source { flag, environment, file };

/// "TROUPE_LOG_LEVEL" for "log-level".
[[nodiscard]] std::string variable_of(std::string_view key);
/// How a value that is allowed is written in that source.
[[nodiscard]] std::string example(const Setting& setting, Source source);

/// A setting's values as one source gives them, not yet checked. Flags are "true" or "false",
/// pairs are "KEY=VALUE".
struct Given {
  std::vector<std::string> values;
  Source source = Source::flag;
  std::string place;  ///< "--workers", "TROUPE_WORKERS", "node.toml:3: workers"
};
using GivenSettings = std::map<std::string, Given, std::less<>>;

/// What is wrong, in three lines.
struct Mistake {
  std::string what;
  std::string why;
  std::string todo;

  [[nodiscard]] std::string text() const;
};

/// What the arguments say. `text` is set by --help and --version.
struct CommandLine {
  GivenSettings given;
  std::optional<std::string> file;
  std::optional<std::string> text;
};

/// `arguments` without the program's name, which is for the help.
[[nodiscard]] base::Result<CommandLine, Mistake> read_flags(
    const std::string& program, const std::vector<std::string>& arguments);

/// A TOML file of at most `file_bytes_max`.
inline constexpr std::size_t file_bytes_max = 1U << 20U;
[[nodiscard]] base::Result<GivenSettings, Mistake> read_file(const std::string& path);

/// Checks and takes over one setting's values.
[[nodiscard]] base::Result<void, Mistake> apply(const Setting& setting, const Given& given,
                                                Config& config);

/// Everything between the parts of "a,b,c", without empty ones.
[[nodiscard]] std::vector<std::string> split(std::string_view list);

/// Why a value is not allowed, or empty. Only what depends on nothing else.
[[nodiscard]] std::string why_not_name(const std::string& name);
[[nodiscard]] std::string why_not_listen(const std::string& address);
[[nodiscard]] std::string why_not_advertise(const std::string& address);
[[nodiscard]] std::string why_not_seed(const std::string& seed);
[[nodiscard]] std::string why_not_http(const std::string& address);
[[nodiscard]] std::string why_not_label(const std::string& pair);

}  // namespace troupe::node::detail
