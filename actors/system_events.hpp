#pragma once

#include <cstdint>
#include <string>

#include "actors/exit_reason.hpp"
#include "base/message.hpp"
#include "base/outcome.hpp"

// What an ActorSystem tells to the event stream that it was given; see ActorSystem::set_events().

namespace troupe::actors {

/// An actor's handler threw; its supervisor decides what follows.
struct ActorFailed {
  std::string actor;  ///< its name, or its class's
  std::uint64_t number = 0;
  std::string text;
  TROUPE_MESSAGE(ActorFailed, actor, number, text)
};

/// A supervisor has spent an actor's restarts.
struct ActorGivenUp {
  std::string actor;
  std::uint64_t number = 0;
  std::string text;
  TROUPE_MESSAGE(ActorGivenUp, actor, number, text)
};

/// A message became a dead letter. Of a lost MessageLost nothing is told.
struct MessageLost {
  std::string message;
  std::uint64_t target = 0;
  std::uint64_t sender = 0;
  base::Outcome reason = base::Outcome::stopped;
  std::string cause;  ///< may be empty
  TROUPE_MESSAGE(MessageLost, message, target, sender, reason, cause)
};

}  // namespace troupe::actors
