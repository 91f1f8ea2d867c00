#pragma once

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "actors/actor.hpp"
#include "actors/actor_cell.hpp"
#include "actors/mistakes.hpp"

namespace troupe::actors {

namespace detail {

template <class T>
struct IsResult : std::false_type {};
template <class T, class E>
struct IsResult<base::Result<T, E>> : std::true_type {};

template <class R>
struct IsStream : std::false_type {};
/// In reply_stream.hpp.
template <class M, class A>
Handled handle_stream(A& actor, ActorCell& cell, M& message);

/// The class's name without the compiler's decoration and namespaces; lives for ever.
[[nodiscard]] std::string_view readable_name(const std::type_info& type);
[[noreturn]] void throw_refusal(const base::Error& error);
[[noreturn]] void throw_refusal(const AskError& error);

/// A handler's value as a reply block; an error inside becomes a refusal.
template <class M, class A, class Value>
Envelope reply_envelope(Value&& value) {
  using Plain = std::remove_cvref_t<Value>;
  if constexpr (IsResult<Plain>::value) {
    if (!value.ok()) {
      throw_refusal(value.error());
    }
    if constexpr (std::is_void_v<typename Plain::Value>) {
      return Envelope::of(BlockKind::reply, message_type<Done>, Done{});
    } else {
      return reply_envelope<M, A>(std::forward<Value>(value).value());
    }
  } else if constexpr (!std::is_convertible_v<Plain, ReplyValue<M>>) {
    (void)sizeof(mistake::HandlerReturnsNoReply<M, ProtocolOf<A>, Plain, ReplyOf<M>>);
    return {};
  } else {
    return Envelope::of(BlockKind::reply, message_type<ReplyValue<M>>,
                        ReplyValue<M>(std::forward<Value>(value)));
  }
}

// GCC 12 takes the frame for something that other files see too.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif
/// The root of a coroutine handler: owns the message, gives the reply.
template <class M, class A>
Task<Envelope> run_handler(A& actor, M message) {
  using Returned = decltype(actor.on(std::move(message)));
  if constexpr (std::is_void_v<typename Returned::Value>) {
    if constexpr (!std::is_void_v<ReplyOf<M>>) {
      (void)sizeof(mistake::HandlerReturnsNoReply<M, ProtocolOf<A>, void, ReplyOf<M>>);
    }
    co_await actor.on(std::move(message));
    co_return Envelope::of(BlockKind::reply, message_type<Done>, Done{});
  } else {
    auto value = co_await actor.on(std::move(message));
    co_return reply_envelope<M, A>(std::move(value));
  }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

template <class M, class A>
Handled handle(A& actor, ActorCell& cell, M& message) {
  if constexpr (IsStream<ReplyOf<M>>::value) {
    return handle_stream(actor, cell, message);
  } else if constexpr (requires { actor.on(message, ReplyTo<ReplyOf<M>>{}); }) {
    actor.on(message, ReplyTo<ReplyOf<M>>{cell.pass_on_reply_right()});
    return Handled::done;
  } else if constexpr (!requires { actor.on(std::move(message)); }) {
    (void)sizeof(mistake::ActorLacksHandler<M, ProtocolOf<A>, A>);
    return Handled::not_understood;
  } else {
    using Returned = decltype(actor.on(std::move(message)));
    if constexpr (IsTask<Returned>::value) {
      return cell.start_task(run_handler<M>(actor, std::move(message)));
    } else if constexpr (std::is_void_v<Returned>) {
      if constexpr (!std::is_void_v<ReplyOf<M>>) {
        (void)sizeof(mistake::HandlerReturnsNoReply<M, ProtocolOf<A>, void, ReplyOf<M>>);
      }
      actor.on(std::move(message));
      if (cell.is_asked()) {
        cell.reply(Envelope::of(BlockKind::reply, message_type<Done>, Done{}));
      }
      return Handled::done;
    } else {
      auto value = actor.on(std::move(message));
      if (cell.is_asked()) {
        cell.reply(reply_envelope<M, A>(std::move(value)));
      }
      return Handled::done;
    }
  }
}

template <class M, class A>
Handled handle_block(A& actor, ActorCell& cell, MessageBlock& block) {
  if (block.type == &message_type<M>) {
    return handle<M>(actor, cell, block.as<M>());
  }
  // From the wire, or a message of this name that another library or protocol defined.
  base::Bytes encoded;
  if (block.type != nullptr) {
    encode_body(block, encoded, true);
  }
  base::WireReader reader{block.type != nullptr ? encoded : block.body(), cell.decode_context()};
  if (block.type == nullptr && block.shape() != 0 && block.shape() != base::fingerprint_of<M>() &&
      reader.peek() != base::WireReader::Kind::map) {
    cell.note_undecodable("its fields differ from those of the sender: a map is needed");
    return Handled::undecodable;
  }
  M message{};
  if (!base::wire_decode(reader, message)) {
    cell.note_undecodable(reader.error().context);
    return Handled::undecodable;
  }
  if (!reader.at_end()) {
    cell.note_undecodable("bytes follow the message");
    return Handled::undecodable;
  }
  return handle<M>(actor, cell, message);
}

/// `actor`: whoever has the handlers, an actor or one of its behaviours.
template <class A, class... Messages>
Handled dispatch_to(A& actor, ActorCell& cell, MessageBlock& block,
                    std::type_identity<Protocol<Messages...>>) {
  Handled result = Handled::not_understood;
  (void)((block.type_id == message_type<Messages>.id &&
          (result = handle_block<Messages>(actor, cell, block), true)) ||
         ...);
  return result;
}

template <int>
struct ConstantPriority;

template <class M>
constexpr int priority() {
  if constexpr (requires { typename ConstantPriority<int{M::priority}>; }) {
    static_assert(M::priority >= -128 && M::priority <= 127, "a priority is from -128 to 127");
    return M::priority;
  } else {
    return 0;
  }
}

template <class... Messages>
auto priority_function(std::type_identity<Protocol<Messages...>>) {
  using Function = int (*)(std::uint32_t);
  if constexpr (((priority<Messages>() != 0) || ...)) {
    return Function{[](std::uint32_t type_id) {
      int result = 0;
      (void)((message_type<Messages>.id == type_id && (result = priority<Messages>(), true)) ||
             ...);
      return result;
    }};
  } else {
    return Function{nullptr};
  }
}

template <class A>
constexpr bool traps_exits() {
  if constexpr (requires { A::traps_exits; }) {
    static_assert(
        !A::traps_exits || requires(A & a, const Terminated& t) { a.on(t); },
        "an actor that traps exits has a handler `on(const Terminated&)`");
    return A::traps_exits;
  } else {
    return false;
  }
}

template <class A>
constexpr bool is_reentrant() {
  if constexpr (requires { A::reentrant; }) {
    return A::reentrant;
  } else {
    return false;
  }
}

}  // namespace detail

template <class A>
const ActorType& actor_type() {
  static_assert(sizeof(ProtocolOf<A>) > 0);  // its checks come before all others
  static const ActorType type{
      .name = detail::readable_name(typeid(A)),
      .protocol = &protocol_info<A>,
      .dispatch =
          [](Actor& actor, ActorCell& cell, MessageBlock& message) {
            return detail::dispatch_to(static_cast<A&>(actor), cell, message,
                                       std::type_identity<ProtocolOf<A>>{});
          },
      .terminated =
          [] {
            using Function = void (*)(Actor&, const Terminated&);
            if constexpr (requires(A & a, const Terminated& notice) { a.on(notice); }) {
              return Function{[](Actor& actor, const Terminated& notice) {
                static_cast<A&>(actor).on(notice);
              }};
            } else {
              return Function{nullptr};
            }
          }(),
      .receive_timeout =
          [] {
            using Function = void (*)(Actor&);
            if constexpr (requires(A & a) { a.on(ReceiveTimeout{}); }) {
              return Function{[](Actor& actor) { static_cast<A&>(actor).on(ReceiveTimeout{}); }};
            } else {
              return Function{nullptr};
            }
          }(),
      .unhandled =
          [] {
            using Function = void (*)(Actor&, Envelope &&);
            if constexpr (requires(A & a, Envelope && e) { a.on_unhandled(std::move(e)); }) {
              return Function{[](Actor& actor, Envelope&& message) {
                static_cast<A&>(actor).on_unhandled(std::move(message));
              }};
            } else {
              return Function{nullptr};
            }
          }(),
      .is_reentrant = detail::is_reentrant<A>(),
      .traps_exits = detail::traps_exits<A>(),
      .priority_of = detail::priority_function(std::type_identity<ProtocolOf<A>>{})};
  return type;
}

}  // namespace troupe::actors
