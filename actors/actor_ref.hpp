#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "actors/ask.hpp"
#include "actors/envelope.hpp"
#include "actors/message_sink.hpp"
#include "actors/mistakes.hpp"
#include "actors/protocol.hpp"
#include "base/clock.hpp"
#include "base/message.hpp"

namespace troupe::actors {

/// How long an ask or a waiting send may take unless said otherwise. Duration::max(): as long as it
/// takes.
inline constexpr base::Duration ask_timeout_default = std::chrono::seconds{5};

/// Which actor, without what it understands. A reference never keeps an actor alive and stays safe
/// after its death, as long as its actor system lives. Cheap to copy. Thread-safe.
class AnyRef {
 public:
  AnyRef() = default;
  AnyRef(MessageSink& sink, base::ActorId id) : sink_(&sink), id_(id) {}

  explicit operator bool() const { return sink_ != nullptr; }
  bool operator==(const AnyRef&) const = default;
  [[nodiscard]] base::ActorId id() const { return id_; }
  [[nodiscard]] MessageSink* sink() const { return sink_; }
  /// Node and number, or name; empty for an empty reference.
  [[nodiscard]] ActorAddress address() const;

  /// The untyped ways of ActorRef, for those who forward what they do not know.
  [[nodiscard]] base::Outcome post(Envelope&& message) const;
  /// As post(); becomes a dead letter if it is not handled within so long.
  [[nodiscard]] base::Outcome post_within(base::Duration within, Envelope&& message) const;
  /// The same for a message on its way: it keeps its sender.
  [[nodiscard]] base::Outcome pass_on(Envelope&& message) const;
  /// Precondition: the message is answerable.
  [[nodiscard]] base::ActorId request(Envelope&& message, base::Duration timeout) const;
  /// The open asks of the reference's system; null for an empty reference.
  [[nodiscard]] PendingRequests* requests() const;

 private:
  MessageSink* sink_ = nullptr;
  base::ActorId id_;
};

/// A send that waits for room: the sender's coroutine goes on when the message has its place in the
/// receiver's mailbox, or certainly will not. Awaited once, in an actor.
class [[nodiscard]] Send {
 public:
  Send(AnyRef to, Envelope message, base::Duration timeout);
  ~Send();
  Send(Send&& other) noexcept = default;
  Send& operator=(Send&&) = delete;

  [[nodiscard]] bool await_ready();
  bool await_suspend(std::coroutine_handle<> waiting);
  [[nodiscard]] base::Outcome await_resume();

 private:
  struct State;
  std::shared_ptr<State> state_;
  friend class ActorCell;
};

/// A reference to an actor that understands T: an actor class or a Protocol<…>. The same type for
/// local and remote actors, by number or by name. Sends only what the protocol has.
template <class T>
class ActorRef : public AnyRef {
 public:
  using Protocol = ProtocolOf<T>;

  ActorRef() = default;
  /// The caller vouches that the actor understands T.
  explicit ActorRef(AnyRef any) : AnyRef(any) {}
  /// A narrower reference from a wider one.
  template <class U>
  requires(!std::is_same_v<T, U> && Protocol::template is_part_of<ProtocolOf<U>>)
      ActorRef(const ActorRef<U>& wider)
      : AnyRef(wider) {}

  /// Sends without waiting; returns the outcome at once. Not accepted means that the message was
  /// not and will not be handled.
  template <class M>
  [[nodiscard]] base::Outcome tell(M message) const {
    check_understood<M>();
    return post(Envelope::of(BlockKind::message, message_type<M>, std::move(message)));
  }

  /// The same for what is worth nothing later: if it has not come to its handler `within` so long,
  /// it is dropped before it is handled, a dead letter with the reason `expired`.
  template <class M>
  [[nodiscard]] base::Outcome tell_within(base::Duration within, M message) const {
    check_understood<M>();
    return post_within(within,
                       Envelope::of(BlockKind::message, message_type<M>, std::move(message)));
  }

  /// Waits for room in the receiver's mailbox: `co_await ref.send(m)` gives the outcome, `expired`
  /// if there was none within `timeout`. Those who wait are let in in the order of coming. What the
  /// waiting actor tells the same receiver meanwhile, being reentrant, may overtake the message.
  template <class M>
  [[nodiscard]] Send send(M message, base::Duration timeout = ask_timeout_default) const {
    check_understood<M>();
    return {*this, Envelope::of(BlockKind::message, message_type<M>, std::move(message)), timeout};
  }

  /// Sends and expects the message's Reply by the deadline, which travels with the request. For a
  /// message without Reply the result says that it was handled.
  template <class M>
  [[nodiscard]] Ask<ReplyOf<M>> ask(M message, base::Duration timeout = ask_timeout_default) const {
    check_understood<M>();
    return {sink(), id(), requests(),
            request(Envelope::of(BlockKind::message, message_type<M>, std::move(message),
                                 Answerable::yes),
                    timeout)};
  }

 private:
  template <class M>
  static constexpr void check_understood() {
    if constexpr (!Protocol::template contains<M>) {
      (void)sizeof(mistake::ProtocolLacksMessage<M, Protocol>);
    }
  }
};

namespace detail {

void encode_ref(base::WireWriter& out, const AnyRef& ref);
[[nodiscard]] bool decode_ref(base::WireReader& in, AnyRef& ref);

}  // namespace detail

}  // namespace troupe::actors

/// A reference travels as a list: node, incarnation, actor number, name; empty is nil.
template <class T>
struct troupe::base::WireCodec<troupe::actors::ActorRef<T>> {
  static std::string_view schema() { return "ref"; }
  static void encode(WireWriter& out, const actors::ActorRef<T>& ref) {
    actors::detail::encode_ref(out, ref);
  }
  static bool decode(WireReader& in, actors::ActorRef<T>& ref) {
    actors::AnyRef any;
    if (!actors::detail::decode_ref(in, any)) {
      return false;
    }
    ref = actors::ActorRef<T>{any};
    return true;
  }
};

template <>
struct troupe::base::WireCodec<troupe::actors::AnyRef> {
  static std::string_view schema() { return "ref"; }
  static void encode(WireWriter& out, const actors::AnyRef& ref) {
    actors::detail::encode_ref(out, ref);
  }
  static bool decode(WireReader& in, actors::AnyRef& ref) {
    return actors::detail::decode_ref(in, ref);
  }
};
