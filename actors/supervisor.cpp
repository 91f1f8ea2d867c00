#include "actors/supervisor.hpp"

#include <algorithm>
#include <stdexcept>

#include "actors/actor_cell.hpp"

namespace troupe::actors {

namespace {

/// The tracker counts failures that are answered with a restart; which ones are is each child's.
RestartPolicy for_all_children(RestartPolicy policy) {
  policy.restart = Restart::permanent;
  return policy;
}

}  // namespace

Supervisor::Supervisor(SupervisorOptions options)
    : options_(std::move(options)), restarts_(for_all_children(options_.restarts), now()) {
  cell().supervise(options_.strategy != Strategy::dynamic);
}

void Supervisor::on_start() {
  for (const ChildSpec& spec : options_.children) {
    const auto added = add_child(spec);
    if (!added.ok()) {
      throw std::runtime_error{"child '" + spec.options.name + "': " + added.error().text()};
    }
  }
}

ChildList Supervisor::on(const WhichChildren&) const {
  ChildList list;
  for (const Child& child : children_) {
    const char* state = child.state == State::running ? "running"
                        : child.state == State::ended ? "ended"
                                                      : "restarting";
    list.children.push_back({child.spec.options.name, child.ref, state});
  }
  return list;
}

base::Result<AnyRef> Supervisor::add_child(ChildSpec spec) {
  const std::string& name = spec.options.name;
  if (name.empty() && options_.strategy != Strategy::dynamic) {
    return base::Error{base::Errc::invalid_argument, "a supervised child needs a name"};
  }
  if (!name.empty() && find(name) != nullptr) {
    return base::Error{base::Errc::already_exists, "a child '" + name + "'"};
  }
  Child child{.spec = std::move(spec), .serial = ++last_serial_};
  const auto started = start(child);
  if (!started.ok()) {
    return started.error();
  }
  children_.push_back(std::move(child));
  return children_.back().ref;
}

base::Result<void> Supervisor::restart_child(const std::string& name) {
  Child* child = find(name);
  if (child == nullptr) {
    return base::Error{base::Errc::not_found, "no child '" + name + "'"};
  }
  if (child->state == State::ended) {
    return start(*child);
  }
  if (child->state == State::running) {
    child->is_wanted_back = true;
    ask_to_stop(*child, false);
  }
  return {};
}

base::Result<void> Supervisor::remove_child(const std::string& name) {
  Child* child = find(name);
  if (child == nullptr) {
    return base::Error{base::Errc::not_found, "no child '" + name + "'"};
  }
  child->is_removed = true;
  if (child->state == State::ended) {
    forget(*child);
  } else {
    ask_to_stop(*child, true);
  }
  return {};
}

AnyRef Supervisor::child(const std::string& name) const {
  for (const Child& child : children_) {
    if (child.spec.options.name == name) {
      return child.ref;
    }
  }
  return {};
}

bool Supervisor::on_child_event(const ChildEvent& event) {
  const auto found = std::find_if(children_.begin(), children_.end(), [&](const Child& child) {
    return child.ref && child.ref.id() == event.child;
  });
  if (found == children_.end()) {
    return true;
  }
  switch (event.kind) {
    case ChildEvent::Kind::failed: failed(*found, event.reason, event.text); break;
    case ChildEvent::Kind::halted:
      if (found->state == State::halting) {
        found->state = State::down;
        if (std::exchange(found->is_wanted_back, false)) {
          revive(*found);
        }
      }
      break;
    case ChildEvent::Kind::ended: has_ended(*found, event.reason); break;
  }
  go_on_with_group();
  return true;
}

void Supervisor::failed(Child& child, ExitReason reason, const std::string& text) {
  if (child.state == State::stopping) {
    return;  // its end follows
  }
  const bool was_halting = std::exchange(child.state, State::down) == State::halting;
  if (was_halting) {
    if (std::exchange(child.is_wanted_back, false)) {
      revive(child);
    }
    return;
  }
  if (!answers_with_restart(child.spec.options.restart.restart, reason)) {
    child.state = State::stopping;
    system().stop(child.ref, reason, text);
    return;
  }
  restart_after_failure(child, reason, text);
}

void Supervisor::has_ended(Child& child, ExitReason reason) {
  const State before = std::exchange(child.state, State::ended);
  child.ref = {};
  if (child.is_removed) {
    forget(child);
    return;
  }
  if (before == State::halting || before == State::down) {
    if (std::exchange(child.is_wanted_back, false)) {
      revive(child);
    }
    return;  // else its group is restarted
  }
  if (before == State::running &&
      answers_with_restart(child.spec.options.restart.restart, reason)) {
    restart_after_failure(child, reason, "it ended");
    return;
  }
  if (!group_ || place_of(child) < group_->first) {
    ended_for_good(child);
  }
}

void Supervisor::ended_for_good(Child& child) {
  const Restart restart = child.spec.options.restart.restart;
  const bool is_significant = child.spec.significant && restart != Restart::permanent;
  if (restart == Restart::temporary || options_.strategy == Strategy::dynamic) {
    forget(child);
  }
  if (is_significant) {
    const auto left = std::count_if(children_.begin(), children_.end(), [](const Child& other) {
      return other.spec.significant && other.state != State::ended;
    });
    if (ends_supervisor(options_.auto_shutdown, static_cast<std::size_t>(left))) {
      stop();
    }
  }
}

void Supervisor::restart_after_failure(Child& child, ExitReason reason, const std::string& text) {
  const ChildRange range = restarted_with(options_.strategy, place_of(child), children_.size());
  if (group_ && range.first >= group_->first) {
    return;  // it is restarted anyway
  }
  const auto decision = restarts_.on_exit(reason, now(), random());
  if (decision.action != RestartTracker::Action::restart) {
    throw std::runtime_error{"its child '" + child.spec.options.name +
                             "' failed too often: " + text};
  }
  if (range.end - range.first == 1 && !group_) {
    later(decision.delay, [this, serial = child.serial] {
      Child* failed_child = find(serial);
      if (failed_child != nullptr) {
        revive(*failed_child);
      }
    });
    return;
  }
  group_ = Group{range.first, base::later(now(), decision.delay), false};
}

/// Stops the group, the last one first; when all are down and the wait is over, starts it again.
void Supervisor::go_on_with_group() {
  if (!group_) {
    return;
  }
  for (std::size_t i = children_.size(); i > group_->first; --i) {
    Child& child = children_[i - 1];
    if (child.state == State::running) {
      ask_to_stop(child, child.spec.options.restart.restart == Restart::temporary);
    }
    if (child.state == State::halting || child.state == State::stopping) {
      return;
    }
  }
  if (now() < group_->restart_at) {
    if (!std::exchange(group_->waits, true)) {
      later(group_->restart_at - now(), [this] {
        if (group_) {
          group_->waits = false;
        }
        go_on_with_group();
      });
    }
    return;
  }
  const auto first = static_cast<std::ptrdiff_t>(group_->first);
  group_.reset();
  children_.erase(std::remove_if(children_.begin() + first, children_.end(),
                                 [](const Child& child) {
                                   return child.state == State::ended &&
                                          child.spec.options.restart.restart == Restart::temporary;
                                 }),
                  children_.end());
  for (auto child = children_.begin() + first; child != children_.end(); ++child) {
    revive(*child);
  }
}

void Supervisor::ask_to_stop(Child& child, bool for_good) {
  child.state = for_good ? State::stopping : State::halting;
  if (for_good) {
    system().stop(child.ref);
  } else {
    cell().halt_child(child.ref);
  }
  if (child.spec.options.stop_timeout < ActorCell::stop_timeout_max) {
    later(child.spec.options.stop_timeout,
          [this, serial = child.serial, ref = child.ref] { kill_if_overdue(serial, ref); });
  }
}

void Supervisor::kill_if_overdue(std::uint64_t serial, const AnyRef& ref) {
  Child* child = find(serial);
  if (child == nullptr || child->ref != ref ||
      (child->state != State::halting && child->state != State::stopping) ||
      !cell().kill_child(ref)) {
    return;
  }
  has_ended(*child, ExitReason::killed);
  go_on_with_group();
}

/// Makes a child run that does not; in its place, if it still has one.
void Supervisor::revive(Child& child) {
  if (child.state == State::down) {
    child.state = State::running;
    cell().restart_child(child.ref);
  } else if (child.state == State::ended) {
    const auto started = start(child);
    if (!started.ok()) {
      throw std::runtime_error{"child '" + child.spec.options.name +
                               "': " + started.error().text()};
    }
  }
}

base::Result<void> Supervisor::start(Child& child) {
  SpawnOptions options = child.spec.options;
  auto spawned =
      system().spawn_any(*child.spec.type, child.spec.maker(), std::move(options), &cell());
  if (!spawned.ok()) {
    return spawned.error();
  }
  child.ref = spawned.value();
  child.state = State::running;
  return {};
}

Supervisor::Child* Supervisor::find(const std::string& name) {
  const auto found = std::find_if(children_.begin(), children_.end(), [&](const Child& child) {
    return child.spec.options.name == name;
  });
  return found == children_.end() ? nullptr : &*found;
}

Supervisor::Child* Supervisor::find(std::uint64_t serial) {
  const auto found = std::find_if(children_.begin(), children_.end(),
                                  [&](const Child& child) { return child.serial == serial; });
  return found == children_.end() ? nullptr : &*found;
}

std::size_t Supervisor::place_of(const Child& child) const {
  return static_cast<std::size_t>(&child - children_.data());
}

void Supervisor::forget(const Child& child) {
  const std::size_t place = place_of(child);
  if (group_ && place < group_->first) {
    --group_->first;
  }
  children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(place));
}

void Supervisor::later(base::Duration delay, std::function<void()> function) {
  (void)cell().call_later(
      delay, [alive = std::weak_ptr<const bool>{alive_}, function = std::move(function)] {
        if (!alive.expired()) {
          function();
        }
      });
}

}  // namespace troupe::actors
