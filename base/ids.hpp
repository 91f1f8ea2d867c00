#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace troupe::base {

/// One life of a node: a restarted node has the same name and a higher incarnation.
struct NodeId {
  std::string name;
  std::uint64_t incarnation = 0;

  auto operator<=>(const NodeId&) const = default;

  /// "n1#1700000000000".
  [[nodiscard]] std::string text() const { return name + "#" + std::to_string(incarnation); }
};

/// An actor, or a pending request, of one node's incarnation: slot in the low 32 bits, generation
/// above. A value is never used twice within an incarnation. 0 is nobody.
struct ActorId {
  std::uint64_t value = 0;

  auto operator<=>(const ActorId&) const = default;
  explicit operator bool() const { return value != 0; }
};

}  // namespace troupe::base

template <>
struct std::hash<troupe::base::NodeId> {
  std::size_t operator()(const troupe::base::NodeId& id) const {
    return std::hash<std::string>{}(id.name) ^ (id.incarnation * 0x9E3779B97F4A7C15U);
  }
};

template <>
struct std::hash<troupe::base::ActorId> {
  std::size_t operator()(troupe::base::ActorId id) const {
    return static_cast<std::size_t>(id.value * 0x9E3779B97F4A7C15U);
  }
};
