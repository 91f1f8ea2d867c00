#include <algorithm>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"
#include "base/log.hpp"

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

base::ActorId ActorCell::begin_life(const ActorType& type, MakerPtr maker, SpawnOptions& options,
                                    ActorCell* parent, Scheduler& scheduler) {
  const std::uint64_t last = id_.load(std::memory_order_relaxed);
  const std::uint64_t generation = ((last >> 32U) + 1) & 0x7FFF'FFFFU;
  const std::uint64_t id = (generation << 32U) | index();
  type_ = &type;
  maker_ = std::move(maker);
  parent_ = parent != nullptr ? parent->index() : no_cell;
  last_child_ = no_cell;
  ended_children_.store(0, std::memory_order_relaxed);
  exit_reason_ = ExitReason::stopped;
  if (!options.name.empty() || options.on_exit || options.on_left ||
      options.restart != SpawnOptions::restart_default) {
    parts().label = std::move(options.name);
    parts_->on_exit = std::move(options.on_exit);
    parts_->on_left = std::move(options.on_left);
    parts_->restart = options.restart;
  }
  state_ = State::launching;
  set_policy(options);
  scheduler_.store(&scheduler, std::memory_order_release);
  id_.store(id, std::memory_order_release);
  takes_.store(options.has_plain_mailbox() ? Takes::plain : Takes::by_policy,
               std::memory_order_release);
  return {id};
}

void ActorCell::handle_control(Envelope control) {
  const auto kind = static_cast<Control>(control->control);
  if (control->target != id() || state_ == State::vacant) {
    if (kind == Control::watch) {
      add_watcher(control->as<WatchOrder>(), control->target);
    }
    return;
  }
  switch (kind) {
    case Control::stop: {
      auto& order = control->as<StopOrder>();
      if (order.successor) {
        parts().successor = order.successor;
      }
      begin_stop(order.reason, std::move(order.text));
      return;
    }
    case Control::children_ended:
      collect_ended_children();
      if (!has_children()) {
        children_are_gone();
      }
      return;
    case Control::child_failed: child_failed(control->as<ChildExit>()); return;
    case Control::restart:
      if (state_ == State::failed) {
        parts().restarts = std::move(control->as<Restarting>().restarts);
        restart_wanted_ = true;
        if (!has_children()) {
          create_actor();
        }
      }
      return;
    case Control::watch: add_watcher(control->as<WatchOrder>(), control->target); return;
    case Control::unwatch:
      if (parts_) {
        std::erase(parts_->watchers, control->as<WatchOrder>().watcher);
      }
      return;
    case Control::terminated: ended(control->as<Ending>()); return;
    case Control::resume: resume(control->as<Wake>().token); return;
    case Control::released:
      if (state_ == State::releasing) {
        complete_termination();
      }
      return;
    case Control::call:
      if (state_ == State::running) {
        guarded([&] { control->as<Call>().function(); });
        after_user_code();
        run_deferred();
      }
      return;
  }
}

ActorCell::Parts& ActorCell::parts() {
  if (!parts_) {
    parts_ = std::make_unique<Parts>();
  }
  return *parts_;
}

std::string_view ActorCell::label() const {
  return parts_ && !parts_->label.empty() ? std::string_view{parts_->label} : type_->name;
}

/// Makes the actor's object: at the start, and again after a failure.
void ActorCell::create_actor() {
  state_ = State::running;
  const bool is_restart = std::exchange(restart_wanted_, false);
  ended_children_.fetch_and(~awaited_bit, std::memory_order_relaxed);
  guarded([&] {
    actor_ = maker_->make();
    if (is_restart) {
      actor_->on_restart(std::exchange(parts().crash_text, {}));
    }
    actor_->on_start();
  });
  if (is_restart && parts_->extras) {
    unstash_all();
  }
  after_user_code();
}

void ActorCell::fail(std::string text) {
  if (state_ != State::running) {
    return;
  }
  state_ = State::failed;
  base::log(base::LogLevel::warn, "actors", "actor '{}' crashed: {}", label(), text);
  destroy_tasks(base::Outcome::stopped, "the actor crashed");
  cancel_timers();
  actor_.reset();
  parts().crash_text = text;
  stop_children();
  if (parent_ == no_cell) {
    begin_stop(ExitReason::crashed, std::move(text));
    return;
  }
  ActorCell& parent = system().cell(parent_);
  if (!parts().restarts) {
    parts_->restarts = std::make_shared<RestartTracker>(parts_->restart, system().clock().now());
  }
  parent.push_control(
      control_envelope(Control::child_failed, parent.id(),
                       ChildExit{id(), ExitReason::crashed, std::move(text), std::string{label()},
                                 std::move(parts_->restarts)}));
}

void ActorCell::begin_stop(ExitReason reason, std::string text) {
  if (state_ != State::running && state_ != State::failed) {
    return;
  }
  const bool was_running = state_ == State::running;
  state_ = State::stopping;
  takes_.store(Takes::nothing, std::memory_order_release);
  exit_reason_ = reason;
  if (!text.empty()) {
    parts().exit_text = std::move(text);
  }
  if (parts_) {
    destroy_tasks(base::Outcome::stopped, "the actor was stopped");
    cancel_timers();
  }
  if (was_running) {
    stop_children();
  }
  if (!has_children()) {
    finish_stop();
  }
}

void ActorCell::finish_stop() {
  if (actor_) {
    guarded([this] { actor_->on_stop(exit_reason_); });
    crashed_ = false;
    actor_.reset();
  }
  if (parts_ && parts_->extras) {
    flush_stash();
  }
  flush_mailbox();
  refuse_waiting_senders();
  if (!parts_ || !parts_->on_exit) {
    complete_termination();
    return;
  }
  state_ = State::releasing;
  const ExitHook hook = std::move(parts_->on_exit);
  hook(exit_reason_, [this, ended_id = id()] {
    push_control(control_envelope(Control::released, ended_id, Call{}));
  });
}

/// The last step of a life: from here on the number is nobody's, and everybody is told.
void ActorCell::complete_termination() {
  const base::ActorId ended_id = id();
  state_ = State::vacant;
  stop_requested_ = false;
  // The thread that it had to itself may be gone.
  scheduler_.store(&system().scheduler(), std::memory_order_release);
  id_.store(ended_id.value | vacant_bit, std::memory_order_release);
  flush_mailbox();
  const std::unique_ptr<Parts> parts = std::move(parts_);
  maker_.reset();
  if (parts) {
    for (const auto& watched : parts->watching) {
      (void)watched.actual.sink()->deliver(control_envelope(Control::unwatch, watched.actual.id(),
                                                            WatchOrder{AnyRef{*this, ended_id}}));
    }
    for (const AnyRef& watcher : parts->watchers) {
      (void)watcher.sink()->deliver(
          control_envelope(Control::terminated, watcher.id(),
                           Ending{AnyRef{*this, ended_id}, exit_reason_, parts->exit_text}));
    }
  }
  tell_parent_of_end();
}

void ActorCell::destroy_tasks(base::Outcome outcome, const char* why) {
  if (!parts_) {
    return;
  }
  if (parts_->extras) {
    reset_extras();
  }
  parts_->suspended.clear();
  std::vector<RunningTask> tasks = std::move(parts_->tasks);
  parts_->tasks.clear();
  for (RunningTask& task : tasks) {
    ReplyRight{task.asker.to, task.asker.by_name, task.asker.deadline}.fail(
        {AskError::Kind::may_have_run, outcome, why});
  }
}

void ActorCell::cancel_timers() {
  if (!parts_) {
    return;
  }
  for (const auto& [number, timer] : parts_->timers) {
    system().timers().cancel(timer.id);
  }
  parts_->timers.clear();
}

void ActorCell::flush_mailbox() {
  const AnyRef successor = parts_ ? parts_->successor : AnyRef{};
  while (MessageBlock* message = next_message()) {
    Envelope left = take_message(*message);
    if (successor) {
      system().count_delivered();  // and sent again, by whoever takes it now
      (void)successor.pass_on(std::move(left));
    } else if (parts_ && parts_->on_left) {
      system().count_delivered();
      parts_->on_left(std::move(left));
    } else {
      system().dead_letter(std::move(left), {AskError::Kind::not_run, base::Outcome::stopped,
                                             "the actor has ended"});
    }
  }
}

// Children.

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
  ChildRing::visit(*this, [this](ActorCell& child) { system().stop({child, child.last_id()}); });
}

void ActorCell::tell_parent_of_end() {
  system().count_ended();
  if (is_root()) {
    system().root_ended();
    return;
  }
  ActorCell& parent = system().cell(parent_);
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
    system().give_back(child);
  }
}

void ActorCell::children_are_gone() {
  if (state_ == State::stopping) {
    finish_stop();
  } else if (state_ == State::failed && restart_wanted_) {
    create_actor();
  }
}

void ActorCell::child_failed(const ChildExit& exit) {
  ActorCell& child = system().cell(static_cast<std::uint32_t>(exit.child.value));
  if (state_ != State::running || child.id() != exit.child) {
    return;
  }
  const AnyRef ref{child, exit.child};
  const base::TimePoint now = system().clock().now();
  const auto decision = exit.restarts->on_exit(exit.reason, now, random());
  switch (decision.action) {
    case RestartTracker::Action::restart:
      (void)system().timers().add(now + decision.delay, [ref, restarts = exit.restarts] {
        (void)ref.sink()->deliver(
            control_envelope(Control::restart, ref.id(), Restarting{restarts}));
      });
      return;
    case RestartTracker::Action::escalate:
      base::log(base::LogLevel::error, "actors", "actor '{}' failed too often and is given up: {}",
                exit.label, exit.text);
      system().stop(ref, exit.reason, exit.text);
      if (!is_root()) {
        fail("its child '" + exit.label + "' failed too often: " + exit.text);
      }
      return;
    case RestartTracker::Action::stop: system().stop(ref, exit.reason, exit.text); return;
  }
}

// Watching.

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

void ActorCell::ended(const Ending& ending) {
  if (!parts_) {
    return;
  }
  const auto found = std::find_if(parts_->watching.begin(), parts_->watching.end(),
                                  [&](const auto& w) { return w.actual == ending.actor; });
  if (found == parts_->watching.end()) {
    return;
  }
  const AnyRef as_given = found->as_given;
  parts_->watching.erase(found);
  if (state_ == State::running) {
    guarded([&] { type_->terminated(*actor_, {as_given, ending.reason, ending.text}); });
    after_user_code();
  }
}

void ActorCell::watch(const AnyRef& actor) {
  if (!actor) {
    return;
  }
  const MessageSink::Reached reached = actor.sink()->reached(actor.id());
  const AnyRef actual = reached.sink == nullptr ? actor : AnyRef{*reached.sink, reached.actor};
  for (const auto& watched : parts().watching) {
    if (watched.actual == actual) {
      return;
    }
  }
  parts_->watching.push_back({actual, actor});
  const base::Outcome outcome =
      actual.sink()->deliver(control_envelope(Control::watch, actual.id(), WatchOrder{ref()}));
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
  if (!parts_) {
    return;
  }
  const auto found =
      std::find_if(parts_->watching.begin(), parts_->watching.end(),
                   [&](const auto& w) { return w.as_given == actor || w.actual == actor; });
  if (found == parts_->watching.end()) {
    return;
  }
  const AnyRef actual = found->actual;
  parts_->watching.erase(found);
  (void)actual.sink()->deliver(control_envelope(Control::unwatch, actual.id(), WatchOrder{ref()}));
}

// Timers and randomness.

std::uint64_t ActorCell::add_timer(base::Duration delay, base::Duration interval,
                                   std::function<Envelope()> maker) {
  const std::uint64_t timer = ++parts().last_timer;
  parts_->timers.emplace(timer, Parts::Timer{0, interval, std::move(maker)});
  arm_timer(timer, delay);
  return timer;
}

void ActorCell::arm_timer(std::uint64_t timer, base::Duration delay) {
  parts_->timers.at(timer).id =
      system().timers().add(system().clock().now() + delay, [this, owner = id(), timer] {
        push_control(control_envelope(Control::call, owner, Call{[this, timer] {
                                        const auto found = parts_->timers.find(timer);
                                        if (found == parts_->timers.end()) {
                                          return;
                                        }
                                        const AnyRef self = ref();
                                        (void)self.post(found->second.maker());
                                        if (found->second.interval > base::Duration{0}) {
                                          arm_timer(timer, found->second.interval);
                                        } else {
                                          parts_->timers.erase(found);
                                        }
                                      }}));
      });
}

void ActorCell::cancel_timer(std::uint64_t timer) {
  if (!parts_) {
    return;
  }
  const auto found = parts_->timers.find(timer);
  if (found != parts_->timers.end()) {
    system().timers().cancel(found->second.id);
    parts_->timers.erase(found);
  }
}

base::Random& ActorCell::random() {
  if (!parts().random) {
    parts_->random.emplace(system().seed() ^ (id().value * 0x9E3779B97F4A7C15U));
  }
  return *parts_->random;
}

}  // namespace troupe::actors
