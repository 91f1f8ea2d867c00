#pragma once

#include "node/control_protocol.hpp"

namespace troupe::node {

class NodeCore;

/// What this node knows of why its actor does not answer. Cluster thread. Reads what may be read
/// beside a running handler, so that a handler that never returns cannot hold it up.
[[nodiscard]] control::WhyReply explain(NodeCore& core, const control::NameRow& where);

namespace detail {

/// Draws `state` and `verdict` from the rest.
void conclude(control::WhyReply& reply);

}  // namespace detail

}  // namespace troupe::node
