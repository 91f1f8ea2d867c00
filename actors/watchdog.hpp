#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/worker_pool.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"

namespace troupe::actors {

struct WatchdogOptions {
  /// A turn that takes longer is reported, after one and a half times as long at the latest. Longer
  /// spares what computes for a while, shorter tells sooner. Looking costs a reading a worker.
  base::Duration turn_max = std::chrono::seconds{5};
  /// The log tells of an actor on a thread of its own, as information, when one handler has been
  /// running for longer, half of turn_max later at the latest: it may block there and keeps nobody
  /// else from running, but perhaps it was not to block so long.
  base::Duration own_thread_max = std::chrono::minutes{1};
  /// What the log calls an actor besides its number, or empty. Called where the timers run.
  std::function<std::string(base::ActorId)> name_of;
};

/// An actor whose handler has not returned, or whose turn is that long.
struct StuckActor {
  base::ActorId actor;
  /// Its class.
  std::string type;
  std::uint32_t worker = 0;
  /// It has kept the worker for at least so long.
  base::Duration duration{0};
};

/// An actor that has been in one handler for long, on a thread of its own, where it may block.
struct BlockedActor {
  base::ActorId actor;
  /// Its class.
  std::string type;
  /// The handler has been running for at least so long.
  base::Duration duration{0};
};

/// An actor that sends to itself without end: no turn is too long, but it is never idle.
struct EndlessActor {
  base::ActorId actor;
  /// Its class.
  std::string type;
  /// For so long it was found, at each look, with a message of its own as the next one.
  base::Duration duration{0};
};

/// Names the actors that keep a worker for too long: in the log, once a turn, and to whoever asks.
/// Tells apart from them those that block a thread of their own, and those that keep themselves busy
/// with messages to themselves for turn_max (not of a mailbox with a policy). Costs a running actor
/// nothing, but for one look into its own mailbox, in its turn, where it was found running.
///
/// Thread-safe. Looks at intervals, by a timer of the system; ends with its destruction. The system
/// and the pool outlive it. What it sees may just have ended.
class Watchdog {
 public:
  Watchdog(ActorSystem& system, const WorkerPool& pool, WatchdogOptions options = {});
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Those that were stuck when it last looked and still are.
  [[nodiscard]] std::vector<StuckActor> stuck() const;
  /// Those on threads of their own whose handler was running for turn_max when it last looked, and
  /// still is.
  [[nodiscard]] std::vector<BlockedActor> blocked() const;
  /// Those that had been sending to themselves for turn_max when it last looked.
  [[nodiscard]] std::vector<EndlessActor> endless() const;
  /// Of the pool.
  [[nodiscard]] std::uint32_t workers() const;

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state);

  /// Shared with the timer, which may be running while this is destroyed.
  std::shared_ptr<State> state_;
};

}  // namespace troupe::actors
