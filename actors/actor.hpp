#pragma once

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
class Scheduler;

/// What a watcher gets, exactly once a watch: `void on(const Terminated&)`.
struct Terminated {
  AnyRef actor;
  ExitReason reason = ExitReason::stopped;
  std::string text;  ///< for a person, e.g. what a handler threw
};

struct SpawnOptions {
  /// For logs and, in a node, the name in the cluster.
  std::string name;
  /// How many messages the mailbox holds; see MailboxPolicy for these and what `overflow` does.
  std::uint32_t mailbox_messages_max = 10'000;
  std::size_t mailbox_bytes_max = 0;
  Overflow overflow = Overflow::wait;
  bool mailbox_by_priority = false;
  AnyRef overflow_to;
  /// What the supervisor, the spawning actor, does when this one fails.
  RestartPolicy restart = restart_default;
  /// Whether a restarted actor finds the messages that had come before. Otherwise they go to the
  /// dead letters.
  bool keep_mailbox = true;
  /// Concerns plain handlers; what a coroutine had begun is not repeated.
  OnCrash on_crash = OnCrash::drop_message;
  /// How long the spawning actor, when it ends or restarts, waits for this one to end in order;
  /// then it is killed. A handler that runs cannot be interrupted: a killed actor is let go of, and
  /// ends when its handler returns. In milliseconds; up to 49 days, from there on for ever.
  base::Duration stop_timeout = stop_timeout_default;
  /// Where it runs; the system's scheduler if null.
  Scheduler* scheduler = nullptr;
  ExitHook on_exit;
  LeftHook on_left;

  static constexpr RestartPolicy restart_default{.restart = Restart::transient};
  static constexpr base::Duration stop_timeout_default = std::chrono::seconds{5};

  [[nodiscard]] bool has_plain_mailbox() const {
    return mailbox_bytes_max == 0 && overflow == Overflow::wait && !mailbox_by_priority;
  }
  [[nodiscard]] MailboxPolicy mailbox_policy() const {
    return {mailbox_messages_max, mailbox_bytes_max, overflow, mailbox_by_priority, overflow_to};
  }
};

/// What became of one message in an actor's hands.
enum class Handled : std::uint8_t { done, suspended, not_understood, undecodable };

/// What the runtime knows of an actor class. One object a class.
struct ActorType {
  std::string_view name;
  ProtocolInfo (*protocol)() = nullptr;
  Handled (*dispatch)(Actor& actor, ActorCell& cell, MessageBlock& message) = nullptr;
  void (*terminated)(Actor& actor, const Terminated& notice) = nullptr;
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
/// A handler that throws Refusal answers with it; any other exception fails the request and the
/// actor. Its members below are called only from its own handlers.
class Actor {
 public:
  Actor();
  virtual ~Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  /// Before the first message of this object, also after a restart.
  virtual void on_start() {}
  /// After the last message, when the actor ends; not when it crashed and is restarted.
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

  /// A child of this actor: supervised by it, stopped before it.
  template <class A, class... Args>
  base::Result<ActorRef<A>> spawn(SpawnOptions options, Args... args);
  /// Ends this actor after the current handler.
  void stop();
  /// Ends a child or any local actor in order.
  void stop(const AnyRef& actor);

  /// One Terminated follows for certain, also if the actor is already gone or its node dies.
  void watch(const AnyRef& actor);
  void unwatch(const AnyRef& actor);

  /// When one of the two ends other than by `stopped`, the other fails with ExitReason::linked; it
  /// gets Terminated instead if its class says `static constexpr bool traps_exits = true`. A
  /// restart is not an end. An actor of another node is linked in one direction: its end is heard
  /// here. After Erlang's links.
  void link(const AnyRef& actor);
  void unlink(const AnyRef& actor);

  using TimerId = std::uint64_t;
  /// Sends itself a message later; cancelled when the actor ends or restarts.
  template <base::Message M>
  TimerId after(base::Duration delay, M message) {
    return add_timer(delay, base::Duration{0}, message_maker(std::move(message)));
  }
  /// The same again and again, at a fixed distance.
  template <base::Message M>
  TimerId every(base::Duration interval, M message) {
    return add_timer(interval, interval, message_maker(std::move(message)));
  }
  void cancel(TimerId timer);

  /// `co_await delay(d)`: goes on after so long.
  struct Delay {
    base::Duration duration;
    [[nodiscard]] bool await_ready() const { return duration <= base::Duration{0}; }
    void await_suspend(std::coroutine_handle<> waiting) const;
    void await_resume() const {}
  };
  [[nodiscard]] static Delay delay(base::Duration duration) { return {duration}; }

  [[nodiscard]] ActorCell& cell() const { return *cell_; }

 private:
  friend class ActorCell;
  /// For supervisors. False: it is answered as RestartPolicy says.
  virtual bool on_child_event(const ChildEvent&) { return false; }

  using MessageMaker = std::function<Envelope()>;
  template <class M>
  static MessageMaker message_maker(M message) {
    return [message = std::move(message)] {
      return Envelope::of(BlockKind::message, message_type<M>, M{message});
    };
  }
  TimerId add_timer(base::Duration delay, base::Duration interval, MessageMaker maker);

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
        deadline_(other.deadline_) {}
  ReplyRight& operator=(ReplyRight&& other) noexcept;
  ~ReplyRight();

  /// Whether anybody waits.
  explicit operator bool() const { return static_cast<bool>(to_); }
  [[nodiscard]] base::TimePoint deadline() const { return deadline_; }
  void fail(AskError error);
  /// A reply, failure or receipt block.
  void send(Envelope reply);
  /// Puts the right into a message that goes elsewhere, whose receiver then answers.
  void move_into(MessageBlock& message);

 private:
  ReplyAddress to_;
  bool by_name_ = false;
  base::TimePoint deadline_ = base::time_never;
};

/// A handler's second argument where it answers later: `void on(const M&, ReplyTo<R> reply)`.
template <class R>
class ReplyTo {
 public:
  using Value = std::conditional_t<std::is_void_v<R>, Done, R>;
  ReplyTo() = default;
  explicit ReplyTo(ReplyRight right) : right_(std::move(right)) {}

  void send(Value value) {
    right_.send(Envelope::of(BlockKind::reply, message_type<Value>, std::move(value)));
  }
  void refuse(std::string reason) {
    right_.fail({AskError::Kind::refusal, base::Outcome::accepted, std::move(reason)});
  }
  void fail(AskError error) { right_.fail(std::move(error)); }
  /// The other actor answers our asker.
  template <class A, base::Message M>
  requires std::is_same_v<ReplyOf<M>, R>
  void forward(const ActorRef<A>& to, M message) {
    if constexpr (!ProtocolOf<A>::template contains<M>) {
      (void)sizeof(mistake::ProtocolLacksMessage<M, ProtocolOf<A>>);
    }
    Envelope envelope = Envelope::of(BlockKind::message, message_type<M>, std::move(message));
    right_.move_into(*envelope);
    (void)to.post(std::move(envelope));
  }
  explicit operator bool() const { return static_cast<bool>(right_); }

 private:
  ReplyRight right_;
};

}  // namespace troupe::actors
