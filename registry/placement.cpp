#include "registry/placement.hpp"

#include <algorithm>
#include <tuple>

#include "base/message.hpp"

namespace troupe::registry {

namespace {

/// The finisher of SplitMix64 (Steele, Lea, Flood 2014): spreads close inputs.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

/// Highest random weight (Thaler, Ravishankar 1998): a node's weight for a name.
std::uint64_t weight(std::string_view name, const base::NodeId& node) {
  return mix((std::uint64_t{base::fnv1a(name)} << 32U) ^ base::fnv1a(node.name));
}

std::uint64_t load_of(const Loads& loads, const base::NodeId& node) {
  const auto at = loads.find(node);
  return at == loads.end() ? 0 : at->second;
}

bool fits(const Placement& placement, const PlaceRequest& request, const Member& member) {
  switch (placement.kind) {
    case Placement::Kind::any:
    case Placement::Kind::spread:
    case Placement::Kind::least_loaded: return true;
    case Placement::Kind::local: return member.id == request.requester;
    case Placement::Kind::node: return member.id.name == placement.node;
    case Placement::Kind::label: {
      const auto at = member.labels.find(placement.label);
      return at != member.labels.end() && at->second == placement.value;
    }
  }
  return false;
}

/// Whether `a` is the better place than `b`.
bool is_better(const Placement& placement, std::string_view name, const Loads& loads,
               const base::NodeId& a, const base::NodeId& b) {
  const std::uint64_t weight_a = weight(name, a);
  const std::uint64_t weight_b = weight(name, b);
  if (placement.kind == Placement::Kind::spread) {
    return std::tie(weight_b, a) < std::tie(weight_a, b);
  }
  const std::uint64_t load_a = load_of(loads, a);
  const std::uint64_t load_b = load_of(loads, b);
  if (load_a != load_b) {
    return load_a < load_b;
  }
  if (placement.kind == Placement::Kind::least_loaded) {
    return is_older(a, b);
  }
  return std::tie(weight_b, a) < std::tie(weight_a, b);
}

std::vector<base::NodeId> placeable(const std::vector<Member>& members) {
  std::vector<base::NodeId> nodes;
  for (const Member& member : members) {
    if (is_placeable(member)) {
      nodes.push_back(member.id);
    }
  }
  std::sort(nodes.begin(), nodes.end(), is_older);
  return nodes;
}

std::uint32_t count_of(const Spread& spread, const base::NodeId& node) {
  const auto at = spread.find(node);
  return at == spread.end() ? 0 : at->second;
}

}  // namespace

base::Result<Placement> parse_placement(std::string_view text) {
  using Kind = Placement::Kind;
  if (text.empty() || text == "any") {
    return Placement{};
  }
  if (text == "local") {
    return Placement{.kind = Kind::local};
  }
  if (text == "spread") {
    return Placement{.kind = Kind::spread};
  }
  if (text == "least_loaded") {
    return Placement{.kind = Kind::least_loaded};
  }
  if (text.starts_with("node:") && text.size() > 5) {
    return Placement{.kind = Kind::node, .node = std::string{text.substr(5)}};
  }
  if (text.starts_with("label:")) {
    const std::string_view pair = text.substr(6);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals > 0) {
      return Placement{.kind = Kind::label,
                       .label = std::string{pair.substr(0, equals)},
                       .value = std::string{pair.substr(equals + 1)}};
    }
  }
  return base::Error{base::Errc::invalid_argument,
                     "placement '" + std::string{text} +
                         "': say any, local, spread, least_loaded, node:NAME or label:KEY=VALUE"};
}

base::Result<base::NodeId> place(const Placement& placement, const PlaceRequest& request,
                                 const std::vector<Member>& members, const Loads& loads) {
  const Member* best = nullptr;
  for (const Member& member : members) {
    if (is_placeable(member) && fits(placement, request, member) &&
        (best == nullptr || is_better(placement, request.name, loads, member.id, best->id))) {
      best = &member;
    }
  }
  if (best != nullptr) {
    return best->id;
  }
  const bool is_preference =
      placement.kind == Placement::Kind::local || placement.kind == Placement::Kind::node;
  if (request.again && is_preference) {
    return place(Placement{}, request, members, loads);
  }
  switch (placement.kind) {
    case Placement::Kind::node:
      return base::Error{base::Errc::unavailable, "no node '" + placement.node + "' is up"};
    case Placement::Kind::label:
      return base::Error{base::Errc::unavailable, "no node with the label " + placement.label +
                                                      "=" + placement.value + " is up"};
    default: return base::Error{base::Errc::unavailable, "no node is up that may take it"};
  }
}

Spread spread_workers(std::uint32_t count, const std::vector<Member>& members) {
  const std::vector<base::NodeId> nodes = placeable(members);
  Spread spread;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto size = static_cast<std::uint32_t>(nodes.size());
    spread[nodes[i]] = count / size + (i < count % size ? 1 : 0);
  }
  return spread;
}

SpreadChange respread_workers(const Spread& now, std::uint32_t count,
                              const std::vector<Member>& members) {
  std::vector<base::NodeId> nodes = placeable(members);
  SpreadChange change;
  for (const auto& [node, workers] : now) {
    if (workers > 0 && std::find(nodes.begin(), nodes.end(), node) == nodes.end()) {
      change.stop[node] = workers;
    }
  }
  if (nodes.empty()) {
    return change;
  }
  // Whoever already has more keeps the larger share: that is what makes the moves fewest.
  std::stable_sort(nodes.begin(), nodes.end(), [&](const auto& a, const auto& b) {
    return count_of(now, a) > count_of(now, b);
  });
  const auto size = static_cast<std::uint32_t>(nodes.size());
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t wanted = count / size + (i < count % size ? 1 : 0);
    const std::uint32_t has = count_of(now, nodes[i]);
    if (has < wanted) {
      change.start[nodes[i]] = wanted - has;
    } else if (has > wanted) {
      change.stop[nodes[i]] = has - wanted;
    }
  }
  return change;
}

}  // namespace troupe::registry
