#pragma once

#include <coroutine>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/actor_cell.hpp"
#include "actors/detail/send_state.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"

namespace troupe::actors {

/// A coroutine handler that has not finished.
struct ActorCell::RunningTask {
  Task<Envelope> task;
  Asker asker;
};

/// What a cell knows of the actor that lives in it now.
struct ActorCell::Life {
  struct Child {
    ActorCell* cell = nullptr;
    std::string label;
    RestartTracker restarts;
  };
  struct Suspended {
    std::uint64_t token = 0;
    std::coroutine_handle<> handle;
  };
  struct Timer {
    Timers::Id id = 0;
    base::Duration interval{0};
    std::function<Envelope()> maker;
  };

  Launch launch;
  std::map<base::ActorId, Child> children;
  std::vector<AnyRef> watchers;
  struct Watched {
    AnyRef actual;    ///< whose end is awaited
    AnyRef as_given;  ///< how the actor named it, perhaps by a name
  };
  std::vector<Watched> watching;
  std::vector<RunningTask> tasks;
  std::vector<Suspended> suspended;
  std::uint64_t last_token = 0;
  std::map<std::uint64_t, Timer> timers;
  std::uint64_t last_timer = 0;
  std::optional<base::Random> random;
  bool restart_wanted = false;
  ExitReason exit_reason = ExitReason::stopped;
  std::string exit_text;
  AnyRef successor;
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

struct ActorCell::SenderQueue {
  base::Mutex mutex;
  std::deque<std::shared_ptr<Send::State>> waiting TROUPE_GUARDED_BY(mutex);
};

}  // namespace troupe::actors
