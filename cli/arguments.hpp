#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "cli/output.hpp"
#include "cli/problem.hpp"

namespace troupe::cli {

inline constexpr const char* default_server = "tcp://127.0.0.1:7400";
inline constexpr std::uint16_t default_port = 7400;

/// What all commands share.
struct Settings {
  std::vector<std::string> servers{default_server};  ///< tcp://host:port, tried in this order
  std::string cluster;                               ///< empty: whichever the server belongs to
  base::Duration timeout = std::chrono::seconds{5};
  bool timeout_given = false;
  Format format = Format::table;
  bool quiet = false;
};

/// send and ask.
struct MessageCommand {
  bool wants_reply = false;
  std::string actor;
  std::string message;
  std::optional<std::string> payload;  ///< JSON, @file, or - for standard input
  bool each_line = false;
};
struct SpawnCommand {
  std::string kind;
  std::string name;
  std::string node;
  std::optional<std::string> args;
  bool respawn = true;
};
struct StopCommand {
  std::string name;
};
struct ListCommand {};
struct WhereCommand {
  std::string name;
};
struct WhyCommand {
  std::string name;
};
struct TypesCommand {
  std::string kind;  ///< empty for all
};
struct StatusCommand {};
struct HealthCommand {
  bool only_live = false;
  bool only_ready = false;
};
struct WaitCommand {
  std::vector<std::string> conditions;
};
struct NodeListCommand {};
struct DrainCommand {
  std::string node;
};
struct LedgerCommand {};
struct DevCommand {
  int nodes = 3;
  int port = 0;  ///< of the first node; 0 for 7400 or, if one is taken, free ones
};
struct VersionCommand {};
struct HelpCommand {
  std::string text;
};

using Command =
    std::variant<HelpCommand, MessageCommand, SpawnCommand, StopCommand, ListCommand, WhereCommand,
                 WhyCommand, TypesCommand, StatusCommand, HealthCommand, WaitCommand,
                 NodeListCommand, DrainCommand, LedgerCommand, DevCommand, VersionCommand>;

struct Arguments {
  Settings settings;
  Command command;
};

/// A variable's value, or empty if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads the command line, without the program's name. Flags come before TROUPE_… variables, those
/// before defaults. Problems: usage, or configuration if a variable is wrong.
[[nodiscard]] Checked<Arguments> parse_arguments(const std::vector<std::string>& words,
                                                 const Environment& environment);

}  // namespace troupe::cli
