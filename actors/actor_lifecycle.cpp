#include <algorithm>
#include <stdexcept>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"
#include "actors/system_events.hpp"
#include "base/log.hpp"

namespace troupe::actors {

base::ActorId ActorCell::begin_life(const ActorType& type, MakerPtr maker, SpawnOptions& options,
                                    ActorCell* parent, Scheduler& scheduler) {
  const std::uint64_t last = id_.load(std::memory_order_relaxed);
  const std::uint64_t generation = ((last >> 32U) + 1) & 0x7FFF'FFFFU;
  const std::uint64_t id = (generation << 32U) | index();
  type_ = &type;
  maker_ = std::move(maker);
  parent_.store(parent != nullptr ? parent->index() : no_cell, std::memory_order_relaxed);
  last_child_ = no_cell;
  ended_children_.store(0, std::memory_order_relaxed);
  exit_reason_ = ExitReason::stopped;
  restart_wanted_ = false;
  const auto timeout = options.stop_timeout / std::chrono::milliseconds{1};
  stop_timeout_ms_ = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(timeout, 0, std::int64_t{stop_timeout_never}));
  if (!options.name.empty() || options.on_exit || options.on_left || !options.keep_mailbox ||
      options.on_crash != OnCrash::drop_message ||
      options.tasks_max != SpawnOptions::tasks_max_default ||
      options.restart != SpawnOptions::restart_default) {
    parts().label = std::move(options.name);
    parts_->on_exit = std::move(options.on_exit);
    parts_->on_left = std::move(options.on_left);
    parts_->restart = options.restart;
    parts_->keep_mailbox = options.keep_mailbox;
    parts_->tasks_max = std::max(options.tasks_max, 1U);
    if (options.on_crash == OnCrash::retry_message) {
      parts_->retry = std::make_unique<Parts::Retry>();
    }
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
    if (kind == Control::watch || kind == Control::link) {
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
    case Control::children_ended: children_ended(); return;
    case Control::stop_overdue: let_go_of_overdue_children(); return;
    case Control::child_failed: child_failed(control->as<ChildExit>()); return;
    case Control::child_halted:
      tell_supervisor(
          {ChildEvent::Kind::halted, control->as<ChildExit>().child, ExitReason::stopped, {}});
      return;
    case Control::halt: halt(); return;
    case Control::kill: kill(); return;
    case Control::restart:
      if (state_ == State::failed) {
        parts().restarts = std::move(control->as<Restarting>().restarts);
        restart_wanted_ = true;
        if (!has_children()) {
          restart();
        }
      }
      return;
    case Control::watch: add_watcher(control->as<WatchOrder>(), control->target); return;
    case Control::link: add_link(control->as<WatchOrder>(), control->target); return;
    case Control::unwatch:
      if (parts_) {
        std::erase(parts_->watchers, control->as<WatchOrder>().watcher);
      }
      return;
    case Control::unlink: drop_link(control->as<WatchOrder>()); return;
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

std::string_view ActorCell::type_name() const {
  const ActorType* type = type_;
  return type != nullptr ? type->name : std::string_view{};
}

std::string_view ActorCell::label() const {
  return parts_ && !parts_->label.empty() ? std::string_view{parts_->label} : type_->name;
}

/// Makes the actor's object: at the start, and again after a failure.
void ActorCell::create_actor() {
  state_ = State::running;
  const bool is_restart = std::exchange(restart_wanted_, false);
  guarded([&] {
    try {
      actor_ = maker_->make();
      if (actor_ == nullptr) {
        throw std::runtime_error{"its factory made no actor"};
      }
      if (is_restart) {
        actor_->on_restart(std::exchange(parts().crash_text, {}));
      }
      actor_->on_start();
    } catch (const Refusal& refusal) {
      // There is nobody to refuse: an actor that cannot begin has failed.
      throw std::runtime_error{refusal.what()};
    }
  });
  if (is_restart && parts_->extras) {
    unstash_all();
  }
  after_user_code();
  if (is_restart) {
    catch_up_with_endings();
  }
}

void ActorCell::restart() {
  parts().wants_child_events = false;
  parts_->stops_in_order = false;
  parts_->is_halting = false;
  restart_wanted_ = true;
  ended_children_.fetch_and(~awaited_bit, std::memory_order_relaxed);
  if (!parts_->keep_mailbox) {
    if (parts_->extras) {
      flush_stash();
    }
    // No more than have come by now: it still takes messages, perhaps as fast as they go.
    flush_mailbox(queued());
  }
  create_actor();
  if (parts_->retry) {
    handle_kept_message();
  }
}

/// The object goes; the number, the mailbox and those who watch stay for the next one.
void ActorCell::give_up_object(const char* why) {
  state_ = State::failed;
  destroy_tasks(base::Outcome::stopped, why);
  cancel_timers();
  destroy_object();
  stop_children();
}

void ActorCell::fail(ExitReason reason, std::string text) {
  if (state_ != State::running) {
    return;
  }
  if (reason == ExitReason::stopped) {
    end_object(reason);
    give_up_object("the actor restarts");
  } else {
    base::log(base::LogLevel::warn, "actors", "actor '{}' {}: {}", label(), to_string(reason),
              text);
    if (system().tells_events()) {
      system().tell_event(ActorFailed{std::string{label()}, id().value, text});
    }
    give_up_object("the actor crashed");
  }
  parts().crash_text = text;
  const std::uint32_t parent_index = parent_.load(std::memory_order_acquire);
  if (parent_index >= parents_end) {
    begin_stop(reason, std::move(text));
    return;
  }
  if (!parts().restarts) {
    parts_->restarts = std::make_shared<RestartTracker>(parts_->restart, system().clock().now());
  }
  ActorCell& parent = system().cell(parent_index);
  parent.push_control(control_envelope(
      Control::child_failed, parent.id(),
      ChildExit{id(), reason, std::move(text), std::string{label()}, std::move(parts_->restarts)}));
}

/// Before a restart that the supervisor wants: as if it had failed, but in order.
void ActorCell::halt() {
  if (state_ != State::running) {
    return;
  }
  end_object(ExitReason::stopped);
  parts().is_halting = true;
  give_up_object("the actor restarts");
  if (!has_children()) {
    tell_halted();
  }
}

void ActorCell::tell_halted() {
  parts_->is_halting = false;
  const std::uint32_t parent_index = parent_.load(std::memory_order_acquire);
  if (parent_index < parents_end) {
    ActorCell& parent = system().cell(parent_index);
    parent.push_control(control_envelope(Control::child_halted, parent.id(), ChildExit{id()}));
  }
}

/// The parent has let go of this actor: nobody is asked or waited for.
void ActorCell::kill() {
  if (state_ == State::vacant || state_ == State::releasing) {
    return;
  }
  state_ = State::stopping;
  takes_.store(Takes::nothing, std::memory_order_release);
  exit_reason_ = ExitReason::killed;
  parts().exit_text = "it did not end in time";
  destroy_tasks(base::Outcome::stopped, "the actor was killed");
  cancel_timers();
  destroy_object();
  let_go_of_children();
  if (!has_children()) {
    finish_stop();
  }
}

void ActorCell::destroy_object() {
  if (actor_ != nullptr) {
    maker_->unmake(std::exchange(actor_, nullptr));
  }
}

/// Calls on_stop(); what it throws or wants does not count any more.
void ActorCell::end_object(ExitReason reason) {
  guarded([this, reason] { actor_->on_stop(reason); });
  if (std::exchange(crashed_, false)) {
    base::log(base::LogLevel::warn, "actors", "on_stop of actor '{}' threw: {}", label(),
              std::exchange(parts().crash_text, {}));
  }
  stop_requested_ = false;
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
    end_object(exit_reason_);
    destroy_object();
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
    std::erase_if(parts->links, [&](const AnyRef& linked) {
      return std::find(parts->watchers.begin(), parts->watchers.end(), linked) !=
             parts->watchers.end();
    });
    parts->watchers.insert(parts->watchers.end(), parts->links.begin(), parts->links.end());
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
  parts_->suspended.clear();
  std::vector<RunningTask> tasks = std::exchange(parts_->tasks, {});
  for (RunningTask& task : tasks) {
    ReplyRight{task.asker.to, task.asker.by_name, task.asker.deadline}.fail(
        {AskError::Kind::may_have_run, outcome, why});
  }
  // The frames before the behaviours whose handlers they are.
  tasks.clear();
  if (parts_->extras) {
    reset_extras();
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

void ActorCell::flush_mailbox(std::uint32_t count_max) {
  const AnyRef successor = parts_ ? parts_->successor : AnyRef{};
  bool has_begun = parts_ && parts_->retry && std::exchange(parts_->retry->crashes, 0) > 0;
  const auto next_left = [&] {
    if (has_begun && parts_->retry->from_task) {
      system().count_sent();
      return std::move(parts_->retry->from_task);
    }
    MessageBlock* message = count_max != 0 ? next_message() : nullptr;
    --count_max;
    return message != nullptr ? take_message(*message) : Envelope{};
  };
  while (Envelope left = next_left()) {
    if (successor && !has_begun) {
      system().count_delivered();  // and sent again, by whoever takes it now
      (void)successor.pass_on(std::move(left));
    } else if (parts_ && parts_->on_left && !has_begun) {
      system().count_delivered();
      parts_->on_left(std::move(left));
    } else {
      system().dead_letter(
          std::move(left),
          {has_begun ? AskError::Kind::may_have_run : AskError::Kind::not_run,
           base::Outcome::stopped,
           state_ == State::failed ? "the actor restarts without it" : "the actor has ended"});
    }
    has_begun = false;
  }
}

// Timers and randomness.

std::uint64_t ActorCell::add_timer(base::Duration delay, base::Duration interval,
                                   std::function<Envelope()> maker) {
  const std::uint64_t timer = ++parts().last_timer;
  parts_->timers.emplace(timer, Parts::Timer{0, {}, interval, std::move(maker)});
  arm_timer(timer, base::later(system().clock().now(), delay));
  return timer;
}

void ActorCell::arm_timer(std::uint64_t timer, base::TimePoint due) {
  Parts::Timer& armed = parts_->timers.at(timer);
  armed.due = due;
  armed.id = system().timers().add(due, [this, owner = id(), timer] {
    push_control(control_envelope(Control::call, owner, Call{[this, timer] { timer_due(timer); }}));
  });
}

void ActorCell::timer_due(std::uint64_t timer) {
  const auto found = parts_->timers.find(timer);
  if (found == parts_->timers.end()) {
    return;
  }
  (void)ref().post(found->second.maker());
  const base::TimePoint due = found->second.due;
  const base::Duration interval = found->second.interval;
  if (interval <= base::Duration{0}) {
    parts_->timers.erase(found);
    return;
  }
  const base::Duration passed = std::max(system().clock().now() - due, base::Duration{0});
  arm_timer(timer, base::later(due + interval * (passed / interval), interval));
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
