#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/ids.hpp"
#include "registry/member.hpp"
#include "registry/record.hpp"

namespace troupe::registry {

/// A node has become part of the cluster, or was found to be.
struct MemberUp {
  Member member;
};
struct MemberSuspect {
  Member member;
};
/// A suspect has shown that it lives.
struct MemberAlive {
  Member member;
};
struct MemberLeaving {
  Member member;
};
struct MemberLeft {
  Member member;
};
/// Never taken back. Cut the link to this id now; its names are given away after this.
struct MemberDown {
  Member member;
  std::string reason;
};
/// This node is part of a cluster; once.
struct Ready {};
/// The others have declared this life of the node dead: stop, or restart with a new incarnation.
struct SelfDown {
  std::string reason;
};
/// This node did not run for `gap`, by its own clock.
struct SelfPaused {
  base::Duration gap;
};
struct LeaderChanged {
  base::NodeId leader;
};

/// Create the actor here, then answer bound() or failed() with this name and epoch.
struct StartHere {
  Record record;
};
/// Stop the actor, then answer stopped() with this name and epoch. The actor is 0 if it was not
/// bound yet.
struct StopHere {
  std::string name;
  std::uint64_t epoch;
  base::ActorId actor;
  std::string reason;
};
/// The name can be sent to: new holder, or the first.
struct NameBound {
  Record record;
};
/// The name is free, or its holder is gone and the next is not bound yet (record.state says).
struct NameReleased {
  Record record;
};
/// The end of one claim: the bound record; already_exists (context: who holds it), unavailable (no
/// member fits), refused (the start failed, and why), closed (this node is leaving).
struct ClaimDone {
  std::uint64_t token;
  base::Result<Record> result;
};
/// Everything this node held by name is handed over; `moved` names went to other members.
struct Drained {
  std::uint64_t moved;
};

/// Members of a group came or went on one node.
struct GroupChanged {
  std::string group;
  base::NodeId node;
  std::vector<base::ActorId> joined;
  std::vector<base::ActorId> parted;
};

using Event = std::variant<MemberUp, MemberSuspect, MemberAlive, MemberLeaving, MemberLeft,
                           MemberDown, Ready, SelfDown, SelfPaused, LeaderChanged, StartHere,
                           StopHere, NameBound, NameReleased, ClaimDone, Drained, GroupChanged>;

/// One cluster record for a peer. Without a link to it, drop it: what matters is repeated.
struct Send {
  base::NodeId to;
  base::Bytes body;
};

/// What one step asks the caller to do: sends first, then connects, then events, each in order.
struct [[nodiscard]] Effects {
  std::vector<Send> sends;
  std::vector<std::string> connects;  ///< addresses to dial, unless a link to them exists
  std::vector<Event> events;
};

}  // namespace troupe::registry
