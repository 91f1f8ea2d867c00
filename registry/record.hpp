#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/ids_wire.hpp"
#include "base/message.hpp"

namespace troupe::registry {

/// Where a name stands. Also on the wire, by value; of two records with one epoch the higher
/// state is the newer.
enum class NameState : std::uint8_t {
  unplaced = 0,  ///< no member fits its placement now; started as soon as one does
  starting = 1,  ///< `holder` was told to start the actor
  bound = 2,     ///< `actor` runs at `holder`
  moving = 3,    ///< `holder` was told to stop it; it is started elsewhere after that
  released = 4,  ///< free; kept for a while so that an older record cannot come back
};
inline constexpr std::uint8_t name_state_count = 5;

/// The state's name as in the enumeration.
[[nodiscard]] std::string_view to_string(NameState state);

/// A request that is repeated until it is answered keeps its id, so that it is granted once.
struct ClaimId {
  base::NodeId requester;
  std::uint64_t number = 0;  ///< counts the claims of this requester; 0 is no claim
  auto operator<=>(const ClaimId&) const = default;
  TROUPE_MESSAGE(ClaimId, requester, number)
};

/// What the cluster knows of one name.
struct Record {
  std::string name;
  /// Grows with every new holder, over the whole cluster: term of the leader that granted it
  /// times 1,000,000 plus a count, so that two grants never share one.
  std::uint64_t epoch = 0;
  base::NodeId holder;
  base::ActorId actor;  ///< 0 while it is being started
  NameState state = NameState::unplaced;
  std::string kind;       ///< registered kind to start it as; empty if only its node can
  base::Bytes args;       ///< opaque arguments for the kind
  bool respawn = false;   ///< started elsewhere when its node dies or leaves
  std::string placement;  ///< text of placement.hpp
  ClaimId claim;
  std::uint32_t failures = 0;  ///< starts in a row that failed
  TROUPE_MESSAGE(Record, name, epoch, holder, actor, state, kind, args, respawn, placement, claim,
                 failures)
};

}  // namespace troupe::registry
