#pragma once

#include <memory>

#include "base/clock.hpp"
#include "cli/arguments.hpp"
#include "cli/cluster.hpp"

namespace troupe::cli {

/// The cluster behind the settings' servers; connects with its first request. `clock` outlives it.
[[nodiscard]] std::unique_ptr<Cluster> connect_cluster(const Settings& settings,
                                                       const base::Clock& clock);

}  // namespace troupe::cli
