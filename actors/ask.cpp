#include "actors/ask.hpp"

#include <atomic>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/ask_chain.hpp"

namespace troupe::actors {

OpenAsk& OpenAsk::operator=(OpenAsk&& other) noexcept {
  if (this != &other) {
    if (request_) {
      give_up();
    }
    to_ = other.to_;
    target_ = other.target_;
    requests_ = other.requests_;
    request_ = std::exchange(other.request_, base::ActorId{});
    failure_ = std::move(other.failure_);
  }
  return *this;
}

void detail::call_outside_actors(const std::function<void()>& function) {
  ActorCell::call_outside(function);
}

void OpenAsk::end_wait() {
  if (AskChains::Entry* edge = std::exchange(edge_, nullptr)) {
    AskChains::end(*edge);
  }
}

void OpenAsk::give_up() {
  end_wait();
  requests_->close(std::exchange(request_, base::ActorId{}));
}

void OpenAsk::wait() {
  if (!request_ || requests_->is_ready(request_)) {
    return;
  }
  const ActorCell* cell = ActorCell::current();
  if (cell == nullptr || cell->may_block()) {
    requests_->wait(request_);
    return;
  }
  // What waits in this very actor's mailbox has certainly not begun.
  const bool asks_itself = to_ == cell && target_ == cell->id();
  give_up();
  failure_ = std::make_unique<AskError>(
      AskError{asks_itself ? AskError::Kind::not_run : AskError::Kind::may_have_run,
               base::Outcome::refused, cell->would_block("get()")});
}

void OpenAsk::cancel() {
  if (request_) {
    give_up();
    failure_ = std::make_unique<AskError>(
        AskError{AskError::Kind::may_have_run, base::Outcome::cancelled, "its asker gave it up"});
  }
}

void OpenAsk::resume_when_ready(Suspension waiting) {
  if (!request_ || !requests_->resume_when_ready(request_, waiting)) {
    waiting.resume();
  }
}

bool OpenAsk::suspend(std::coroutine_handle<> waiting) {
  ActorCell* cell = ActorCell::current();
  if (cell != nullptr && cell->holds_mailbox_while_waiting() && closes_ring(*cell)) {
    return false;
  }
  resume_when_ready(Suspension::of_current_actor(waiting));
  return true;
}

bool OpenAsk::would_close_ring() const {
  ActorCell* cell = ActorCell::current();
  if (!request_ || cell == nullptr || !cell->holds_mailbox_while_waiting()) {
    return false;
  }
  const MessageSink::Reached reached = to_->reached(target_);
  if (reached.sink == nullptr || reached.sink->local_cell() == nullptr ||
      &reached.sink->system() != &cell->system()) {
    return false;
  }
  const base::ActorId holder = requests_->holder_of(request_, reached.actor);
  return !cell->system()
              .ask_chains()
              .find_ring({cell->id(), holder, request_, cell->label()}, *requests_)
              .text.empty();
}

/// Notes that this actor waits. Fails the ask if whom it asks waits, in the end, for this actor.
bool OpenAsk::closes_ring(ActorCell& cell) {
  const MessageSink::Reached reached = to_->reached(target_);
  if (reached.sink == nullptr || reached.sink->local_cell() == nullptr ||
      &reached.sink->system() != &cell.system()) {
    return false;
  }
  AskChains& chains = cell.system().ask_chains();
  AskChains::Wait wait{cell.id(), reached.actor, request_, cell.label()};
  requests_->note_waiter(request_, wait.waiter);
  edge_ = &chains.begin(wait);
  wait.target = requests_->holder_of(request_, reached.actor);
  const AskChains::Ring ring = chains.find_ring(wait, *requests_);
  // Who was answered meanwhile, or whose request was forwarded, waits in no ring of before; if that
  // closed another one, who forwarded sees it.
  if (ring.text.empty() || requests_->holder_of(request_, reached.actor) != wait.target) {
    return false;
  }
  // Closed first, in one order with the looks at the ring: the receiver then drops the request,
  // unless one of the ring went on meanwhile.
  requests_->close(request_);
  const bool still_waiting = chains.find_ring(wait, *requests_).requests == ring.requests;
  end_wait();
  request_ = {};
  failure_ = std::make_unique<AskError>(
      AskError{still_waiting ? AskError::Kind::not_run : AskError::Kind::may_have_run,
               base::Outcome::refused, "ask cycle: " + ring.text});
  return true;
}

Envelope OpenAsk::take_reply() {
  end_wait();
  if (request_) {
    return requests_->take(std::exchange(request_, base::ActorId{}));
  }
  if (failure_) {
    return failure_envelope(*failure_);
  }
  return requests_ == nullptr
             ? failure_envelope({AskError::Kind::not_run, base::Outcome::no_such_actor,
                                 "the reference is empty"})
             : failure_envelope({AskError::Kind::not_run, base::Outcome::mailbox_full,
                                 "too many asks are open in this process"});
}

void OpenAsk::call_when_ready(PendingRequests::Callback callback) {
  if (request_) {
    requests_->call_when_ready(std::exchange(request_, base::ActorId{}), std::move(callback));
  } else {
    callback(take_reply());
  }
}

}  // namespace troupe::actors
