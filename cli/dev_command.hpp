#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "cli/run.hpp"

namespace troupe::cli {

/// What `troupe dev` needs besides its options; lent for the call.
struct DevWorld {
  std::string program;  ///< path of trouped
  const base::Clock& clock;
  std::function<std::unique_ptr<Cluster>(const Settings&)> connect;
};

/// Starts the nodes as programs, spawns the demo actors and stays until a signal comes or all nodes
/// have ended; then removes their data. One at a time in a process.
[[nodiscard]] Done run_dev(const DevCommand& command, const Settings& settings, Output& output,
                           const DevWorld& world);

}  // namespace troupe::cli
