#pragma once

#include <atomic>
#include <coroutine>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/send_state.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"

namespace troupe::actors {

/// A coroutine handler that has not finished.
struct ActorCell::RunningTask {
  Task<Envelope> task;
  Asker asker;
};

/// What only some actors use of their cell. Belongs to the turn; lives as long as the actor.
struct ActorCell::Parts {
  struct Suspended {
    std::uint64_t token = 0;
    std::coroutine_handle<> handle;
  };
  struct Timer {
    Timers::Id id = 0;
    base::TimePoint due;
    base::Duration interval{0};
    std::function<Envelope()> maker;
  };
  struct Watched {
    AnyRef actual;    ///< whose end is awaited
    AnyRef as_given;  ///< how the actor named it, perhaps by a name
    bool is_watched = true;
    bool is_linked = false;
  };
  struct Retry {
    /// The handler that throws now leaves its message to a retry, and with it the right to answer.
    bool keeps_asker = false;
    /// Of the message that is retried: the mailbox's front, or `in_hand` if it came from the lane,
    /// whose count it stays in, or `from_task`.
    std::uint32_t crashes = 0;
    Envelope in_hand;
    /// What a coroutine had; counted as delivered until it is handled again.
    Envelope from_task;
  };
  [[nodiscard]] Watched* find_watched(const AnyRef& actor) {
    for (Watched& watched : watching) {
      if (watched.actual == actor || watched.as_given == actor) {
        return &watched;
      }
    }
    return nullptr;
  }

  std::string label;  ///< empty: the type's name
  RestartPolicy restart = SpawnOptions{}.restart;
  ExitHook on_exit;
  LeftHook on_left;
  /// Built by the first failure; away while the parent decides on one.
  std::shared_ptr<RestartTracker> restarts;
  bool keep_mailbox = true;
  /// With OnCrash::retry_message only.
  std::unique_ptr<Retry> retry;
  // For parents that stop their children.
  base::TimePoint stop_began;
  Timers::Id stop_timer = 0;
  base::ActorId stopping_child;  ///< where they are stopped one after another
  bool stops_in_order = false;
  bool is_halting = false;
  // For supervisors.
  bool wants_child_events = false;
  std::deque<ChildEvent> ended_children;
  std::vector<AnyRef> watchers;
  /// Who hears of this actor's end because of a link.
  std::vector<AnyRef> links;
  std::vector<Watched> watching;
  /// Ends of watched and linked actors while this one waits for its restart.
  std::vector<Ending> heard_too_early;
  std::vector<RunningTask> tasks;
  std::uint32_t tasks_max = SpawnOptions::tasks_max_default;
  /// By rising tokens.
  std::vector<Suspended> suspended;
  std::uint64_t last_token = 0;
  std::map<std::uint64_t, Timer> timers;
  std::uint64_t last_timer = 0;
  std::optional<base::Random> random;
  std::string crash_text;
  std::string undecodable;
  std::string exit_text;
  AnyRef successor;
  /// Of the messages in Extras that are put aside; null while nobody wants to know.
  std::shared_ptr<std::atomic<std::uint32_t>> stash_count;
  std::unique_ptr<Extras, ExtrasDeleter> extras;
};

/// The children of one cell, as a ring through their cells in the order of their start.
class ChildRing {
 public:
  static void add(ActorCell& parent, ActorCell& child);
  static void remove(ActorCell& parent, ActorCell& child);
  /// Takes a child from its parent before it ends. False: it is just ending, and stays.
  static bool orphan(ActorCell& parent, ActorCell& child);
  /// The last one started; null if there is none.
  [[nodiscard]] static ActorCell* last_of(const ActorCell& parent) {
    return parent.is_childless() ? nullptr : &parent.system().cell(parent.last_child_);
  }
  [[nodiscard]] static std::uint32_t stop_timeout_ms_of(const ActorCell& child) {
    return child.stop_timeout_ms_;
  }
  /// From the last one started to the first; `function` must not change the ring.
  template <class Function>
  static void visit(ActorCell& parent, Function&& function) {
    ActorSystem& system = parent.system();
    if (parent.last_child_ == ActorCell::no_cell) {
      return;
    }
    ActorCell* child = &system.cell(parent.last_child_);
    do {
      function(*child);
      child = &system.cell(child->previous_sibling_);
    } while (child->index() != parent.last_child_);
  }
};

/// Calls user code: the one place where its exceptions are caught.
template <class Function>
void ActorCell::guarded(Function&& function) {
  try {
    function();
  } catch (...) {
    note_exception();
  }
}

}  // namespace troupe::actors
