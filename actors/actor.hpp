#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "actors/actor_ref.hpp"
#include "actors/ask_error.hpp"
#include "actors/control.hpp"
#include "actors/detail/pause.hpp"
#include "actors/exit_reason.hpp"
#include "actors/mailbox_policy.hpp"
#include "actors/protocol.hpp"
#include "actors/supervision.hpp"
#include "actors/task.hpp"
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/random.hpp"

namespace troupe::actors {

class ActorSystem;
class ReplyRight;
class Scheduler;
namespace detail {
[[nodiscard]] ActorCell& cell_of(const Actor& actor);
}
template <class R>
class ReplyTo;

/// No message came for as long as set_receive_timeout() said.
struct ReceiveTimeout {};

/// Messages that an actor may put aside unless it says otherwise.
inline constexpr std::uint32_t stash_max_default = 1000;

/// What a watcher gets, exactly once a watch: `void on(const Terminated&)`.
struct Terminated {
  AnyRef actor;
  ExitReason reason = ExitReason::stopped;
  std::string text;  ///< for a person, e.g. what a handler threw
};

struct SpawnOptions {
  /// For logs and, in a node, the name in the cluster.
  std::string name;
  /// How many messages the mailbox holds, from 1 to 2^30: 0 is taken as 1, more as 2^30. See
  /// MailboxPolicy for these and what `overflow` does.
  std::uint32_t mailbox_messages_max = 10'000;
  std::size_t mailbox_bytes_max = 0;
  Overflow overflow = Overflow::wait;
  bool mailbox_by_priority = false;
  /// Overflow::fallback needs it: without, the actor is not spawned.
  AnyRef overflow_to;
  /// What the supervisor, the spawning actor, does when this one fails.
  RestartPolicy restart = restart_default;
  /// Whether a restarted actor finds the messages that had come before, and its stash. Otherwise
  /// they go to the dead letters.
  bool keep_mailbox = true;
  /// Concerns plain handlers and coroutines, also of what was stashed, but not what the actor's
  /// other coroutines had begun when it crashed: their askers are told may_have_run.
  OnCrash on_crash = OnCrash::drop_message;
  /// Of a reentrant actor: how many of its coroutine handlers may wait at once. Beyond it, messages
  /// stay in the mailbox, which may then be full. What they await must not need one message more.
  std::uint32_t tasks_max = tasks_max_default;
  /// How long the spawning actor, when it ends or restarts, or ActorSystem::stop_all() waits for
  /// this one to end in order; then it is killed. A handler that runs cannot be interrupted: a
  /// killed actor is let go of, and ends when its handler returns. In milliseconds; up to 49 days,
  /// from there on for ever.
  base::Duration stop_timeout = stop_timeout_default;
  /// Where it runs; the system's scheduler if null.
  Scheduler* scheduler = nullptr;
  /// It runs on a thread of its own, which ends with it, and may block there: for drivers, files
  /// and libraries that know no other way. Where the system has no own threads, on its scheduler.
  bool own_thread = false;
  ExitHook on_exit;
  LeftHook on_left;

  static constexpr RestartPolicy restart_default{.restart = Restart::transient};
  static constexpr base::Duration stop_timeout_default = std::chrono::seconds{5};
  static constexpr std::uint32_t tasks_max_default = 1'000;

  [[nodiscard]] bool has_plain_mailbox() const {
    return mailbox_bytes_max == 0 && overflow == Overflow::wait && !mailbox_by_priority;
  }
  [[nodiscard]] MailboxPolicy mailbox_policy() const {
    return {std::max(mailbox_messages_max, 1U), mailbox_bytes_max, overflow, mailbox_by_priority,
            overflow_to};
  }
};

/// What became of one message in an actor's hands.
enum class Handled : std::uint8_t { done, suspended, not_understood, undecodable };

/// Other handlers of an actor, without their type.
class BehaviourBase {
 public:
  virtual ~BehaviourBase() = default;
  virtual Handled dispatch(ActorCell& cell, MessageBlock& block) = 0;
};

/// What the runtime knows of an actor class. One object a class.
struct ActorType {
  std::string_view name;
  ProtocolInfo (*protocol)() = nullptr;
  Handled (*dispatch)(Actor& actor, ActorCell& cell, MessageBlock& message) = nullptr;
  void (*terminated)(Actor& actor, const Terminated& notice) = nullptr;
  void (*receive_timeout)(Actor& actor) = nullptr;
  void (*unhandled)(Actor& actor, Envelope&& message) = nullptr;
  bool is_reentrant = false;
  /// It hears of the abnormal ends of linked actors instead of ending too.
  bool traps_exits = false;
  /// By a message's number; null if all are equal.
  int (*priority_of)(std::uint32_t type_id) = nullptr;
};

/// The base of every actor: private state that is touched by one handler at a time.
///
/// A class names its messages in a public `using Protocol = troupe::Protocol<…>` and handles each
/// by a member `on`:
///   void on(const M&)              a message; an ask is answered when it returns
///   R on(const M&)                 an ask with `using Reply = R`; Result<R> may refuse
///   Task<R> on(M)                  a coroutine: may co_await; holds the mailbox meanwhile, unless
///                                  the class says `static constexpr bool reentrant = true`
///   void on(const M&, ReplyTo<R>)  answers later, or forwards
///   … on(M, StreamWriter<T>)       answers with many values; see reply_stream.hpp
/// It may have these public members, too:
///   void on(const Terminated&)      see watch()
///   void on(const ReceiveTimeout&)  see set_receive_timeout()
///   void on_unhandled(Envelope&&)   gets what the protocol lacks, which otherwise is a dead letter
///                                   with the reason `refused`. An asker in it is answered by whom
///                                   it is passed on to (AnyRef::pass_on()), or not at all
///   static constexpr bool reentrant, traps_exits;  see above, and link()
/// In a coroutine, name the message before it is sent: `const Get question; co_await
/// ref.ask(question);`. GCC 12 destroys some temporaries of an awaited expression twice.
/// A handler that throws Refusal answers with it; any other exception fails the request and the
/// actor; so does the WrongResult of a Result that was asked for what it does not hold. Its members
/// below are called only from its own handlers.
class Actor {
 public:
  Actor();
  virtual ~Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  /// Before the first message of this object, also after a restart.
  virtual void on_start() {}
  /// Before on_start(), on the new object after a crash; `why` is for a person: what was thrown.
  virtual void on_restart(const std::string& why) { (void)why; }
  /// Before this object is given up in order: at the actor's end, with its reason, and before a
  /// restart that no failure made necessary (`stopped`). Not for an object that crashed, that a
  /// link failed, or whose actor was killed before, because it did not end in its time.
  virtual void on_stop(ExitReason) {}

 protected:
  [[nodiscard]] ActorSystem& system() const;
  [[nodiscard]] AnyRef self() const;
  template <class A>
  [[nodiscard]] ActorRef<A> self_as() const {
    return ActorRef<A>{self()};
  }
  [[nodiscard]] base::TimePoint now() const;
  /// Seeded by the system's seed and this actor's number.
  [[nodiscard]] base::Random& random();

  /// A child of this actor: supervised by it, stopped before it. Errors as of
  /// ActorSystem::spawn(); closed also if this actor is about to end.
  template <class A, class... Args>
  base::Result<ActorRef<A>> spawn(SpawnOptions options, Args... args);
  /// Ends this actor after the current handler.
  void stop();
  /// Ends a child or any local actor in order.
  void stop(const AnyRef& actor);

  /// One Terminated follows for certain, also if the actor is already gone, its node dies, or the
  /// reference is empty. Throws std::logic_error if the class has no handler for Terminated.
  void watch(const AnyRef& actor);
  void unwatch(const AnyRef& actor);

  /// When one of the two ends other than by `stopped`, the other fails with ExitReason::linked; it
  /// gets Terminated instead if its class says `static constexpr bool traps_exits = true`. A
  /// restart is not an end. After Erlang's links, also across nodes: an actor whose node dies ends
  /// by `node_lost`.
  void link(const AnyRef& actor);
  /// Neither hears of the other's end because of a link any more, once the other has been told.
  void unlink(const AnyRef& actor);

  using TimerId = std::uint64_t;
  /// Sends itself a message later; cancelled when the actor ends or restarts. The own mailbox
  /// treats it as any other: what a full one refuses is a dead letter, and does not come again.
  template <base::Message M>
  TimerId after(base::Duration delay, M message) {
    return add_timer(delay, message_maker(std::move(message)));
  }
  /// The same again and again, at the multiples of `interval` from now on; those that passed while
  /// the actor was too busy to be told are left out; after one that a full mailbox refused comes
  /// the next. Throws std::invalid_argument unless `interval` is positive.
  template <base::Message M>
  TimerId every(base::Duration interval, M message) {
    return add_repeated_timer(interval, message_maker(std::move(message)));
  }
  /// Nothing more is sent by it; what is in the mailbox already will be handled. Without effect on
  /// a timer that has fired or was cancelled, and on a number that is none.
  void cancel(TimerId timer);

  using Delay = detail::Pause;
  /// `co_await delay(d)`: goes on after so long.
  [[nodiscard]] static Delay delay(base::Duration duration) { return Delay{duration}; }

  /// Gives the reply to a function or to a member of this actor, between its messages; lost if the
  /// actor ends or restarts first. For handlers that are no coroutines:
  ///   pipe(prices_.ask(GetPrice{}), &Shop::on_price);  // void on_price(AskResult<Price>)
  template <class T, class Function>
  requires std::is_invocable_v<Function&, AskResult<T>>
  void pipe(Ask<T> ask, Function function) {
    pipe_any(ask, [context = ask.decode_context(),
                   function = std::move(function)](Envelope&& reply) mutable {
      function(Ask<T>::to_result(std::move(reply), context));
    });
  }
  template <class T, class A, class Argument>
  void pipe(Ask<T> ask, void (A::*member)(Argument)) {
    pipe(std::move(ask), [self = static_cast<A*>(this), member](AskResult<T> result) {
      (self->*member)(std::move(result));
    });
  }

  /// Other handlers for some of the protocol's messages from the next one on; see behaviour.hpp,
  /// which is to be included. The first argument is the actor itself.
  template <class B, class... Args>
  void become(typename B::ActorClass& actor, Args&&... args);
  /// Back to the actor's own handlers.
  void unbecome();

  /// Puts the message that is being handled aside, with its asker, until unstash_all(). Not from a
  /// coroutine. mailbox_full when stash_max_default messages, or what was set, are there: the asker
  /// is told, and a message without asker becomes a dead letter. Their deadlines go on.
  template <base::Message M>
  [[nodiscard]] base::Outcome stash(M message);
  /// The same for a handler that has taken the right to answer.
  template <base::Message M, class R>
  [[nodiscard]] base::Outcome stash(M message, ReplyTo<R> reply);
  /// `bytes_max`: of all messages in it together; 0: only the count is bounded.
  void set_stash_max(std::uint32_t messages_max, std::size_t bytes_max = 0);
  /// What was put aside is handled next, in its order, before what is in the mailbox. Also done
  /// after a restart.
  void unstash_all();

  /// `void on(const ReceiveTimeout&)` is called when no message came for so long, once until the
  /// next message comes. 0: no more. A coroutine that holds the mailbox counts as a message. Throws
  /// std::logic_error where there is no such handler.
  void set_receive_timeout(base::Duration idle_max);

  [[nodiscard]] ActorCell& cell() const { return *cell_; }

 private:
  friend class ActorCell;
  friend ActorCell& detail::cell_of(const Actor& actor);
  /// For supervisors. False: it is answered as RestartPolicy says.
  virtual bool on_child_event(const ChildEvent&) { return false; }

  using MessageMaker = std::function<Envelope()>;
  template <class M>
  static MessageMaker message_maker(M message) {
    return [message = std::move(message)] {
      return Envelope::of(BlockKind::message, message_type<M>, M{message});
    };
  }
  TimerId add_timer(base::Duration delay, MessageMaker maker);
  TimerId add_repeated_timer(base::Duration interval, MessageMaker maker);
  void pipe_any(OpenAsk& ask, std::function<void(Envelope&&)> handler);
  [[nodiscard]] base::Outcome stash_any(Envelope message);
  [[nodiscard]] base::Outcome stash_any(Envelope message, ReplyRight asker);

  ActorCell* cell_;
};

/// The right to answer one request, once. Dropped unused, the asker gets may_have_run. Move-only;
/// may be used from any thread.
class ReplyRight {
 public:
  ReplyRight() = default;
  ReplyRight(ReplyAddress to, bool by_name, base::TimePoint deadline)
      : to_(to), by_name_(by_name), deadline_(deadline) {}
  ReplyRight(ReplyRight&& other) noexcept
      : to_(std::exchange(other.to_, ReplyAddress{})),
        by_name_(other.by_name_),
        deadline_(other.deadline_),
        held_(std::move(other.held_)) {}
  ReplyRight& operator=(ReplyRight&& other) noexcept;
  ~ReplyRight();

  /// Whether anybody waits.
  explicit operator bool() const { return static_cast<bool>(to_); }
  [[nodiscard]] base::TimePoint deadline() const { return deadline_; }
  void fail(AskError error);
  /// A reply, failure or receipt block.
  void send(Envelope reply);
  /// Puts the right into an answerable message that goes elsewhere, whose receiver then answers.
  void move_into(MessageBlock& message);
  /// The same and sends it, unless whoever waits for the answer would wait for itself: then it is
  /// told of the ask cycle, and the outcome is `refused`.
  [[nodiscard]] base::Outcome forward(const AnyRef& to, Envelope message);
  /// Keeps something, for who counts its open requests, until the right is used or dropped.
  void hold(std::shared_ptr<void> until_used) { held_ = std::move(until_used); }
  /// True: the asker, in this process, gave the request up, or it has ended. Of askers elsewhere
  /// it is not known.
  [[nodiscard]] bool is_given_up() const;

 private:
  ReplyAddress to_;
  bool by_name_ = false;
  base::TimePoint deadline_ = base::time_never;
  std::shared_ptr<void> held_;
};

/// A handler's second argument where it answers later: `void on(const M&, ReplyTo<R> reply)`.
///
/// Move-only; may be used from any thread, also after the actor's end. Answers once: after the
/// first send(), refuse(), fail() or forward(), or where nobody asked, operator bool is false, the
/// first three have no effect, and forward() is a tell(). None blocks. Whether the answer arrives
/// is not known here: the asker's deadline may have passed. Dropped unused, the asker gets
/// may_have_run.
template <class R>
class ReplyTo {
 public:
  using Value = std::conditional_t<std::is_void_v<R>, Done, R>;
  ReplyTo() = default;
  explicit ReplyTo(ReplyRight right) : right_(std::move(right)) {}

  /// The value; `send({})` where the message declares no Reply.
  void send(Value value) {
    right_.send(Envelope::of(BlockKind::reply, message_type<Value>, std::move(value)));
  }
  /// The answer is no, as by a handler that throws Refusal.
  void refuse(std::string reason) {
    right_.fail({AskError::Kind::refusal, base::Outcome::accepted, std::move(reason)});
  }
  /// Any other end. not_run says that asking again does no harm: whoever retries relies on it.
  void fail(AskError error) { right_.fail(std::move(error)); }
  /// The other actor answers our asker, who is told if it does not accept the message.
  template <class A, base::Message M>
  requires std::is_same_v<ReplyOf<M>, R>
  [[nodiscard]] base::Outcome forward(const ActorRef<A>& to, M message) {
    if constexpr (!ProtocolOf<A>::template contains<M>) {
      (void)sizeof(mistake::ProtocolLacksMessage<M, ProtocolOf<A>>);
    }
    return right_.forward(
        to, Envelope::of(BlockKind::message, message_type<M>, std::move(message), Answerable::yes));
  }
  explicit operator bool() const { return static_cast<bool>(right_); }
  /// As of ReplyRight.
  void hold(std::shared_ptr<void> until_used) { right_.hold(std::move(until_used)); }

 private:
  friend class Actor;
  ReplyRight right_;
};

template <base::Message M>
base::Outcome Actor::stash(M message) {
  return stash_any(
      Envelope::of(BlockKind::message, message_type<M>, std::move(message), Answerable::yes));
}

template <base::Message M, class R>
base::Outcome Actor::stash(M message, ReplyTo<R> reply) {
  return stash_any(
      Envelope::of(BlockKind::message, message_type<M>, std::move(message), Answerable::yes),
      std::move(reply.right_));
}

}  // namespace troupe::actors
