#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/log.hpp"

namespace troupe::node {

/// Everything that can be set for a node. The defaults run one node on loopback. A value comes from
/// the flag, else the environment (TROUPE_ and the key in capitals), else the file, else the default
/// here; docs/operating.md lists them.
struct Config {
  std::string cluster = "troupe";
  /// Letters, digits, `.`, `_`, `-`; unique in the cluster. Default: the host's name.
  std::string name;
  std::string listen = "tcp://127.0.0.1:7400";
  /// Where others reach this node; derived from `listen` if empty.
  std::string advertise;
  /// First contacts: tcp://HOST:PORT, dns://HOST:PORT (all its addresses), file://PATH (one a line).
  std::vector<std::string> seeds;
  /// Where the node keeps what must survive a restart; empty: nowhere.
  std::string data;
  /// Listen beyond loopback without keys.
  bool insecure = false;
  std::uint32_t workers = 0;  ///< threads that run actors; 0: one a core
  /// HOST:PORT of /livez, /readyz, /metrics; empty: no HTTP.
  std::string http;
  base::LogLevel log_level = base::LogLevel::info;
  /// Text on a terminal, JSON lines otherwise, unless set.
  std::optional<base::LogFormat> log_format;
  std::vector<std::string> plugins;
  std::map<std::string, std::string> labels;
  /// Register counter, users, echo and square, and keep the pool `squares` running.
  bool demo = true;
  /// How long leaving may take before what is left is given up.
  base::Duration drain_timeout = std::chrono::seconds{20};
  /// Of all that is random in this node; 0: from the start's time.
  std::uint64_t seed = 0;

  /// Where a setting came from: "flag", "environment", "file PATH", "default".
  std::map<std::string, std::string> origins;

  /// Reads flags, environment and file. On a mistake, --help or --version it prints what there is to
  /// say and ends the program with 0, 64 (usage) or 78 (configuration).
  [[nodiscard]] static Config from_command_line(int argc, const char* const* argv);

  struct Parsed;
  using Environment = std::function<const char*(const std::string& name)>;
  /// The same without ending the program.
  [[nodiscard]] static Parsed parse(const std::vector<std::string>& arguments,
                                    const Environment& environment);

  /// Checks values against each other: invalid_argument with what, why and what to do. Fills in the
  /// name.
  [[nodiscard]] base::Result<void> complete();
};

/// A configuration, or the text to print and the exit code to end with.
struct Config::Parsed {
  std::optional<Config> config;
  int exit_code = 0;
  std::string text;
};

}  // namespace troupe::node
