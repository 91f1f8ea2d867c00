#include <utility>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"
#include "actors/detail/send_state.hpp"

namespace troupe::actors {

namespace {

constexpr base::Duration pause_min = std::chrono::milliseconds{2};
constexpr base::Duration pause_max = std::chrono::milliseconds{100};

}  // namespace

base::Outcome Send::State::try_admit(ActorCell& cell) {
  base::MutexLock lock{mutex};
  return is_over ? base::Outcome::accepted : cell.admit(std::move(message));
}

base::Outcome Send::State::try_deliver() {
  base::MutexLock lock{mutex};
  return is_over ? base::Outcome::accepted : to.sink()->deliver(std::move(message));
}

void Send::State::attempt_remote(base::Duration pause) {
  ActorSystem& system = to.sink()->system();
  const base::ActorId request = system.requests().open(deadline);
  Envelope copy;
  {
    base::MutexLock lock{mutex};
    if (is_over) {
      if (request) {
        system.requests().close(request);
      }
      return;
    }
    copy =
        Envelope::encoded(BlockKind::message, message->type_id, message->shape(), message->body());
    copy->sender = message->sender;
  }
  copy->target = to.id();
  copy->deadline = deadline;
  copy->set_reply({&system.requests(), request});
  copy->wants_receipt = true;
  // Without a number for the receipt, too many asks are open here: as if there were no room.
  const base::Outcome sent =
      request ? to.sink()->deliver(std::move(copy)) : base::Outcome::mailbox_full;
  if (sent != base::Outcome::accepted && sent != base::Outcome::mailbox_full) {
    system.requests().close(request);
    finish(sent);
    return;
  }
  const auto again = [self = shared_from_this(), pause] {
    ActorSystem& to_system = self->to.sink()->system();
    if (to_system.clock().now() + pause >= self->deadline) {
      self->finish(base::Outcome::expired);
      return;
    }
    (void)to_system.timers().add(to_system.clock().now() + pause, [self, pause] {
      self->attempt_remote(std::min(2 * pause, pause_max));
    });
  };
  if (sent == base::Outcome::mailbox_full) {
    if (request) {
      system.requests().close(request);
    }
    again();
    return;
  }
  system.requests().call_when_ready(request, [self = shared_from_this(), again](Envelope&& end) {
    base::Outcome how = base::Outcome::accepted;
    if (end->kind == BlockKind::failure) {
      const AskError error = detail::error_of(end);
      how = error.outcome == base::Outcome::accepted ? base::Outcome::refused : error.outcome;
    } else if (end->kind == BlockKind::receipt) {
      how = detail::read_receipt(end);
    }
    how == base::Outcome::mailbox_full ? again() : self->finish(how);
  });
}

void Send::State::finish(base::Outcome how) {
  Envelope unsent;
  Suspension sender;
  {
    base::MutexLock lock{mutex};
    if (std::exchange(is_over, true)) {
      return;
    }
    outcome = how;
    unsent = std::move(message);
    sender = waiting;
  }
  // Attempts towards another node are accounted for one by one, by its sink.
  if (how != base::Outcome::accepted && unsent && to.sink()->local_cell() != nullptr) {
    to.sink()->system().reject(unsent, how);
  }
  if (sender) {
    sender.resume();
  }
}

Send::Send(AnyRef to, Envelope message, base::Duration timeout)
    : state_(std::make_shared<State>()) {
  state_->to = to;
  base::MutexLock lock{state_->mutex};
  message->target = to.id();
  if (ActorCell* sender = ActorCell::current()) {
    message->sender = sender->id();
  }
  state_->message = std::move(message);
  if (to) {
    state_->deadline = base::later(to.sink()->system().clock().now(), timeout);
  }
}

Send::~Send() {
  if (state_) {
    base::MutexLock lock{state_->mutex};
    state_->is_over = true;
    state_->waiting = {};
  }
}

bool Send::await_ready() {
  if (!state_->to) {
    base::MutexLock lock{state_->mutex};
    state_->outcome = base::Outcome::no_such_actor;
    return true;
  }
  if (state_->to.sink()->local_cell() == nullptr) {
    return false;
  }
  const base::Outcome outcome = state_->try_deliver();
  if (outcome == base::Outcome::mailbox_full) {
    return false;
  }
  state_->finish(outcome);
  return true;
}

bool Send::await_suspend(std::coroutine_handle<> waiting) {
  const std::shared_ptr<State> state = state_;
  {
    base::MutexLock lock{state->mutex};
    state->waiting = Suspension::of_current_actor(waiting);
    if (state->to.sink()->local_cell() == nullptr && state->message->type != nullptr) {
      // Kept encoded, because every attempt gives its copy away.
      base::Bytes body;
      encode_body(*state->message, body, false);
      Envelope encoded = Envelope::encoded(BlockKind::message, state->message->type_id,
                                           state->message->shape(), body);
      encoded->sender = state->message->sender;
      state->message = std::move(encoded);
    }
  }
  if (ActorCell* cell = state->to.sink()->local_cell()) {
    const base::Outcome offered = cell->offer_waiting(state);
    if (offered != base::Outcome::mailbox_full) {
      state->finish(offered);
    }
    return true;
  }
  state->attempt_remote(pause_min);
  return true;
}

base::Outcome Send::await_resume() {
  base::MutexLock lock{state_->mutex};
  return state_->outcome;
}

}  // namespace troupe::actors
