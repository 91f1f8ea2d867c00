#pragma once

#include <coroutine>
#include <cstdint>
#include <string_view>

#include "base/ids.hpp"

namespace troupe::actors {

class ActorCell;

/// A coroutine handler that waits, and the way to wake it: it goes on in its actor, as a control
/// message. Cheap to copy; safe to keep after the actor's death, when resume() does nothing.
class Suspension {
 public:
  Suspension() = default;

  /// Called in await_suspend: the coroutine of the actor that runs on this thread. Aborts outside
  /// of an actor, where nothing could wake it.
  [[nodiscard]] static Suspension of_current_actor(std::coroutine_handle<> waiting);

  /// For what a coroutine of an actor has done without waiting: true when that was enough for one
  /// turn; it is then suspended, and goes on when others have had theirs.
  [[nodiscard]] static bool pause_if_due(std::coroutine_handle<> running);

  /// Before this thread blocks in `what`: throws std::logic_error in an actor that shares the
  /// system's workers.
  static void check_may_block(std::string_view what);

  /// Wakes the coroutine; only the first call has an effect. Thread-safe.
  void resume() const;

  explicit operator bool() const { return cell_ != nullptr; }

 private:
  ActorCell* cell_ = nullptr;
  base::ActorId actor_;
  std::uint64_t token_ = 0;
};

}  // namespace troupe::actors
