#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::base {

/// How a send ended; the same list locally and remotely, also on the wire (by value).
enum class [[nodiscard]] Outcome : std::uint8_t {
  accepted = 0,       ///< in the receiver's mailbox, or holding a place reserved for it
  mailbox_full = 1,   ///< the receiver's bound, or the link's towards it, is reached
  no_such_actor = 2,  ///< nobody has this name or id
  stopped = 3,        ///< the receiver has terminated
  node_lost = 4,      ///< the receiver's node was declared down
  expired = 5,        ///< the deadline passed before it was handled
  refused = 6,        ///< not allowed, or not in the receiver's protocol
  undecodable = 7,    ///< the body does not fit the message's fields
  cancelled = 8,      ///< its asker gave it up before it was handled
};
inline constexpr std::uint8_t outcome_count = 9;

/// The outcome's name as in the enumeration.
[[nodiscard]] constexpr std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted: return "accepted";
    case Outcome::mailbox_full: return "mailbox_full";
    case Outcome::no_such_actor: return "no_such_actor";
    case Outcome::stopped: return "stopped";
    case Outcome::node_lost: return "node_lost";
    case Outcome::expired: return "expired";
    case Outcome::refused: return "refused";
    case Outcome::undecodable: return "undecodable";
    case Outcome::cancelled: return "cancelled";
  }
  return "refused";
}

}  // namespace troupe::base
