#include <algorithm>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"
#include "base/log.hpp"

namespace troupe::actors {

void ActorCell::handle_control(Envelope control) {
  const auto kind = static_cast<Control>(control->control);
  if (kind == Control::start) {
    launch(std::move(control->as<Launch>()));
    return;
  }
  if (control->target != id() || state_ == State::vacant) {
    if (kind == Control::watch) {
      add_watcher(control->as<WatchOrder>(), control->target);
    } else if (kind == Control::adopt) {
      const auto& start = control->as<ChildStart>();
      system().stop({*start.cell, start.child});
    }
    return;
  }
  switch (kind) {
    case Control::stop: {
      auto& order = control->as<StopOrder>();
      life_->successor = order.successor;
      begin_stop(order.reason, std::move(order.text));
      return;
    }
    case Control::adopt: {
      auto& start = control->as<ChildStart>();
      life_->children.insert_or_assign(
          start.child, Life::Child{start.cell, std::move(start.label),
                                   RestartTracker{start.restart, system().clock().now()}});
      if (state_ != State::running) {
        system().stop({*start.cell, start.child});
      }
      return;
    }
    case Control::child_failed: child_failed(control->as<ChildExit>()); return;
    case Control::child_stopped: child_stopped(control->as<ChildExit>()); return;
    case Control::restart:
      if (state_ == State::failed) {
        life_->restart_wanted = true;
        if (life_->children.empty()) {
          create_actor();
        }
      }
      return;
    case Control::watch: add_watcher(control->as<WatchOrder>(), control->target); return;
    case Control::unwatch: std::erase(life_->watchers, control->as<WatchOrder>().watcher); return;
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
      }
      return;
    case Control::start: return;
  }
}

void ActorCell::launch(Launch launch) {
  life_ = std::make_unique<Life>();
  life_->launch = std::move(launch);
  type_ = life_->launch.type;
  create_actor();
}

/// Makes the actor's object: at the start, and again after a failure.
void ActorCell::create_actor() {
  state_ = State::running;
  life_->restart_wanted = false;
  guarded([this] {
    actor_ = life_->launch.factory();
    actor_->on_start();
  });
  after_user_code();
}

void ActorCell::fail(std::string text) {
  if (state_ != State::running) {
    return;
  }
  state_ = State::failed;
  base::log(base::LogLevel::warn, "actors", "actor '{}' crashed: {}", life_->launch.label, text);
  destroy_tasks(base::Outcome::stopped, "the actor crashed");
  cancel_timers();
  actor_.reset();
  stop_children();
  const AnyRef& parent = life_->launch.parent;
  if (parent) {
    (void)parent.sink()->deliver(control_envelope(Control::child_failed, parent.id(),
                                                  ChildExit{id(), ExitReason::crashed, text}));
  } else {
    begin_stop(ExitReason::crashed, std::move(text));
  }
}

void ActorCell::begin_stop(ExitReason reason, std::string text) {
  if (state_ != State::running && state_ != State::failed) {
    return;
  }
  const bool was_running = state_ == State::running;
  state_ = State::stopping;
  accepts_.store(false, std::memory_order_release);
  life_->exit_reason = reason;
  life_->exit_text = std::move(text);
  destroy_tasks(base::Outcome::stopped, "the actor was stopped");
  cancel_timers();
  if (was_running) {
    stop_children();
  }
  if (life_->children.empty()) {
    finish_stop();
  }
}

void ActorCell::finish_stop() {
  if (actor_) {
    guarded([this] { actor_->on_stop(life_->exit_reason); });
    crashed_ = false;
    actor_.reset();
  }
  flush_mailbox();
  refuse_waiting_senders();
  if (!life_->launch.on_exit) {
    complete_termination();
    return;
  }
  state_ = State::releasing;
  const ExitHook hook = std::move(life_->launch.on_exit);
  hook(life_->exit_reason, [this, ended_id = id()] {
    push_control(control_envelope(Control::released, ended_id, Call{}));
  });
}

/// The last step of a life: from here on the number is nobody's, and everybody is told.
void ActorCell::complete_termination() {
  const base::ActorId ended_id = id();
  state_ = State::vacant;
  stop_requested_ = false;
  id_.store(0, std::memory_order_release);
  flush_mailbox();
  const std::unique_ptr<Life> life = std::move(life_);
  for (const auto& watched : life->watching) {
    (void)watched.actual.sink()->deliver(control_envelope(
        Control::unwatch, watched.actual.id(), WatchOrder{AnyRef{*this, ended_id}}));
  }
  for (const AnyRef& watcher : life->watchers) {
    (void)watcher.sink()->deliver(
        control_envelope(Control::terminated, watcher.id(),
                         Ending{AnyRef{*this, ended_id}, life->exit_reason, life->exit_text}));
  }
  const AnyRef parent = life->launch.parent;
  if (parent) {
    (void)parent.sink()->deliver(
        control_envelope(Control::child_stopped, parent.id(),
                         ChildExit{ended_id, life->exit_reason, life->exit_text}));
  }
  system().release_cell(*this, !parent);
}

void ActorCell::destroy_tasks(base::Outcome outcome, const char* why) {
  if (!life_) {
    return;
  }
  life_->suspended.clear();
  std::vector<RunningTask> tasks = std::move(life_->tasks);
  life_->tasks.clear();
  for (RunningTask& task : tasks) {
    ReplyRight{task.asker.to, task.asker.by_name, task.asker.deadline}.fail(
        {AskError::Kind::may_have_run, outcome, why});
  }
}

void ActorCell::cancel_timers() {
  for (const auto& [number, timer] : life_->timers) {
    system().timers().cancel(timer.id);
  }
  life_->timers.clear();
}

void ActorCell::stop_children() {
  for (const auto& [child, entry] : life_->children) {
    system().stop({*entry.cell, child});
  }
}

void ActorCell::flush_mailbox() {
  const AnyRef successor = life_ ? life_->successor : AnyRef{};
  while (mailbox_.front() != nullptr) {
    Envelope left{mailbox_.detach()};
    if (successor) {
      system().count_delivered();  // and sent again, by whoever takes it now
      (void)successor.pass_on(std::move(left));
    } else if (life_ && life_->launch.on_left) {
      system().count_delivered();
      life_->launch.on_left(std::move(left));
    } else {
      system().dead_letter(std::move(left), {AskError::Kind::not_run, base::Outcome::stopped,
                                             "the actor has ended"});
    }
  }
}

// Supervision.

void ActorCell::adopt(base::ActorId child, ActorCell& cell, const SpawnOptions& options) {
  life_->children.insert_or_assign(
      child,
      Life::Child{&cell, options.name, RestartTracker{options.restart, system().clock().now()}});
}

void ActorCell::child_failed(const ChildExit& exit) {
  const auto found = life_->children.find(exit.child);
  if (found == life_->children.end() || state_ != State::running) {
    return;
  }
  Life::Child& child = found->second;
  const AnyRef ref{*child.cell, exit.child};
  const auto decision = child.restarts.on_exit(exit.reason, system().clock().now(), random());
  const bool is_root = !life_->launch.parent;
  switch (decision.action) {
    case RestartTracker::Action::restart:
      (void)system().timers().add(
          system().clock().now() + decision.delay,
          [ref] { (void)ref.sink()->deliver(control_envelope(Control::restart, ref.id(), Call{})); });
      return;
    case RestartTracker::Action::escalate:
      base::log(base::LogLevel::error, "actors", "actor '{}' failed too often and is given up: {}",
                child.label, exit.text);
      system().stop(ref, exit.reason, exit.text);
      if (!is_root) {
        fail("its child '" + child.label + "' failed too often: " + exit.text);
      }
      return;
    case RestartTracker::Action::stop: system().stop(ref, exit.reason, exit.text); return;
  }
}

void ActorCell::child_stopped(const ChildExit& exit) {
  life_->children.erase(exit.child);
  if (!life_->children.empty()) {
    return;
  }
  if (state_ == State::stopping) {
    finish_stop();
  } else if (state_ == State::failed && life_->restart_wanted) {
    create_actor();
  }
}

// Watching.

void ActorCell::add_watcher(const WatchOrder& order, base::ActorId target) {
  if (target == id() && life_) {
    if (std::find(life_->watchers.begin(), life_->watchers.end(), order.watcher) ==
        life_->watchers.end()) {
      life_->watchers.push_back(order.watcher);
    }
    return;
  }
  (void)order.watcher.sink()->deliver(
      control_envelope(Control::terminated, order.watcher.id(),
                       Ending{AnyRef{*this, target}, ExitReason::no_such_actor,
                              "the actor had ended before it was watched"}));
}

void ActorCell::ended(const Ending& ending) {
  const auto found = std::find_if(life_->watching.begin(), life_->watching.end(),
                                  [&](const auto& w) { return w.actual == ending.actor; });
  if (found == life_->watching.end()) {
    return;
  }
  const AnyRef as_given = found->as_given;
  life_->watching.erase(found);
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
  const AnyRef actual =
      reached.sink == nullptr ? actor : AnyRef{*reached.sink, reached.actor};
  for (const auto& watched : life_->watching) {
    if (watched.actual == actual) {
      return;
    }
  }
  life_->watching.push_back({actual, actor});
  const base::Outcome outcome = actual.sink()->deliver(
      control_envelope(Control::watch, actual.id(), WatchOrder{ref()}));
  if (outcome != base::Outcome::accepted) {
    push_control(control_envelope(
        Control::terminated, id(),
        Ending{actual,
               outcome == base::Outcome::node_lost ? ExitReason::node_lost
                                                   : ExitReason::no_such_actor,
               "it cannot be reached: " + std::string{base::to_string(outcome)}}));
  }
}

void ActorCell::unwatch(const AnyRef& actor) {
  const auto found =
      std::find_if(life_->watching.begin(), life_->watching.end(),
                   [&](const auto& w) { return w.as_given == actor || w.actual == actor; });
  if (found == life_->watching.end()) {
    return;
  }
  const AnyRef actual = found->actual;
  life_->watching.erase(found);
  (void)actual.sink()->deliver(
      control_envelope(Control::unwatch, actual.id(), WatchOrder{ref()}));
}

// Timers and randomness.

std::uint64_t ActorCell::add_timer(base::Duration delay, base::Duration interval,
                                   std::function<Envelope()> maker) {
  const std::uint64_t timer = ++life_->last_timer;
  life_->timers.emplace(timer, Life::Timer{0, interval, std::move(maker)});
  arm_timer(timer, delay);
  return timer;
}

void ActorCell::arm_timer(std::uint64_t timer, base::Duration delay) {
  life_->timers.at(timer).id =
      system().timers().add(system().clock().now() + delay, [this, owner = id(), timer] {
        push_control(control_envelope(Control::call, owner, Call{[this, timer] {
                                        const auto found = life_->timers.find(timer);
                                        if (found == life_->timers.end()) {
                                          return;
                                        }
                                        const AnyRef self = ref();
                                        (void)self.post(found->second.maker());
                                        if (found->second.interval > base::Duration{0}) {
                                          arm_timer(timer, found->second.interval);
                                        } else {
                                          life_->timers.erase(found);
                                        }
                                      }}));
      });
}

void ActorCell::cancel_timer(std::uint64_t timer) {
  const auto found = life_->timers.find(timer);
  if (found != life_->timers.end()) {
    system().timers().cancel(found->second.id);
    life_->timers.erase(found);
  }
}

base::Random& ActorCell::random() {
  if (!life_->random) {
    life_->random.emplace(system().seed() ^ (id().value * 0x9E3779B97F4A7C15U));
  }
  return *life_->random;
}

}  // namespace troupe::actors
