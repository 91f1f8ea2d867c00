#include <utility>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"

// OnCrash::retry_message: a message whose handler crashed the actor is the first one after the
// restart.

namespace troupe::actors {

namespace {

Envelope copy_of(const MessageBlock& block) {
  Envelope copy{make_block(block.type->bytes_of_value, Answerable::no)};
  block.type->copy(copy->value(), block.value());
  copy->type = block.type;
  copy->type_id = block.type_id;
  copy->kind = block.kind;
  copy->target = block.target;
  copy->sender = block.sender;
  return copy;
}

}  // namespace

/// The handler gets a copy. If it crashes the actor at once, the message stays the next one, and
/// counted as in flight, and its asker goes on waiting.
void ActorCell::handle_repeatably(MessageBlock& block) {
  Parts::Retry& retry = *parts_->retry;
  Envelope copy;
  Asker asker{block.reply(), block.by_name, block.deadline};
  asker_ = &asker;
  retry.keeps_asker = true;
  Handled handled = Handled::done;
  guarded([&] {
    if (block.type != nullptr && block.type->copy != nullptr) {
      copy = copy_of(block);
    }
    handled = type_->dispatch(*actor_, *this, copy ? *copy : block);
  });
  // Whatever the handler does with its own.
  const bool is_whole = copy || block.type == nullptr;
  retry.keeps_asker = false;
  if (crashed_) {
    asker_ = nullptr;
    if (++retry.crashes < crashes_a_message_max) {
      keep_for_retry(block);
    } else {
      give_up_message(take_message(block));
    }
  } else if (handled == Handled::suspended && is_whole) {
    asker_ = nullptr;
    keep_with_task(take_message(block));
    system().count_delivered();
  } else {
    retry.crashes = 0;
    finish_message(block, handled);
  }
  after_user_code();
}

/// Where the restarted actor finds it first.
void ActorCell::keep_for_retry(MessageBlock& block) {
  switch (std::exchange(source_, Source::mailbox)) {
    case Source::mailbox: return;  // whose front it is
    case Source::lane: parts_->retry->in_hand = Envelope{&block}; return;
    case Source::kept:
      system().count_delivered();
      parts_->retry->from_task = Envelope{&block};
      return;
  }
}

/// For the coroutine that was started last and waits.
void ActorCell::keep_with_task(Envelope message) {
  const std::uint32_t crashes = std::exchange(parts_->retry->crashes, 0);
  RunningTask& running = parts_->tasks.back();
  if (message->reply() && !running.asker.to) {
    return;  // it is answered, or another will answer: nobody would hear of a second time
  }
  running.task = run_with_message(std::move(running.task), std::move(message), crashes);
  running.task.start();
}

/// So the message goes when its coroutine ends, in whatever way, unless it crashes the actor.
Task<Envelope> ActorCell::run_with_message(Task<Envelope> handler, Envelope message,
                                           std::uint32_t crashes) {
  try {
    auto ending = handler.rest();
    Envelope reply = co_await ending;
    co_return reply;
  } catch (const Refusal&) {
    throw;
  } catch (...) {
    Parts::Retry& retry = *parts_->retry;
    retry.from_task = std::move(message);
    retry.crashes = crashes + 1;
    retry.keeps_asker = true;
    throw;
  }
}

/// Of the handler that has just thrown: whether its asker is not to be told of that.
bool ActorCell::keeps_message() {
  Parts::Retry& retry = *parts_->retry;
  if (!std::exchange(retry.keeps_asker, false) || asker_ == nullptr) {
    return false;
  }
  *asker_ = {};
  if (retry.from_task && retry.crashes >= crashes_a_message_max) {
    system().count_sent();
    give_up_message(std::move(retry.from_task));
  }
  return true;
}

void ActorCell::give_up_message(Envelope message) {
  parts_->retry->crashes = 0;
  system().dead_letter(std::move(message),
                       {AskError::Kind::may_have_run, base::Outcome::stopped,
                        "it crashed the actor " + std::to_string(crashes_a_message_max) +
                            " times: " + parts_->crash_text});
}

/// What crashed the last object, by the next one, before anything else.
void ActorCell::handle_kept_message() {
  if (state_ != State::running) {
    return;
  }
  if (parts_->retry->from_task) {
    system().count_sent();
    source_ = Source::kept;
    handle_message(*parts_->retry->from_task.release());
  } else if (parts_->retry->crashes > 0 && parts_->extras) {
    // Before what was stashed.
    if (MessageBlock* message = next_message()) {
      handle_message(*message);
    }
  }
}

}  // namespace troupe::actors
