#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "base/ids.hpp"
#include "registry/member.hpp"

namespace troupe::registry {

/// Where an actor may be started, parsed from text:
///   ""             any
///   "any"          least loaded, equal loads spread by the name's hash
///   "local"        the requester; started again, any if that is gone
///   "spread"       the name's hash over the members (rendezvous): moves only with its member
///   "least_loaded" fewest names held, then the older
///   "node:NAME"    that node; started again, any if that is gone
///   "label:K=V"    the least loaded member with this label, never another
struct Placement {
  enum class Kind : std::uint8_t { any, local, spread, least_loaded, node, label };
  Kind kind = Kind::any;
  std::string node;
  std::string label;
  std::string value;
};

/// Errc::invalid_argument with the accepted forms.
[[nodiscard]] base::Result<Placement> parse_placement(std::string_view text);

/// How much each node holds; a node that is not in it holds nothing.
using Loads = std::map<base::NodeId, std::uint64_t>;

struct PlaceRequest {
  std::string_view name;
  base::NodeId requester;
  /// It was placed before: "local" and "node:" are a preference now.
  bool again = false;
};

/// The member to start it on, of those that are placeable. Deterministic. Errc::unavailable if
/// none fits.
[[nodiscard]] base::Result<base::NodeId> place(const Placement& placement,
                                               const PlaceRequest& request,
                                               const std::vector<Member>& members,
                                               const Loads& loads);

/// Workers a node.
using Spread = std::map<base::NodeId, std::uint32_t>;

/// `count` workers over the placeable members: shares differ by at most one, the older have more.
[[nodiscard]] Spread spread_workers(std::uint32_t count, const std::vector<Member>& members);

/// The fewest starts and stops that lead from `now` to `count` evenly spread workers.
struct SpreadChange {
  Spread start;
  Spread stop;
};
[[nodiscard]] SpreadChange respread_workers(const Spread& now, std::uint32_t count,
                                            const std::vector<Member>& members);

}  // namespace troupe::registry
