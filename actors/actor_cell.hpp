#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "actors/actor.hpp"
#include "actors/atomics.hpp"
#include "actors/control.hpp"
#include "actors/mailbox.hpp"
#include "actors/mailbox_policy.hpp"
#include "actors/maker.hpp"
#include "actors/message_sink.hpp"
#include "actors/scheduler.hpp"
#include "actors/task.hpp"
#include "actors/timers.hpp"

namespace troupe::actors {

/// One actor's place: mailbox, state and the loop that runs handlers. A cell is used for one life
/// after another; each life has its own number, and what is addressed to an earlier one becomes a
/// dead letter. Cells live as long as their ActorSystem, so that a reference may point to one. What
/// only some actors use hangs on Parts, built when first used.
///
/// deliver() and push_control() are thread-safe; all else belongs to the turn. A turn is run by the
/// scheduler, or claimed by who spawns into a vacant cell: then it belongs to the spawner from
/// claim() to begin_life(). User code is called, and its exceptions are caught, in run() only.
///
/// Children form a ring through their cells, in the order of their start. The links belong to the
/// parent's turn (those of the root's children to ActorSystem's mutex). A child that has ended puts
/// itself on its parent's lock-free stack of ended children; the parent unlinks it at its next
/// spawn, when it waits for its children, or after `ended_children_max`, and gives the cell back.
class alignas(64) ActorCell final : public MessageSink, public Runnable {
 public:
  ActorCell(ActorSystem& system, std::uint32_t index);
  ~ActorCell() override;

  base::Outcome deliver(Envelope&& envelope) override;
  [[nodiscard]] ActorAddress address_of(base::ActorId actor) const override;
  [[nodiscard]] ActorCell* local_cell() override { return this; }
  void push_control(Envelope control);

  /// Takes the turn of a vacant cell, so that begin_life() may be called. False: it is just
  /// dismissing what came too late for its last life.
  [[nodiscard]] bool claim() { return mailbox_.wake(); }
  /// Gives a claimed cell a new number; whoever calls schedules it then. Takes from `options`.
  base::ActorId begin_life(const ActorType& type, MakerPtr maker, SpawnOptions& options,
                           ActorCell* parent, Scheduler& scheduler);
  [[nodiscard]] bool is_running() const { return state_ == State::running; }
  [[nodiscard]] bool is_childless() const { return last_child_ == no_cell; }
  /// Whether the cell was ever given a number.
  [[nodiscard]] bool has_lived() const { return last_id().value >> 32U != 0; }
  /// The number of the life that is here or was here last.
  [[nodiscard]] base::ActorId last_id() const {
    return {id_.load(std::memory_order_acquire) & ~vacant_bit};
  }

  /// Ends what lives here without a turn, because the whole system is being destroyed.
  void abandon();

  After run(Turn turn) override;

  /// Counts what the running turn does beside its messages, a spawn above all, against its bound.
  static void charge_turn();
  /// The cell whose turn this thread runs, or null.
  [[nodiscard]] static ActorCell* current() { return current_; }
  /// Whether its handlers may block: it does not share the system's workers.
  [[nodiscard]] bool may_block() const;
  /// What to tell a person whose handler may not, and called `what`.
  [[nodiscard]] std::string would_block(std::string_view what) const;
  /// Calls a function that no actor owns, as if no actor ran on this thread. What it throws is
  /// logged: there is nobody whom it could fail.
  static void call_outside(const std::function<void()>& function);

  /// 0 while nobody lives here.
  [[nodiscard]] base::ActorId id() const {
    const std::uint64_t number = id_.load(std::memory_order_acquire);
    return {(number & vacant_bit) != 0 ? 0 : number};
  }
  [[nodiscard]] AnyRef ref() { return {*this, id()}; }
  [[nodiscard]] std::uint32_t index() const {
    return static_cast<std::uint32_t>(id_.load(std::memory_order_relaxed));
  }
  /// The class of who lives here, or lived here last; empty if nobody has. Thread-safe.
  [[nodiscard]] std::string_view type_name() const;
  /// Messages in the mailbox now. Thread-safe.
  [[nodiscard]] std::uint32_t queued() const;
  /// For its own on_start(), once a life; see MailboxShares. `options`: what it was spawned with,
  /// whose policy drops nothing.
  void divide_mailbox(const SpawnOptions& options, std::shared_ptr<MailboxShares> shares);
  /// Whether the next message is one that the actor sent itself; in its turn. Does not see what a
  /// policy's lane holds.
  [[nodiscard]] bool is_next_its_own() {
    const MessageBlock* next = mailbox_.front();
    return next != nullptr && next->sender == id();
  }
  /// How many it takes. Thread-safe.
  [[nodiscard]] std::uint32_t queued_max() const;

  // For the handler that runs now.
  [[nodiscard]] bool is_asked() const { return asker_ != nullptr && asker_->to; }
  [[nodiscard]] bool holds_mailbox_while_waiting() const { return !type_->is_reentrant; }
  /// For people: its name, or its type's.
  [[nodiscard]] std::string_view label() const;
  /// The right to answer, for somebody else than the handler.
  [[nodiscard]] ReplyRight pass_on_reply_right();
  void reply(Envelope value);
  [[nodiscard]] ReplyRight take_reply_right();
  /// Takes the handled message's right back, unused, while its handler throws; false if it is
  /// another one's.
  bool take_back(ReplyAddress to, bool by_name, base::TimePoint deadline);
  [[nodiscard]] Handled start_task(Task<Envelope> task);
  void note_undecodable(std::string why);
  [[nodiscard]] const void* decode_context() const;
  [[nodiscard]] std::uint64_t suspend(std::coroutine_handle<> waiting);
  /// Makes room for what the next spawn() takes: gives back the cells of ended children.
  void collect_ended_children();
  void request_stop() { stop_requested_ = true; }

  // For supervisors, in their own turn.
  static constexpr std::uint32_t stop_timeout_never = 0xFFFF'FFFFU;
  /// From here on a stop_timeout is for ever.
  static constexpr base::Duration stop_timeout_max = std::chrono::milliseconds{stop_timeout_never};
  /// From now on on_child_event() hears of every child's failure and end; `in_order`: children are
  /// stopped one after another, the last one first.
  void supervise(bool in_order);
  /// Asks a child to give up its object; `halted`, `failed` or `ended` follows.
  void halt_child(const AnyRef& child);
  /// Makes the next object of a child that failed or was halted.
  void restart_child(const AnyRef& child);
  /// Lets go of a child and kills it; no event follows. False: it is ending already.
  bool kill_child(const AnyRef& child);
  /// Calls the function in this actor's turn, unless it has ended or restarts by then.
  Timers::Id call_later(base::Duration delay, std::function<void()> function);

  void watch(const AnyRef& actor);
  void unwatch(const AnyRef& actor);
  void link(const AnyRef& actor);
  void unlink(const AnyRef& actor);
  std::uint64_t add_timer(base::Duration delay, base::Duration interval,
                          std::function<Envelope()> maker);
  void cancel_timer(std::uint64_t timer);
  [[nodiscard]] base::Random& random();

  // actor_extras.cpp: what few actors use
  void become(std::unique_ptr<BehaviourBase> behaviour);
  [[nodiscard]] base::Outcome stash(Envelope message, ReplyRight asker);
  void set_stash_max(std::uint32_t messages_max, std::size_t bytes_max);
  void unstash_all();
  /// Where to note how many messages are put aside, for others to see, as long as the actor lives.
  void count_stash_in(std::shared_ptr<std::atomic<std::uint32_t>> count);
  void set_receive_timeout(base::Duration idle_max);
  void pipe(OpenAsk& ask, std::function<void(Envelope&&)> handler);
  /// Of the actor's object, from 1; another one after each restart.
  [[nodiscard]] std::uint64_t object_number();

 private:
  friend class Send;
  friend class ChildRing;
  enum class State : std::uint8_t { vacant, launching, running, failed, stopping, releasing };
  /// What deliver() takes: from which number on is in id_.
  enum class Takes : std::uint8_t { nothing, plain, by_policy };
  class CurrentCell;
  /// Where a message that is handled came from: the mailbox's front, the policy's lane, or what a
  /// coroutine of the object before this one had.
  enum class Source : std::uint8_t { mailbox, lane, kept };
  struct Parts;
  struct RunningTask;
  struct Intake;
  struct Extras;
  struct ExtrasDeleter {
    void operator()(Extras* extras) const;
  };
  /// Who waits for the answer to the message that is being handled.
  struct Asker {
    ReplyAddress to;
    bool by_name = false;
    base::TimePoint deadline = base::time_never;
  };
  /// Set in id_ while nobody lives here; never in an actor's number.
  static constexpr std::uint64_t vacant_bit = std::uint64_t{1} << 63U;
  static constexpr std::uint32_t all_waiting = 0xFFFF'FFFFU;
  static constexpr std::uint32_t no_cell = 0xFFFF'FFFFU;
  // In parent_, where it is no cell: the parent has let go of this one; this one has ended first.
  static constexpr std::uint32_t orphaned = no_cell - 1;
  static constexpr std::uint32_t ended_first = no_cell - 2;
  static constexpr std::uint32_t parents_end = ended_first;

  // ended_children_: the awaited bit, how many, and the index of the newest plus one.
  static constexpr std::uint32_t ended_children_max = 16;
  static constexpr std::uint32_t ended_count_shift = 23;
  static constexpr std::uint32_t ended_index_mask = (1U << ended_count_shift) - 1;
  static constexpr std::uint32_t awaited_bit = 1U << 31U;

  base::Outcome deliver_with_receipt(Envelope&& envelope);

  // actor_cell.cpp: the turn
  std::uint32_t drain_control(std::uint32_t count_max);
  bool takes_messages() const;
  bool block(bool is_relieved);
  void handle_message(MessageBlock& block);
  void dismiss(MessageBlock& block, base::Outcome outcome, const char* why);
  void finish_message(MessageBlock& block, Handled handled);
  template <class Function>
  void guarded(Function&& function);
  void note_exception();
  void resume(std::uint64_t token);
  void collect_finished_tasks();
  void after_user_code();

  // crash_retry.cpp: OnCrash::retry_message
  void handle_repeatably(MessageBlock& block);
  void keep_for_retry(MessageBlock& block);
  void keep_with_task(Envelope message);
  Task<Envelope> run_with_message(Task<Envelope> handler, Envelope message, std::uint32_t crashes);
  [[nodiscard]] bool keeps_message();
  void give_up_message(Envelope message);
  void handle_kept_message();

  // intake.cpp: policies, full mailboxes, senders that wait
  base::Outcome deliver_to_full(Envelope&& envelope);
  base::Outcome deliver_by_policy(Envelope&& envelope, bool has_waited = false);
  [[nodiscard]] bool is_crowded();
  void count_vote(std::uint64_t sender);
  void set_policy(const SpawnOptions& options);
  [[nodiscard]] MessageBlock* next_message();
  void drop_message(MessageBlock& block);
  [[nodiscard]] Envelope take_message(MessageBlock& block);
  [[nodiscard]] bool has_more() const;
  bool relieve(std::uint32_t count_max = all_waiting) {
    return is_pressed_.load(std::memory_order_relaxed) && admit_or_relax(count_max);
  }
  void relieve_after_full_turn(std::uint32_t handled);
  bool admit_or_relax(std::uint32_t count_max);
  base::Outcome offer_waiting(const std::shared_ptr<Send::State>& waiting);
  base::Outcome push_into_reserve(Envelope&& envelope);
  base::Outcome admit(Envelope&& envelope);
  void wait_again(std::shared_ptr<Send::State> sender);
  [[nodiscard]] bool can_never_fit() const;
  bool admit_waiting_senders(std::uint32_t count_max);
  bool admit_where_room_is();
  void expire_waiting_senders();
  void refuse_waiting_senders();
  [[nodiscard]] Intake& intake();

  // actor_lifecycle.cpp: start, failure, stop, supervision, watching
  void handle_control(Envelope control);
  [[nodiscard]] Parts& parts();
  void create_actor();
  void restart();
  void give_up_object(const char* why);
  void end_object(ExitReason reason);
  void destroy_object();
  void fail(ExitReason reason, std::string text);
  void halt();
  void tell_halted();
  void kill();
  void begin_stop(ExitReason reason, std::string text);
  void finish_stop();
  void complete_termination();
  void destroy_tasks(base::Outcome outcome, const char* why);
  void arm_timer(std::uint64_t timer, base::TimePoint due);
  void timer_due(std::uint64_t timer);
  void cancel_timers();
  void flush_mailbox(std::uint32_t count_max = 0xFFFF'FFFFU);

  // actor_children.cpp
  [[nodiscard]] bool is_root() const { return parent_.load(std::memory_order_relaxed) == no_cell; }
  [[nodiscard]] bool has_children();
  void stop_children();
  void stop_last_child();
  void stop_next_in_order();
  void arm_stop_timer();
  void let_go_of_overdue_children();
  void let_go_of_children();
  bool let_go_of(ActorCell& child);
  void children_ended();
  void child_failed(const ChildExit& exit);
  void tell_supervisor(const ChildEvent& event);
  /// The last act of a child in its own turn.
  void tell_parent_of_end();
  [[nodiscard]] bool push_ended_child(ActorCell& child);
  void children_are_gone();

  // actor_watching.cpp
  void add_watcher(const WatchOrder& order, base::ActorId target);
  void add_link(const WatchOrder& order, base::ActorId target);
  void drop_link(const WatchOrder& order);
  void ended(const Ending& ending);
  void catch_up_with_endings();
  void request_notice(const AnyRef& actual, Control kind);

  // actor_extras.cpp
  Extras& extras();
  [[nodiscard]] static const ActorType& with_extras(const ActorType& own);
  Handled dispatch_with_extras(MessageBlock& block);
  void reset_extras();
  void flush_stash();
  void note_stash();
  void note_progress();
  [[nodiscard]] bool has_deferred() const;
  void run_deferred();
  void go_on_later();
  void replay(Envelope message);
  void stop_idle_timer();
  void arm_idle_timer(base::Duration delay);
  void idle_timer_due();

  static inline constinit thread_local ActorCell* current_ = nullptr;

  // The first line, with the bases: what a send or a turn looks at first.
  /// The number in use or, with vacant_bit, the last one; the low half is the index.
  std::atomic<std::uint64_t> id_;
  /// Made and destroyed by maker_.
  Actor* actor_ = nullptr;
  WatchedPointer<const ActorType> type_;
  std::atomic<Takes> takes_{Takes::nothing};
  /// Set while the actor waits for control only; who resets it schedules the cell.
  std::atomic<bool> blocked_{false};
  /// The mailbox was full: see Intake.
  std::atomic<bool> is_pressed_{false};
  State state_ = State::vacant;
  bool stop_requested_ = false;
  bool crashed_ = false;
  bool restart_wanted_ = false;
  /// Of the message in hand.
  Source source_ = Source::mailbox;
  ExitReason exit_reason_ = ExitReason::stopped;
  Mailbox mailbox_;
  std::atomic<Scheduler*> scheduler_{nullptr};
  /// While a handler runs that may answer somebody.
  Asker* asker_ = nullptr;
  MakerPtr maker_;
  std::unique_ptr<Parts> parts_;
  /// Built by a policy, or when the mailbox is full for the first time; kept by the cell.
  std::atomic<Intake*> intake_{nullptr};
  /// Changed by the child when it ends, and by the parent when it lets go; whoever is first.
  std::atomic<std::uint32_t> parent_{no_cell};
  std::uint32_t next_sibling_ = no_cell;
  std::uint32_t previous_sibling_ = no_cell;
  /// Of the living; for one that has ended, the next on its parent's stack.
  std::uint32_t last_child_ = no_cell;
  std::atomic<std::uint32_t> ended_children_{0};
  /// Set with the number; the parent reads it.
  std::uint32_t stop_timeout_ms_ = 0;
};

static_assert(sizeof(ActorCell) <= 192, "an idle actor is to stay small");

}  // namespace troupe::actors
