#include <algorithm>
#include <utility>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"

// Who is told of an actor's end: watchers and links.

namespace troupe::actors {

void ActorCell::add_watcher(const WatchOrder& order, base::ActorId target) {
  if (target == id() && state_ != State::vacant) {
    std::vector<AnyRef>& watchers = parts().watchers;
    if (std::find(watchers.begin(), watchers.end(), order.watcher) == watchers.end()) {
      watchers.push_back(order.watcher);
    }
    return;
  }
  (void)order.watcher.sink()->deliver(
      control_envelope(Control::terminated, order.watcher.id(),
                       Ending{AnyRef{*this, target}, ExitReason::no_such_actor,
                              "the actor had ended before it was watched"}));
}

void ActorCell::add_link(const WatchOrder& order, base::ActorId target) {
  if (target != id()) {
    return;
  }
  std::vector<AnyRef>& links = parts().links;
  if (std::find(links.begin(), links.end(), order.watcher) == links.end()) {
    links.push_back(order.watcher);
  }
  if (Parts::Watched* watched = parts_->find_watched(order.watcher)) {
    watched->is_linked = true;
  } else {
    parts_->watching.push_back({order.watcher, order.watcher, false, true});
  }
}

void ActorCell::drop_link(const WatchOrder& order) {
  Parts::Watched* watched = parts_ ? parts_->find_watched(order.watcher) : nullptr;
  if (watched == nullptr) {
    return;
  }
  std::erase(parts_->links, watched->actual);
  watched->is_linked = false;
  if (!watched->is_watched) {
    parts_->watching.erase(parts_->watching.begin() + (watched - parts_->watching.data()));
  }
}

void ActorCell::ended(const Ending& ending) {
  if (!parts_) {
    return;
  }
  const auto found = std::find_if(parts_->watching.begin(), parts_->watching.end(),
                                  [&](const auto& w) { return w.actual == ending.actor; });
  if (found == parts_->watching.end()) {
    return;
  }
  if (state_ == State::failed) {
    parts_->heard_too_early.push_back(ending);
    return;
  }
  const Parts::Watched watched = *found;
  parts_->watching.erase(found);
  std::erase(parts_->links, ending.actor);
  if (state_ != State::running) {
    return;
  }
  if (type_->terminated != nullptr && (watched.is_watched || type_->traps_exits)) {
    guarded([&] { type_->terminated(*actor_, {watched.as_given, ending.reason, ending.text}); });
    after_user_code();
  }
  if (watched.is_linked && !type_->traps_exits && ending.reason != ExitReason::stopped) {
    fail(ExitReason::linked, "actor " + std::to_string(ending.actor.id().value) +
                                 " ended: " + std::string{to_string(ending.reason)} +
                                 (ending.text.empty() ? "" : ": " + ending.text));
  }
}

/// The object that a restart made hears what ended before it was there.
void ActorCell::catch_up_with_endings() {
  for (const Ending& ending : std::exchange(parts_->heard_too_early, {})) {
    ended(ending);
  }
}

void ActorCell::watch(const AnyRef& actor) {
  if (type_->terminated == nullptr) {
    throw std::logic_error{"watch() wants a handler `on(const Terminated&)`"};
  }
  if (!actor) {
    parts().watching.push_back({actor, actor});
    push_control(
        control_envelope(Control::terminated, id(),
                         Ending{actor, ExitReason::no_such_actor, "the reference is empty"}));
    return;
  }
  const MessageSink::Reached reached = actor.sink()->reached(actor.id());
  const AnyRef actual = reached.sink == nullptr ? actor : AnyRef{*reached.sink, reached.actor};
  for (auto& watched : parts().watching) {
    if (watched.actual == actual) {
      if (std::exchange(watched.is_watched, true)) {
        return;
      }
      watched.as_given = actor;
      request_notice(actual, Control::watch);
      return;
    }
  }
  parts_->watching.push_back({actual, actor});
  request_notice(actual, Control::watch);
}

/// Asks for a notice of an actor's end; where that fails, it is the notice.
void ActorCell::request_notice(const AnyRef& actual, Control kind) {
  const base::Outcome outcome =
      actual.sink()->deliver(control_envelope(kind, actual.id(), WatchOrder{ref()}));
  if (outcome != base::Outcome::accepted) {
    push_control(
        control_envelope(Control::terminated, id(),
                         Ending{actual,
                                outcome == base::Outcome::node_lost ? ExitReason::node_lost
                                                                    : ExitReason::no_such_actor,
                                "it cannot be reached: " + std::string{base::to_string(outcome)}}));
  }
}

void ActorCell::unwatch(const AnyRef& actor) {
  Parts::Watched* watched = parts_ ? parts_->find_watched(actor) : nullptr;
  if (watched == nullptr) {
    return;
  }
  const AnyRef actual = watched->actual;
  watched->is_watched = false;
  if (!watched->is_linked) {
    parts_->watching.erase(parts_->watching.begin() + (watched - parts_->watching.data()));
  }
  (void)actual.sink()->deliver(control_envelope(Control::unwatch, actual.id(), WatchOrder{ref()}));
}

void ActorCell::link(const AnyRef& actor) {
  if (!actor || actor == ref()) {
    return;
  }
  const MessageSink::Reached reached = actor.sink()->reached(actor.id());
  const AnyRef actual = reached.sink == nullptr ? actor : AnyRef{*reached.sink, reached.actor};
  Parts::Watched* watched = parts().find_watched(actual);
  if (watched == nullptr) {
    parts_->watching.push_back({actual, actor, false, true});
  } else if (std::exchange(watched->is_linked, true)) {
    return;
  }
  parts_->links.push_back(actual);
  request_notice(actual, Control::link);
}

void ActorCell::unlink(const AnyRef& actor) {
  Parts::Watched* watched = parts_ ? parts_->find_watched(actor) : nullptr;
  if (watched == nullptr || !watched->is_linked) {
    return;
  }
  const AnyRef actual = watched->actual;
  drop_link({actual});
  (void)actual.sink()->deliver(control_envelope(Control::unlink, actual.id(), WatchOrder{ref()}));
}

}  // namespace troupe::actors
