#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::actors {

/// Why an actor is gone; also on the wire, by value.
enum class ExitReason : std::uint8_t {
  stopped = 0,        ///< it ended as intended: by itself or by an ordered stop
  crashed = 1,        ///< a handler threw
  killed = 2,         ///< it was ended without being asked
  node_lost = 3,      ///< its node was declared down
  no_such_actor = 4,  ///< it was already gone, or never existed, when the watch began
  linked = 5,         ///< an actor that it was linked to ended abnormally
};
inline constexpr std::uint8_t exit_reason_count = 6;

/// The reason's name as in the enumeration.
[[nodiscard]] constexpr std::string_view to_string(ExitReason reason) {
  switch (reason) {
    case ExitReason::stopped: return "stopped";
    case ExitReason::crashed: return "crashed";
    case ExitReason::killed: return "killed";
    case ExitReason::node_lost: return "node_lost";
    case ExitReason::no_such_actor: return "no_such_actor";
    case ExitReason::linked: return "linked";
  }
  return "crashed";
}

}  // namespace troupe::actors
