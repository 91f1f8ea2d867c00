#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/ids_wire.hpp"
#include "base/message.hpp"

namespace troupe::registry {

/// What the cluster believes of one life of a node. Also on the wire, by value.
enum class MemberState : std::uint8_t {
  joining = 0,  ///< linked to us, not yet part of a cluster
  up = 1,       ///< takes part
  leaving = 2,  ///< takes part, is given nothing new, hands over what it holds
  suspect = 3,  ///< does not answer; down soon unless it refutes
  left = 4,     ///< went in order; this life never comes back
  down = 5,     ///< declared dead; this life never comes back
};
inline constexpr std::uint8_t member_state_count = 6;

/// The state's name as in the enumeration.
[[nodiscard]] std::string_view to_string(MemberState state);

/// One node as the cluster knows it.
struct Member {
  base::NodeId id;
  std::string address;
  std::map<std::string, std::string> labels;
  MemberState state = MemberState::joining;
  bool leaving = false;          ///< has begun to leave; stays set while it is a suspect
  std::uint64_t refutation = 0;  ///< raised by the member itself to outdo what is said of it
  TROUPE_MESSAGE(Member, id, address, labels, state, leaving, refutation)
};

/// Part of the cluster and not dead: up, leaving or suspect.
[[nodiscard]] bool is_live(const Member& member);
/// May be given something new: up and not leaving.
[[nodiscard]] bool is_placeable(const Member& member);
/// "Older" nodes come first: by incarnation (their start), then by name.
[[nodiscard]] bool is_older(const base::NodeId& a, const base::NodeId& b);
/// The oldest live member that is not leaving; if all are leaving, the oldest of them.
[[nodiscard]] std::optional<base::NodeId> leader_of(const std::vector<Member>& members);

}  // namespace troupe::registry
