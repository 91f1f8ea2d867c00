#include <utility>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_extras.hpp"
#include "actors/detail/cell_parts.hpp"

namespace troupe::actors {

namespace {

constexpr int deferred_at_once_max = 16;

}  // namespace

void ActorCell::ExtrasDeleter::operator()(Extras* extras) const {
  delete extras;
}

/// One copy a class, never freed.
const ActorType& ActorCell::with_extras(const ActorType& own) {
  static base::Mutex mutex;
  static auto* types = new std::map<const ActorType*, std::unique_ptr<ActorType>>;
  base::MutexLock lock{mutex};
  std::unique_ptr<ActorType>& type = (*types)[&own];
  if (!type) {
    type = std::make_unique<ActorType>(own);
    type->dispatch = [](Actor&, ActorCell& cell, MessageBlock& block) {
      return cell.dispatch_with_extras(block);
    };
  }
  return *type;
}

ActorCell::Extras::Extras(const ActorType& own) : plain(&own), type(&with_extras(own)) {}

ActorCell::Extras& ActorCell::extras() {
  if (!parts().extras) {
    parts_->extras.reset(new Extras{*type_});
  }
  return *parts_->extras;
}

std::uint64_t ActorCell::object_number() {
  return extras().object;
}

Handled ActorCell::dispatch_with_extras(MessageBlock& block) {
  Extras& with = *parts_->extras;
  if (with.idle_max > base::Duration{0}) {
    with.last_message = system().clock().now();
    if (std::exchange(with.idle_told, false)) {
      arm_idle_timer(with.idle_max);
    }
  }
  Handled handled = Handled::not_understood;
  if (with.behaviour) {
    handled = with.behaviour->dispatch(*this, block);
  }
  if (handled == Handled::not_understood) {
    handled = parts_->extras->plain->dispatch(*actor_, *this, block);
  }
  if (!with.left.empty() && parts_->tasks.empty()) {
    with.left.clear();
  }
  return handled;
}

/// What belonged to an actor's object that crashed or ends. The stash stays.
void ActorCell::reset_extras() {
  Extras& with = *parts_->extras;
  ++with.object;
  type_ = with.plain;
  with.behaviour.reset();
  with.left.clear();
  with.piped.clear();
  with.deferred.clear();
  with.goes_on = false;
  stop_idle_timer();
}

void ActorCell::flush_stash() {
  Extras& with = *parts_->extras;
  for (auto* queue : {&with.replay, &with.stash}) {
    for (Envelope& left : *queue) {
      if (parts_->successor && !left->has_begun) {
        (void)parts_->successor.pass_on(std::move(left));
      } else if (parts_->on_left && !left->has_begun) {
        parts_->on_left(std::move(left));
      } else {
        system().count_sent();
        system().dead_letter(
            std::move(left),
            {AskError::Kind::not_run, base::Outcome::stopped,
             state_ == State::failed ? "the actor restarts without it" : "the actor has ended"});
      }
    }
    queue->clear();
  }
  with.stash_bytes = 0;
  note_stash();
}

void ActorCell::count_stash_in(std::shared_ptr<std::atomic<std::uint32_t>> count) {
  parts().stash_count = std::move(count);
  note_stash();
}

void ActorCell::note_stash() {
  if (parts_->stash_count && parts_->extras) {
    const Extras& with = *parts_->extras;
    parts_->stash_count->store(static_cast<std::uint32_t>(with.stash.size() + with.replay.size()),
                               std::memory_order_release);
  }
}

// Behaviours.

void ActorCell::become(std::unique_ptr<BehaviourBase> behaviour) {
  Extras& with = extras();
  if (with.behaviour) {
    with.left.push_back(std::move(with.behaviour));
  }
  with.behaviour = std::move(behaviour);
  type_ = with.type;
}

// What waits until the mailbox is not held.

/// A coroutine went on.
void ActorCell::note_progress() {
  if (state_ == State::running && parts_ && parts_->extras) {
    parts_->extras->last_message = system().clock().now();
    run_deferred();
  }
}

bool ActorCell::has_deferred() const {
  return state_ == State::running && parts_ && parts_->extras &&
         !(parts_->extras->deferred.empty() && parts_->extras->replay.empty());
}

/// A few of them; the others by control, between which the turn may end.
void ActorCell::run_deferred() {
  for (int count = 0; has_deferred() && takes_messages(); ++count) {
    if (count == deferred_at_once_max) {
      go_on_later();
      return;
    }
    charge_turn();
    Extras& with = *parts_->extras;
    if (!with.deferred.empty()) {
      const std::function<void()> next = std::move(with.deferred.front());
      with.deferred.pop_front();
      guarded(next);
      after_user_code();
    } else {
      Envelope next = std::move(with.replay.front());
      with.replay.pop_front();
      with.stash_bytes -= with.stashed_bytes_of(*next);
      replay(std::move(next));
      if (parts_) {
        note_stash();  // only now, so that a message in hand is counted
      }
    }
  }
}

void ActorCell::go_on_later() {
  if (!std::exchange(extras().goes_on, true)) {
    push_control(
        control_envelope(Control::call, id(), Call{[this] { parts_->extras->goes_on = false; }}));
  }
}

void ActorCell::pipe(OpenAsk& ask, std::function<void(Envelope&&)> handler) {
  Extras& with = extras();
  const std::uint64_t number = ++with.last_pipe;
  with.piped.emplace(number, std::move(handler));
  ask.call_when_ready([this, owner = id(), number](Envelope&& reply) {
    push_control(
        control_envelope(Control::call, owner,
                         Call{[this, number, held = std::make_shared<Envelope>(std::move(reply))] {
                           Extras& now = extras();
                           const auto found = now.piped.find(number);
                           if (found == now.piped.end()) {
                             return;
                           }
                           now.deferred.emplace_back([handle = std::move(found->second), held] {
                             handle(std::move(*held));
                           });
                           now.piped.erase(found);
                         }}));
  });
}

// The stash.

base::Outcome ActorCell::stash(Envelope message, ReplyRight asker) {
  Extras& with = extras();
  message->target = id();
  asker.move_into(*message);
  message->has_begun = parts_->retry && parts_->retry->crashes > 0;
  const std::size_t bytes = with.stashed_bytes_of(*message);
  if (with.stash.size() + with.replay.size() >= with.stash_max ||
      (with.stash_bytes_max != 0 && with.stash_bytes + bytes > with.stash_bytes_max)) {
    system().reject(message, base::Outcome::mailbox_full);
    ReplyRight{message->reply(), message->by_name, message->deadline}.fail(
        {message->has_begun ? AskError::Kind::may_have_run : AskError::Kind::not_run,
         base::Outcome::mailbox_full, "the actor's stash is full"});
    return base::Outcome::mailbox_full;
  }
  with.stash_bytes += bytes;
  with.stash.push_back(std::move(message));
  if (parts_->stash_count) {
    parts_->stash_count->fetch_add(1, std::memory_order_release);
  }
  return base::Outcome::accepted;
}

void ActorCell::set_stash_max(std::uint32_t messages_max, std::size_t bytes_max) {
  Extras& with = extras();
  with.stash_max = messages_max;
  with.stash_bytes_max = bytes_max;
  with.stash_bytes = 0;
  for (const auto* queue : {&with.replay, &with.stash}) {
    for (const Envelope& message : *queue) {
      with.stash_bytes += with.stashed_bytes_of(*message);
    }
  }
}

void ActorCell::unstash_all() {
  Extras& with = extras();
  for (Envelope& message : with.stash) {
    with.replay.push_back(std::move(message));
  }
  with.stash.clear();
  go_on_later();
}

/// Handles a message that did not come from the mailbox now; in the ledger it is sent once more.
void ActorCell::replay(Envelope message) {
  system().count_sent();
  source_ = Source::kept;
  handle_message(*message.release());
}

// The receive timeout.

void ActorCell::set_receive_timeout(base::Duration idle_max) {
  Extras& with = extras();
  if (with.plain->receive_timeout == nullptr) {
    throw std::logic_error{"set_receive_timeout() wants a handler `on(const ReceiveTimeout&)`"};
  }
  stop_idle_timer();
  if (idle_max > base::Duration{0}) {
    type_ = with.type;
    with.idle_max = idle_max;
    with.last_message = system().clock().now();
    arm_idle_timer(idle_max);
  }
}

void ActorCell::stop_idle_timer() {
  Extras& with = *parts_->extras;
  ++with.idle_round;
  with.idle_max = base::Duration{0};
  with.idle_told = false;
  if (const Timers::Id timer = std::exchange(with.idle_timer, 0)) {
    (void)system().timers().cancel(timer);
  }
}

void ActorCell::arm_idle_timer(base::Duration delay) {
  Extras& with = *parts_->extras;
  with.idle_timer = system().timers().add(
      base::later(system().clock().now(), delay), [this, owner = id(), round = with.idle_round] {
        push_control(control_envelope(Control::call, owner, Call{[this, round] {
                                        if (parts_->extras->idle_round == round) {
                                          idle_timer_due();
                                        }
                                      }}));
      });
}

void ActorCell::idle_timer_due() {
  Extras& with = *parts_->extras;
  const base::TimePoint now = system().clock().now();
  if (!takes_messages()) {
    with.last_message = now;  // it is busy with one
  }
  const base::Duration left = base::later(with.last_message, with.idle_max) - now;
  if (left > base::Duration{0}) {
    arm_idle_timer(left);
    return;
  }
  with.idle_timer = 0;
  with.idle_told = true;
  parts_->extras->plain->receive_timeout(*actor_);
}

}  // namespace troupe::actors
