#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "actors/actor_cell.hpp"
#include "actors/behaviour.hpp"
#include "actors/mailbox_policy.hpp"
#include "actors/timers.hpp"

namespace troupe::actors {

/// What few actors use: behaviours, stash, receive timeout, replies to members, executors. Made
/// when one of them is first used, kept over restarts; belongs to the actor's turn.
struct ActorCell::Extras {
  explicit Extras(const ActorType& own);

  const ActorType* plain;
  /// The actor's type with a dispatch that knows of these extras; in use once one of them needs it.
  /// Lives for ever, because others may read the type's name.
  const ActorType* type;
  /// Counts the objects that lived here: what was meant for one is not given to the next.
  std::uint64_t object = 1;

  std::unique_ptr<BehaviourBase> behaviour;
  /// Left behaviours of which a handler may still run.
  std::vector<std::unique_ptr<BehaviourBase>> left;

  std::deque<Envelope> stash;
  /// What was taken out of the stash and is handled before what the mailbox has.
  std::deque<Envelope> replay;
  std::uint32_t stash_max = stash_max_default;
  /// Of both; counted where there is a bound.
  std::size_t stash_bytes = 0;
  std::size_t stash_bytes_max = 0;
  [[nodiscard]] std::size_t stashed_bytes_of(const MessageBlock& message) const {
    return stash_bytes_max != 0 ? bytes_of(message) : 0;
  }

  std::map<std::uint64_t, std::function<void(Envelope&&)>> piped;
  std::uint64_t last_pipe = 0;
  /// Waits until no coroutine holds the mailbox.
  std::deque<std::function<void()>> deferred;
  /// Control is on its way that handles more of `deferred` and `replay`.
  bool goes_on = false;

  base::Duration idle_max{0};
  base::TimePoint last_message;
  std::uint64_t idle_round = 0;
  Timers::Id idle_timer = 0;
  bool idle_told = false;
};

}  // namespace troupe::actors
