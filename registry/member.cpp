#include "registry/member.hpp"

#include <tuple>

#include "registry/record.hpp"

namespace troupe::registry {

std::string_view to_string(MemberState state) {
  switch (state) {
    case MemberState::joining: return "joining";
    case MemberState::up: return "up";
    case MemberState::leaving: return "leaving";
    case MemberState::suspect: return "suspect";
    case MemberState::left: return "left";
    case MemberState::down: return "down";
  }
  return "down";
}

std::string_view to_string(NameState state) {
  switch (state) {
    case NameState::unplaced: return "unplaced";
    case NameState::starting: return "starting";
    case NameState::bound: return "bound";
    case NameState::moving: return "moving";
    case NameState::released: return "released";
  }
  return "released";
}

bool is_live(const Member& member) {
  return member.state == MemberState::up || member.state == MemberState::leaving ||
         member.state == MemberState::suspect;
}

bool is_placeable(const Member& member) {
  return member.state == MemberState::up && !member.leaving;
}

bool is_older(const base::NodeId& a, const base::NodeId& b) {
  return std::tie(a.incarnation, a.name) < std::tie(b.incarnation, b.name);
}

std::optional<base::NodeId> leader_of(const std::vector<Member>& members) {
  const Member* best = nullptr;
  for (const Member& member : members) {
    if (!is_live(member)) {
      continue;
    }
    if (best == nullptr || (best->leaving && !member.leaving) ||
        (best->leaving == member.leaving && is_older(member.id, best->id))) {
      best = &member;
    }
  }
  return best == nullptr ? std::nullopt : std::optional{best->id};
}

}  // namespace troupe::registry
