#include "actors/actor_cell.hpp"

#include <algorithm>
#include <deque>
#include <stdexcept>

#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"
#include "actors/detail/intake.hpp"
#include "base/log.hpp"

namespace troupe::actors {

namespace {

/// What the turn that this thread runs has done beside handling messages, in messages.
constinit thread_local std::uint32_t current_charge = 0;

std::string name_of(const MessageBlock& block) {
  return block.type != nullptr ? std::string{block.type->name}
                               : "#" + std::to_string(block.type_id);
}

}  // namespace

/// Marks this thread as running a cell's turn. Turns nest where a reply is delivered in place.
class ActorCell::CurrentCell {
 public:
  explicit CurrentCell(ActorCell* cell) : before_(std::exchange(current_, cell)) {}
  ~CurrentCell() { current_ = before_; }
  CurrentCell(const CurrentCell&) = delete;
  CurrentCell& operator=(const CurrentCell&) = delete;

 private:
  ActorCell* before_;
};

void ActorCell::charge_turn() {
  ++current_charge;
}

bool ActorCell::may_block() const {
  return scheduler_.load(std::memory_order_relaxed) != &system().scheduler();
}

std::string ActorCell::would_block(std::string_view what) const {
  return std::string{what} + " in a handler of '" + std::string{label()} +
         "' would block a worker: co_await instead, or spawn the actor with own_thread";
}

void ActorCell::call_outside(const std::function<void()>& function) {
  CurrentCell nobody{nullptr};
  try {
    function();
  } catch (const std::exception& exception) {
    base::log(base::LogLevel::error, "actors", "the callback of an ask threw: {}",
              exception.what());
  } catch (...) {
    base::log(base::LogLevel::error, "actors",
              "the callback of an ask threw something that is not a std::exception");
  }
}

Suspension Suspension::of_current_actor(std::coroutine_handle<> waiting) {
  ActorCell* cell = ActorCell::current();
  TROUPE_CHECK(cell != nullptr, "co_await outside of an actor: use get() or a blocking variant");
  Suspension suspension;
  suspension.cell_ = cell;
  suspension.actor_ = cell->id();
  suspension.token_ = cell->suspend(waiting);
  return suspension;
}

void Suspension::check_may_block(std::string_view what) {
  const ActorCell* cell = ActorCell::current();
  if (cell != nullptr && !cell->may_block()) {
    throw std::logic_error{cell->would_block(what)};
  }
}

bool Suspension::pause_if_due(std::coroutine_handle<> running) {
  if (ActorCell::current() == nullptr || ++current_charge < Turn{}.messages_max) {
    return false;
  }
  of_current_actor(running).resume();
  return true;
}

void Suspension::resume() const {
  cell_->push_control(control_envelope(Control::resume, actor_, Wake{token_}));
}

ActorCell::ActorCell(ActorSystem& system, std::uint32_t index)
    : MessageSink(system), id_(vacant_bit | index), mailbox_(1) {}

ActorCell::~ActorCell() {
  delete intake_.load(std::memory_order_relaxed);
}

void ActorCell::abandon() {
  CurrentCell guard{this};
  takes_.store(Takes::nothing, std::memory_order_relaxed);
  destroy_tasks(base::Outcome::stopped, "the node ended");
  destroy_object();
}

base::Outcome ActorCell::deliver(Envelope&& envelope) {
  if (envelope->kind == BlockKind::control) [[unlikely]] {
    push_control(std::move(envelope));
    return base::Outcome::accepted;
  }
  const bool is_here = envelope->target.value == id_.load(std::memory_order_acquire);
  const Takes takes = takes_.load(std::memory_order_relaxed);
  if (!is_here || takes == Takes::nothing) [[unlikely]] {
    return base::Outcome::stopped;
  }
  if (envelope->wants_receipt) [[unlikely]] {
    return deliver_with_receipt(std::move(envelope));
  }
  if (takes == Takes::by_policy) [[unlikely]] {
    return deliver_by_policy(std::move(envelope));
  }
  MessageBlock* block = envelope.release();
  // Counted before the push: the message may be handled before push() returns.
  system().count_sent();
  const Mailbox::Push pushed = mailbox_.push(block);
  if (pushed == Mailbox::Push::queued) {
    return base::Outcome::accepted;
  }
  if (pushed == Mailbox::Push::full) [[unlikely]] {
    system().uncount_sent();
    envelope = Envelope{block};
    return deliver_to_full(std::move(envelope));
  }
  scheduler_.load(std::memory_order_acquire)->schedule(*this);
  return base::Outcome::accepted;
}

/// The reply address learns that the message arrived; the handler has nobody to answer.
base::Outcome ActorCell::deliver_with_receipt(Envelope&& envelope) {
  const ReplyAddress receipt_to = envelope->take_reply();
  // Of the wait for room, which ends here.
  const base::TimePoint deadline = std::exchange(envelope->deadline, base::time_never);
  envelope->wants_receipt = false;
  const base::Outcome outcome = deliver(std::move(envelope));
  if (outcome != base::Outcome::accepted) {
    envelope->set_reply(receipt_to);
    envelope->deadline = deadline;
    envelope->wants_receipt = true;
    return outcome;
  }
  ReplyRight{receipt_to, false, base::time_never}.send(
      Envelope::of(BlockKind::receipt, message_type<Receipt>, Receipt{}));
  return base::Outcome::accepted;
}

void ActorCell::push_control(Envelope control) {
  if (mailbox_.push_control(control.release()) ||
      (blocked_.load(std::memory_order_seq_cst) &&
       blocked_.exchange(false, std::memory_order_seq_cst))) {
    scheduler_.load(std::memory_order_acquire)->schedule(*this);
  }
}

ActorAddress ActorCell::address_of(base::ActorId actor) const {
  return {system().node(), actor, {}};
}

Runnable::After ActorCell::run(Turn turn) {
  CurrentCell guard{this};
  if (state_ == State::launching) [[unlikely]] {
    create_actor();
  }
  std::uint32_t handled = 0;
  std::uint32_t control = 0;
  current_charge = 0;
  for (;;) {
    if (mailbox_.has_control()) {
      control += drain_control(turn.messages_max - std::min(control, turn.messages_max));
      if (control >= turn.messages_max) {
        if (!takes_messages() || has_deferred()) {
          relieve();
          return After::again;
        }
        // Control that never ends leaves each turn one message.
        handled = handled == 0 ? turn.messages_max - 1 : turn.messages_max;
      }
    }
    // Senders that wait are let in where a turn ends or pauses, many at a time: each costs a
    // wake-up.
    if (!takes_messages()) {
      const bool is_relieved = relieve();
      if (block(is_relieved)) {
        return After::idle;
      }
      continue;
    }
    if (handled >= turn.messages_max) {
      relieve_after_full_turn(handled);
      return After::again;
    }
    MessageBlock* message = next_message();
    if (message == nullptr) {
      relieve();
      // A sender that waits has either seen the places that were freed, or is seen here.
      if (mailbox_.try_idle([this] { return has_more(); })) {
        return After::idle;
      }
      if (++handled >= turn.messages_max) {
        return After::again;
      }
      continue;
    }
    handled += 1 + std::exchange(current_charge, 0);
    const std::uint64_t sender = message->sender.value;
    // The sender's core has the next one, too.
    __builtin_prefetch(message->next.load(std::memory_order_relaxed), 1);
    handle_message(*message);
    if (is_pressed_.load(std::memory_order_relaxed)) [[unlikely]] {
      count_vote(sender);
    }
  }
}

/// Handles what came by control, up to about `count_max`. How much that was, with what it charged.
std::uint32_t ActorCell::drain_control(std::uint32_t count_max) {
  std::uint32_t done = 0;
  while (done < count_max && mailbox_.has_control()) {
    handle_control(Envelope{mailbox_.pop_control()});
    done += 1 + std::exchange(current_charge, 0);
  }
  return done;
}

bool ActorCell::takes_messages() const {
  switch (state_) {
    case State::vacant: return true;  // into the dead letters
    case State::running:
      return !parts_ || parts_->tasks.empty() ||
             (type_->is_reentrant && parts_->tasks.size() < parts_->tasks_max);
    case State::launching:
    case State::failed:
    case State::stopping:
    case State::releasing: return false;
  }
  return false;
}

/// Ends a turn in which only control can go on. False: control came meanwhile, or the first sender
/// that waits.
bool ActorCell::block(bool is_relieved) {
  blocked_.store(true, std::memory_order_seq_cst);
  // From here on another thread may run the cell: only what is atomic may be touched.
  if (!mailbox_.control_came() && (is_relieved || !is_pressed_.load(std::memory_order_seq_cst))) {
    return true;
  }
  return !blocked_.exchange(false, std::memory_order_seq_cst);
}

void ActorCell::handle_message(MessageBlock& block) {
  if (state_ != State::running || block.target.value != id_.load(std::memory_order_relaxed)) {
    dismiss(block, base::Outcome::stopped, "the actor has ended");
    return;
  }
  if (block.deadline != base::time_never && system().clock().coarse_now() > block.deadline) {
    dismiss(block, base::Outcome::expired, "its deadline passed while it waited in the mailbox");
    return;
  }
  if (block.reply().sink == &system().requests() &&
      !system().requests().is_open(block.reply().request)) {
    dismiss(block, base::Outcome::cancelled, "its asker gave it up while it waited in the mailbox");
    return;
  }
  if (parts_ && parts_->retry) [[unlikely]] {
    handle_repeatably(block);
    return;
  }
  Asker asker{block.reply(), block.by_name, block.deadline};
  asker_ = &asker;
  Handled handled = Handled::done;
  guarded([&] { handled = type_->dispatch(*actor_, *this, block); });
  finish_message(block, handled);
  after_user_code();
}

/// It is not handled, or not again.
void ActorCell::dismiss(MessageBlock& block, base::Outcome outcome, const char* why) {
  const bool has_begun = parts_ && parts_->retry && std::exchange(parts_->retry->crashes, 0) > 0;
  system().dead_letter(
      take_message(block),
      {has_begun ? AskError::Kind::may_have_run : AskError::Kind::not_run, outcome, why});
}

void ActorCell::finish_message(MessageBlock& block, Handled handled) {
  asker_ = nullptr;
  switch (handled) {
    case Handled::done:
    case Handled::suspended:
      drop_message(block);
      system().count_delivered();
      return;
    case Handled::not_understood:
      if (type_->unhandled != nullptr) {
        system().count_delivered();
        guarded([&] { type_->unhandled(*actor_, take_message(block)); });
        return;
      }
      system().dead_letter(take_message(block),
                           {AskError::Kind::not_run, base::Outcome::refused,
                            "the actor's protocol has no message '" + name_of(block) + "'"});
      return;
    case Handled::undecodable:
      system().dead_letter(take_message(block),
                           {AskError::Kind::not_run, base::Outcome::undecodable,
                            std::exchange(parts().undecodable, {})});
      return;
  }
}

void ActorCell::note_exception() {
  try {
    throw;
  } catch (const Refusal& refusal) {
    take_reply_right().fail({AskError::Kind::refusal, base::Outcome::accepted, refusal.what()});
    return;
  } catch (const std::exception& exception) {
    parts().crash_text = exception.what();
  } catch (...) {
    parts().crash_text = "something that is not a std::exception was thrown";
  }
  crashed_ = true;
  if (parts_->retry && keeps_message()) {
    return;
  }
  take_reply_right().fail({AskError::Kind::may_have_run, base::Outcome::stopped,
                           "the actor crashed: " + parts().crash_text});
}

void ActorCell::resume(std::uint64_t token) {
  if (state_ != State::running || !parts_) {
    return;
  }
  const auto found = std::lower_bound(
      parts_->suspended.begin(), parts_->suspended.end(), token,
      [](const Parts::Suspended& waits, std::uint64_t wanted) { return waits.token < wanted; });
  if (found == parts_->suspended.end() || found->token != token) {
    return;
  }
  const std::coroutine_handle<> waiting = found->handle;
  parts_->suspended.erase(found);
  waiting.resume();
  collect_finished_tasks();
  after_user_code();
  note_progress();
}

Handled ActorCell::start_task(Task<Envelope> task) {
  std::vector<RunningTask>& tasks = parts().tasks;
  tasks.push_back({std::move(task), asker_ != nullptr ? std::exchange(*asker_, {}) : Asker{}});
  tasks.back().task.start();  // which starts no other: dispatch() is not entered from it
  const bool suspended = !tasks.back().task.done();
  collect_finished_tasks();
  return suspended ? Handled::suspended : Handled::done;
}

void ActorCell::collect_finished_tasks() {
  std::vector<RunningTask>& tasks = parts_->tasks;
  for (std::size_t i = 0; i < tasks.size();) {
    if (!tasks[i].task.done()) {
      ++i;
      continue;
    }
    RunningTask finished = std::move(tasks[i]);
    tasks.erase(tasks.begin() + static_cast<std::ptrdiff_t>(i));
    Asker* outer = std::exchange(asker_, &finished.asker);
    guarded([&] {
      Envelope reply_value = finished.task.take();
      if (is_asked()) {
        reply(std::move(reply_value));
      }
    });
    asker_ = outer;
  }
}

void ActorCell::after_user_code() {
  if (std::exchange(crashed_, false)) {
    fail(ExitReason::crashed, std::exchange(parts_->crash_text, {}));
  }
  if (std::exchange(stop_requested_, false)) {
    if (parts_ && parts_->restart.restart == Restart::permanent) {
      fail(ExitReason::stopped, "it ended by itself");
    } else {
      begin_stop(ExitReason::stopped, {});
    }
  }
}

void ActorCell::reply(Envelope value) {
  take_reply_right().send(std::move(value));
}

ReplyRight ActorCell::take_reply_right() {
  if (asker_ == nullptr) {
    return {};
  }
  // The request's number stays: take_back() knows its own by it.
  MessageSink* const sink = std::exchange(asker_->to.sink, nullptr);
  return {{sink, asker_->to.request}, asker_->by_name, asker_->deadline};
}

ReplyRight ActorCell::pass_on_reply_right() {
  if (asker_ != nullptr && asker_->to.sink == &system().requests()) {
    system().requests().mark_passed_on(asker_->to.request);
  }
  return take_reply_right();
}

bool ActorCell::take_back(ReplyAddress to, bool by_name, base::TimePoint deadline) {
  if (asker_ == nullptr || asker_->to || asker_->to.request != to.request ||
      asker_->deadline != deadline) {
    return false;
  }
  *asker_ = {to, by_name, deadline};
  return true;
}

const void* ActorCell::decode_context() const {
  return system().resolver();
}

std::uint64_t ActorCell::suspend(std::coroutine_handle<> waiting) {
  const std::uint64_t token = ++parts().last_token;
  parts_->suspended.push_back({token, waiting});
  return token;
}

void ActorCell::note_undecodable(std::string why) {
  parts().undecodable = std::move(why);
}

}  // namespace troupe::actors
