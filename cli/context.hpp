#pragma once

#include <functional>
#include <iosfwd>
#include <memory>

#include "base/clock.hpp"
#include "cli/arguments.hpp"
#include "cli/cluster.hpp"
#include "cli/control.hpp"
#include "cli/output.hpp"
#include "cli/servers.hpp"

namespace troupe::cli {

/// What a command works with; lent by run() for the time of one command.
struct Context {
  Cluster& cluster;
  const base::Clock& clock;
  Output& output;
  std::istream& input;
  const Settings& settings;

  [[nodiscard]] Asking asking() const {
    return {cluster, servers_text(settings.servers), settings.timeout};
  }
};

}  // namespace troupe::cli
