#pragma once

#include <cstdint>
#include <string>

#include "actors/exit_reason.hpp"
#include "base/message.hpp"
#include "base/outcome.hpp"

// What an ActorSystem tells to the event stream that it was given; see ActorSystem::set_events().

namespace troupe::actors {

/// An actor's handler, constructor or on_start() threw, its child's restarts were spent, or an
/// actor that it is linked to ended; its supervisor decides what follows.
struct ActorFailed {
  std::string actor;         ///< its name, or its class's
  std::uint64_t number = 0;  ///< of its ActorId
  std::string text;          ///< for a person, e.g. what was thrown
  TROUPE_MESSAGE(ActorFailed, actor, number, text)
};

/// A supervisor has spent an actor's restarts, and ends it. The fields as in ActorFailed, of the
/// last failure.
struct ActorGivenUp {
  std::string actor;
  std::uint64_t number = 0;
  std::string text;
  TROUPE_MESSAGE(ActorGivenUp, actor, number, text)
};

/// A message became a dead letter, whose fields these are; the actors by the numbers of their ids.
/// Of a lost MessageLost nothing is told.
struct MessageLost {
  std::string message;
  std::uint64_t target = 0;
  std::uint64_t sender = 0;
  base::Outcome reason = base::Outcome::stopped;
  std::string cause;  ///< may be empty
  TROUPE_MESSAGE(MessageLost, message, target, sender, reason, cause)
};

}  // namespace troupe::actors
