#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "actors/actor.hpp"
#include "actors/control.hpp"
#include "actors/mailbox.hpp"
#include "actors/message_sink.hpp"
#include "actors/scheduler.hpp"
#include "actors/task.hpp"

namespace troupe::actors {

/// One actor's place: mailbox, state and the loop that runs handlers. A cell is used for one life
/// after another; each life has its own number, and what is addressed to an earlier one becomes a
/// dead letter. Cells live as long as their ActorSystem, so that a reference may point to one.
///
/// deliver(), push_control() and begin_life() are thread-safe; all else belongs to the turn that the
/// scheduler runs. User code is called, and its exceptions are caught, in run() only.
class ActorCell final : public MessageSink, public Runnable {
 public:
  ActorCell(ActorSystem& system, std::uint32_t index);
  ~ActorCell() override;

  base::Outcome deliver(Envelope&& envelope) override;
  [[nodiscard]] ActorAddress address_of(base::ActorId actor) const override;
  [[nodiscard]] ActorCell* local_cell() override { return this; }
  void push_control(Envelope control);

  /// Gives a vacant cell a new number; the launch makes it an actor at its next turn.
  base::ActorId begin_life(Launch launch, std::uint32_t mailbox_messages_max,
                           Scheduler& scheduler);

  /// The number that begin_life() will give; only for who took the vacant cell.
  [[nodiscard]] base::ActorId next_id() const;
  /// Ends what lives here without a turn, because the whole system is being destroyed.
  void abandon();

  After run(Turn turn) override;

  /// The cell whose turn this thread runs, or null.
  [[nodiscard]] static ActorCell* current();

  [[nodiscard]] base::ActorId id() const { return {id_.load(std::memory_order_acquire)}; }
  [[nodiscard]] AnyRef ref() { return {*this, id()}; }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  /// Messages in the mailbox now. Thread-safe.
  [[nodiscard]] std::uint32_t queued() const { return mailbox_.size(); }

  // For the handler that runs now.
  [[nodiscard]] bool is_asked() const { return static_cast<bool>(asker_.to); }
  void reply(Envelope value);
  [[nodiscard]] ReplyRight take_reply_right();
  /// Takes an unused right back while a handler throws; false if another is answered already.
  bool take_back(ReplyAddress to, bool by_name, base::TimePoint deadline);
  [[nodiscard]] Handled start_task(Task<Envelope> task);
  void note_undecodable(std::string why) { undecodable_ = std::move(why); }
  [[nodiscard]] const void* decode_context() const;
  [[nodiscard]] std::uint64_t suspend(std::coroutine_handle<> waiting);
  void adopt(base::ActorId child, ActorCell& cell, const SpawnOptions& options);
  void request_stop() { stop_requested_ = true; }
  void watch(const AnyRef& actor);
  void unwatch(const AnyRef& actor);
  std::uint64_t add_timer(base::Duration delay, base::Duration interval,
                          std::function<Envelope()> maker);
  void cancel_timer(std::uint64_t timer);
  [[nodiscard]] base::Random& random();

 private:
  friend class Send;
  enum class State : std::uint8_t { vacant, running, failed, stopping, releasing };
  struct Life;
  struct RunningTask;
  struct SenderQueue;
  /// Who waits for the answer to the message that is being handled.
  struct Asker {
    ReplyAddress to;
    bool by_name = false;
    base::TimePoint deadline = base::time_never;
  };

  base::Outcome deliver_with_receipt(Envelope&& envelope);

  // actor_cell.cpp: the turn
  void drain_control();
  bool takes_messages() const;
  bool block();
  void handle_message(MessageBlock& block);
  void finish_message(MessageBlock& block, Handled handled);
  template <class Function>
  void guarded(Function&& function);
  void note_exception();
  void resume(std::uint64_t token);
  void collect_finished_tasks();
  void after_user_code();
  base::Outcome offer_waiting(const std::shared_ptr<Send::State>& waiting);
  void admit_waiting_senders();
  void refuse_waiting_senders();

  // actor_lifecycle.cpp: start, failure, stop, supervision, watching
  void handle_control(Envelope control);
  void launch(Launch launch);
  void create_actor();
  void fail(std::string text);
  void begin_stop(ExitReason reason, std::string text);
  void finish_stop();
  void complete_termination();
  void destroy_tasks(base::Outcome outcome, const char* why);
  void cancel_timers();
  void stop_children();
  void flush_mailbox();
  void child_failed(const ChildExit& exit);
  void child_stopped(const ChildExit& exit);
  void add_watcher(const WatchOrder& order, base::ActorId target);
  void ended(const Ending& ending);
  void arm_timer(std::uint64_t timer, base::Duration delay);

  Mailbox mailbox_;
  std::atomic<std::uint64_t> id_{0};
  std::atomic<bool> accepts_{false};
  /// Set while the actor waits for control only; who resets it schedules the cell.
  std::atomic<bool> blocked_{false};
  std::atomic<bool> has_waiting_senders_{false};
  State state_ = State::vacant;
  bool stop_requested_ = false;
  bool crashed_ = false;
  std::uint32_t index_;
  std::uint32_t generation_ = 0;
  std::atomic<Scheduler*> scheduler_{nullptr};
  std::unique_ptr<Actor> actor_;
  const ActorType* type_ = nullptr;
  Asker asker_;
  std::unique_ptr<Life> life_;
  std::unique_ptr<SenderQueue> senders_;
  std::string undecodable_;
  std::string crash_text_;
};

}  // namespace troupe::actors
