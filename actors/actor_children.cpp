#include <algorithm>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"
#include "actors/system_events.hpp"
#include "base/log.hpp"

// A cell and its children: their ring, their ends and failures, stopping and letting go of them.

namespace troupe::actors {

void ChildRing::add(ActorCell& parent, ActorCell& child) {
  ActorSystem& system = parent.system();
  const std::uint32_t index = child.index();
  if (parent.last_child_ == ActorCell::no_cell) {
    child.next_sibling_ = index;
    child.previous_sibling_ = index;
  } else {
    ActorCell& last = system.cell(parent.last_child_);
    child.next_sibling_ = last.next_sibling_;
    child.previous_sibling_ = parent.last_child_;
    system.cell(last.next_sibling_).previous_sibling_ = index;
    last.next_sibling_ = index;
  }
  parent.last_child_ = index;
}

void ChildRing::remove(ActorCell& parent, ActorCell& child) {
  ActorSystem& system = parent.system();
  if (child.next_sibling_ == child.index()) {
    parent.last_child_ = ActorCell::no_cell;
    return;
  }
  system.cell(child.next_sibling_).previous_sibling_ = child.previous_sibling_;
  system.cell(child.previous_sibling_).next_sibling_ = child.next_sibling_;
  if (parent.last_child_ == child.index()) {
    parent.last_child_ = child.previous_sibling_;
  }
}

bool ChildRing::orphan(ActorCell& parent, ActorCell& child) {
  std::uint32_t index = parent.index();
  if (child.parent_.load(std::memory_order_acquire) != index) {
    return false;
  }
  remove(parent, child);  // before another thread may use the cell again
  if (!child.parent_.compare_exchange_strong(index, ActorCell::orphaned,
                                             std::memory_order_acq_rel)) {
    add(parent, child);
    return false;
  }
  return true;
}

bool ActorCell::has_children() {
  return is_root() ? system().has_root_children() : last_child_ != no_cell;
}

/// Asks the children to end, the last one started first, and awaits them.
void ActorCell::stop_children() {
  if (is_root()) {
    system().stop_root_children();
    return;
  }
  if (last_child_ == no_cell) {
    return;
  }
  ended_children_.fetch_or(awaited_bit, std::memory_order_acq_rel);
  collect_ended_children();
  if (last_child_ == no_cell) {
    return;
  }
  if (parts().stops_in_order) {
    stop_last_child();
    return;
  }
  parts_->stop_began = system().clock().now();
  ChildRing::visit(*this, [this](ActorCell& child) { system().stop({child, child.last_id()}); });
  arm_stop_timer();
}

void ActorCell::stop_last_child() {
  ActorCell& child = system().cell(last_child_);
  parts_->stop_began = system().clock().now();
  parts_->stopping_child = child.last_id();
  system().stop({child, parts_->stopping_child});
  arm_stop_timer();
}

/// For the earliest time at which a child that was asked to end is overdue.
void ActorCell::arm_stop_timer() {
  std::uint32_t timeout_ms = stop_timeout_never;
  if (parts_->stops_in_order) {
    timeout_ms = system().cell(last_child_).stop_timeout_ms_;
  } else {
    ChildRing::visit(*this, [&](const ActorCell& child) {
      timeout_ms = std::min(timeout_ms, child.stop_timeout_ms_);
    });
  }
  if (parts_->stop_timer != 0) {
    system().timers().cancel(std::exchange(parts_->stop_timer, 0));
  }
  if (timeout_ms != stop_timeout_never) {
    parts_->stop_timer = system().timers().add(
        parts_->stop_began + std::chrono::milliseconds{timeout_ms}, [this, owner = id()] {
          push_control(control_envelope(Control::stop_overdue, owner, Call{}));
        });
  }
}

void ActorCell::let_go_of_overdue_children() {
  if (state_ != State::failed && state_ != State::stopping) {
    return;
  }
  if (is_root()) {
    system().let_go_of_overdue_root_child();
    children_ended();
    return;
  }
  collect_ended_children();
  const base::Duration waited = system().clock().now() - parts().stop_began;
  std::vector<ActorCell*> overdue;
  if (last_child_ != no_cell) {
    ChildRing::visit(*this, [&](ActorCell& child) {
      const bool was_asked = !parts_->stops_in_order || child.index() == last_child_;
      if (was_asked && child.stop_timeout_ms_ != stop_timeout_never &&
          waited >= std::chrono::milliseconds{child.stop_timeout_ms_}) {
        overdue.push_back(&child);
      }
    });
  }
  for (ActorCell* child : overdue) {
    const base::ActorId child_id = child->last_id();
    if (let_go_of(*child)) {
      base::log(base::LogLevel::error, "actors",
                "actor {} did not end within the time that '{}' gives it, and is killed",
                child_id.value, label());
    }
  }
  if (last_child_ == no_cell) {
    children_are_gone();
  } else if (parts_->stops_in_order) {
    stop_next_in_order();
  } else {
    arm_stop_timer();
  }
}

void ActorCell::stop_next_in_order() {
  if (system().cell(last_child_).last_id() != parts_->stopping_child) {
    stop_last_child();
  }
}

void ActorCell::let_go_of_children() {
  if (last_child_ == no_cell) {
    return;
  }
  ended_children_.fetch_or(awaited_bit, std::memory_order_acq_rel);
  collect_ended_children();
  std::vector<ActorCell*> children;
  ChildRing::visit(*this, [&](ActorCell& child) { children.push_back(&child); });
  for (ActorCell* child : children) {
    let_go_of(*child);
  }
}

/// False: it is just ending, and comes to the ended children.
bool ActorCell::let_go_of(ActorCell& child) {
  const base::ActorId child_id = child.last_id();
  if (!ChildRing::orphan(*this, child)) {
    return false;
  }
  child.push_control(control_envelope(Control::kill, child_id, Call{}));
  return true;
}

void ActorCell::tell_parent_of_end() {
  if (is_root()) {
    system().root_ended();
    return;
  }
  system().count_ended();
  const std::uint32_t parent_index = parent_.exchange(ended_first, std::memory_order_acq_rel);
  if (parent_index == orphaned) {
    system().give_back(*this);
    return;
  }
  ActorCell& parent = system().cell(parent_index);
  if (parent.is_root()) {
    system().end_root_child(*this);
    return;
  }
  // From the push on the parent may end, and this cell may have its next life.
  const base::ActorId parent_id = parent.id();
  if (parent.push_ended_child(*this)) {
    parent.push_control(control_envelope(Control::children_ended, parent_id, Call{}));
  }
}

/// Called by the child. True: this cell is to be told.
bool ActorCell::push_ended_child(ActorCell& child) {
  static_assert(ActorSystem::actors_max <= ended_index_mask);
  std::uint32_t before = ended_children_.load(std::memory_order_relaxed);
  std::uint32_t count = 0;
  std::uint32_t after = 0;
  do {
    // An index is stored plus one: 0 is none, as no_cell plus one is.
    child.last_child_ = (before & ended_index_mask) - 1;
    count = std::min(((before & ~awaited_bit) >> ended_count_shift) + 1, 255U);
    after = (before & awaited_bit) | (count << ended_count_shift) | (child.index() + 1);
    // pairs with the acquire in collect_ended_children()
  } while (!ended_children_.compare_exchange_weak(before, after, std::memory_order_acq_rel,
                                                  std::memory_order_relaxed));
  return ((before & awaited_bit) != 0 && count == 1) || count == ended_children_max;
}

void ActorCell::collect_ended_children() {
  if ((ended_children_.load(std::memory_order_relaxed) & ended_index_mask) == 0) {
    return;
  }
  const std::uint32_t ended = ended_children_.fetch_and(awaited_bit, std::memory_order_acquire);
  std::uint32_t next = (ended & ended_index_mask) - 1;
  while (next != no_cell) {
    ActorCell& child = system().cell(next);
    next = child.last_child_;
    ChildRing::remove(*this, child);
    if (parts_ && parts_->wants_child_events) {
      parts_->ended_children.push_back(
          {ChildEvent::Kind::ended, child.last_id(), child.exit_reason_, {}});
    }
    system().give_back(child);
  }
}

void ActorCell::children_ended() {
  collect_ended_children();
  if (state_ == State::running) {
    while (state_ == State::running && parts_ && !parts_->ended_children.empty()) {
      const ChildEvent event = std::move(parts_->ended_children.front());
      parts_->ended_children.pop_front();
      tell_supervisor(event);
    }
    return;
  }
  if (!has_children()) {
    children_are_gone();
  } else if (is_root()) {
    system().stop_last_root_child();
  } else if (parts().stops_in_order) {
    stop_next_in_order();
  }
}

void ActorCell::children_are_gone() {
  if (is_root()) {
    system().end_root_stop();
  }
  if (parts_ && parts_->stop_timer != 0) {
    system().timers().cancel(std::exchange(parts_->stop_timer, 0));
  }
  if (state_ == State::stopping) {
    finish_stop();
    return;
  }
  if (state_ != State::failed) {
    return;
  }
  if (parts().is_halting) {
    tell_halted();
  }
  if (restart_wanted_) {
    restart();
  }
}

void ActorCell::tell_supervisor(const ChildEvent& event) {
  if (state_ != State::running) {
    return;
  }
  guarded([&] { actor_->on_child_event(event); });
  after_user_code();
}

void ActorCell::supervise(bool in_order) {
  parts().wants_child_events = true;
  parts_->stops_in_order = in_order;
  parts_->ended_children.clear();
  ended_children_.fetch_or(awaited_bit, std::memory_order_acq_rel);
}

void ActorCell::halt_child(const AnyRef& child) {
  child.sink()->local_cell()->push_control(control_envelope(Control::halt, child.id(), Call{}));
}

void ActorCell::restart_child(const AnyRef& child) {
  child.sink()->local_cell()->push_control(
      control_envelope(Control::restart, child.id(), Restarting{}));
}

bool ActorCell::kill_child(const AnyRef& child) {
  collect_ended_children();
  ActorCell& cell = *child.sink()->local_cell();
  return cell.last_id() == child.id() && cell.parent_.load(std::memory_order_acquire) == index() &&
         let_go_of(cell);
}

Timers::Id ActorCell::call_later(base::Duration delay, std::function<void()> function) {
  return system().timers().add(
      base::later(system().clock().now(), delay),
      [this, owner = id(), function = std::move(function)] {
        push_control(control_envelope(Control::call, owner, Call{function}));
      });
}

void ActorCell::child_failed(const ChildExit& exit) {
  ActorCell& child = system().cell(static_cast<std::uint32_t>(exit.child.value));
  if (state_ != State::running || child.id() != exit.child ||
      child.parent_.load(std::memory_order_acquire) != index()) {
    return;
  }
  if (parts_ && parts_->wants_child_events) {
    tell_supervisor({ChildEvent::Kind::failed, exit.child, exit.reason, exit.text});
    return;
  }
  const AnyRef ref{child, exit.child};
  const base::TimePoint now = system().clock().now();
  const auto decision = exit.restarts->on_exit(exit.reason, now, random());
  switch (decision.action) {
    case RestartTracker::Action::restart:
      (void)system().timers().add(
          base::later(now, decision.delay), [ref, restarts = exit.restarts] {
            (void)ref.sink()->deliver(
                control_envelope(Control::restart, ref.id(), Restarting{restarts}));
          });
      return;
    case RestartTracker::Action::escalate:
      base::log(base::LogLevel::error, "actors", "actor '{}' failed too often and is given up: {}",
                exit.label, exit.text);
      system().tell_event(ActorGivenUp{exit.label, exit.child.value, exit.text});
      system().stop(ref, exit.reason, exit.text);
      if (!is_root()) {
        fail(ExitReason::crashed, "its child '" + exit.label + "' failed too often: " + exit.text);
      }
      return;
    case RestartTracker::Action::stop: system().stop(ref, exit.reason, exit.text); return;
  }
}

}  // namespace troupe::actors
