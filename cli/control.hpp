#pragma once

#include "cli/cluster.hpp"
#include "cli/problem.hpp"
#include "cli/value.hpp"
#include "node/control_protocol.hpp"

namespace troupe::cli {

namespace control = node::control;

/// Where and for how long to ask.
struct Asking {
  Cluster& cluster;
  std::string servers;  ///< as -s says, for messages
  base::Duration timeout{};
};

/// Asks the connected node's control service. Defined for the messages of node::control.
template <class Message>
[[nodiscard]] Checked<typename Message::Reply> ask_control(const Asking& asking,
                                                           const Message& message);

/// A control message as it is printed: its fields by name. Defined for the replies of
/// node::control.
template <class Message>
[[nodiscard]] Value to_value(const Message& message);

}  // namespace troupe::cli
