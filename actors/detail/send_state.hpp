#pragma once

#include <cstdint>
#include <memory>

#include "actors/actor_ref.hpp"
#include "actors/envelope.hpp"
#include "actors/suspension.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// One send that waits. Shared among the awaiting coroutine, the queue of the receiver, and the
/// timers and requests that may end it. Thread-safe; ends once.
struct Send::State : std::enable_shared_from_this<Send::State> {
  AnyRef to;
  base::TimePoint deadline;

  base::Mutex mutex;
  Envelope message TROUPE_GUARDED_BY(mutex);
  Suspension waiting TROUPE_GUARDED_BY(mutex);
  bool is_over TROUPE_GUARDED_BY(mutex) = false;
  base::Outcome outcome TROUPE_GUARDED_BY(mutex) = base::Outcome::accepted;

  /// Offers the message to a local mailbox; accepted without effect once it is over.
  base::Outcome try_deliver();
  /// The same by the cell's own turn, which may use its reserve of room.
  base::Outcome try_admit(ActorCell& cell);
  /// Sends to another node with a receipt, again and again while the mailbox there is full.
  void attempt_remote(base::Duration pause);
  /// Only the first end counts; wakes the sender.
  void finish(base::Outcome how);
};

}  // namespace troupe::actors
