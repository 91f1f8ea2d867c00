#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "actors/actor_system.hpp"
#include "base/clock.hpp"
#include "transport/transport.hpp"

namespace troupe::node {

/// One node's figures at one moment.
struct MetricsSnapshot {
  std::string version;
  std::string cluster;
  std::string node;
  base::Duration uptime{0};
  bool is_ready = false;
  std::uint64_t actors = 0;
  std::uint64_t open_asks = 0;
  std::uint64_t names_held = 0;
  actors::LedgerSnapshot ledger;
  /// By the state's name as `troupe node ls` shows it.
  std::map<std::string, std::uint64_t> members;
  transport::TransportCounters transport;
};

/// The figures in Prometheus' text format: base units, counters end in `_total`, and no label ever
/// holds an actor's name or number.
[[nodiscard]] std::string metrics_text(const MetricsSnapshot& snapshot);

}  // namespace troupe::node
