#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/actor_ref.hpp"
#include "actors/envelope.hpp"
#include "actors/exit_reason.hpp"
#include "actors/supervision.hpp"

namespace troupe::actors {

class Actor;

/// What travels in the control lane, by MessageBlock::control. It overtakes all messages and is
/// never refused.
enum class Control : std::uint8_t {
  stop,            ///< StopOrder
  children_ended,  ///< to a parent that waits for its children, or has many ended ones
  child_failed,    ///< ChildExit, to the parent, which answers with restart or stop
  restart,         ///< Restarting, to a failed or halted child
  halt,          ///< to a child that its supervisor will restart: as if it had failed, but in order
  child_halted,  ///< ChildExit, to the parent: what `halt` asked for is done
  kill,          ///< to a child that did not end in time, whose parent has let go of it
  stop_overdue,  ///< to a parent: a child's time to end has passed
  watch,         ///< WatchOrder, to the watched
  link,          ///< WatchOrder: the same, and the watched watches the watcher
  unwatch,       ///< WatchOrder
  unlink,        ///< WatchOrder: neither is linked to the other any more
  terminated,    ///< Ending, to the watcher
  resume,        ///< Wake: a coroutine goes on
  released,      ///< the name of an actor that ended is free again
  call,          ///< Call: a function to run in the actor
};

/// Makes an actor's object, at its start and at every restart.
using ActorFactory = std::function<std::unique_ptr<Actor>()>;

/// Called once when an actor's life ends, before anybody is told, on the actor's thread; `proceed`
/// (from any thread, once) lets the notices go out. For owners of a name that must be free first.
using ExitHook = std::function<void(ExitReason reason, std::function<void()> proceed)>;

/// Takes, when an actor ends, each message that is still in its stash and then in its mailbox, the
/// oldest first, on the actor's thread. Without one, and without a successor, they become dead
/// letters.
using LeftHook = std::function<void(Envelope&& message)>;

struct StopOrder {
  ExitReason reason = ExitReason::stopped;
  std::string text;
  /// Gets what is still queued; the dead letters if empty.
  AnyRef successor;
};
struct ChildExit {
  base::ActorId child;
  ExitReason reason = ExitReason::stopped;
  std::string text;
  std::string label;
  /// The child's, lent to the parent for its decision; comes back with Restarting.
  std::shared_ptr<RestartTracker> restarts;
};
struct Restarting {
  std::shared_ptr<RestartTracker> restarts;
};
struct WatchOrder {
  AnyRef watcher;
};
struct Ending {
  AnyRef actor;
  ExitReason reason = ExitReason::stopped;
  std::string text;
};
struct Wake {
  std::uint64_t token = 0;
};
struct Call {
  std::function<void()> function;
};

template <class T>
Envelope control_envelope(Control control, base::ActorId target, T value) {
  Envelope envelope = Envelope::of(BlockKind::control, local_type<T>, std::move(value));
  envelope->control = static_cast<std::uint8_t>(control);
  envelope->target = target;
  return envelope;
}

}  // namespace troupe::actors
