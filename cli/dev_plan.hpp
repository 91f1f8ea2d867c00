#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/children.hpp"

namespace troupe::cli {

/// What the nodes of a development cluster have in common.
struct DevSetup {
  std::string program;  ///< path of trouped
  std::string cluster;
  std::string data;  ///< folder; each node gets one of its own in it
  std::vector<std::uint16_t> ports;
};

/// One command a port: n1, n2 …, each with all addresses as seeds.
[[nodiscard]] std::vector<ChildCommand> plan_nodes(const DevSetup& setup);

/// tcp://127.0.0.1:PORT, in the order of the ports.
[[nodiscard]] std::vector<std::string> dev_addresses(const std::vector<std::uint16_t>& ports);

/// What to try next, for the terminal; the first port is the one that the commands use.
[[nodiscard]] std::string dev_greeting(const std::string& cluster,
                                       const std::vector<std::uint16_t>& ports);

}  // namespace troupe::cli
