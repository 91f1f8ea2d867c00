#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "actors/message_type.hpp"
#include "actors/mistakes.hpp"
#include "base/message.hpp"
#include "base/schema.hpp"

namespace troupe::actors {

/// The reply to an ask whose message declares none: the message was handled.
struct Done {
  TROUPE_MESSAGE(Done)
};

namespace detail {

template <class M>
struct ReplyTrait {
  using Type = void;
};
template <class M>
  requires requires { typename M::Reply; }
struct ReplyTrait<M> {
  using Type = typename M::Reply;
};

template <std::size_t N>
constexpr bool all_distinct(const std::array<std::uint32_t, N>& ids) {
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = i + 1; j < N; ++j) {
      if (ids[i] == ids[j]) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace detail

/// What asking with M answers: M::Reply, or void.
template <class M>
using ReplyOf = typename detail::ReplyTrait<M>::Type;
/// The same as a value that can travel.
template <class M>
using ReplyValue = std::conditional_t<std::is_void_v<ReplyOf<M>>, Done, ReplyOf<M>>;

namespace detail {

template <class M, class Protocol, class... Fields>
constexpr bool check_fields(std::type_identity<std::tuple<Fields&...>>) {
  [[maybe_unused]] const auto check = []<class Field>(std::type_identity<Field>) {
    if constexpr (!base::Serialisable<Field>) {
      (void)sizeof(mistake::FieldCannotTravel<M, Protocol, Field>);
    }
  };
  (check(std::type_identity<std::remove_cvref_t<Fields>>{}), ...);
  return true;
}

/// Does not compile where M or its reply cannot travel; see mistakes.hpp.
template <class M, class Protocol>
constexpr bool check_message() {
  if constexpr (!base::Message<M>) {
    return sizeof(mistake::MessageIsNotOne<M, Protocol>) > 0;
  } else {
    if constexpr (!base::Serialisable<ReplyValue<M>>) {
      (void)sizeof(mistake::ReplyCannotTravel<M, Protocol, ReplyValue<M>>);
    }
    return check_fields<M, Protocol>(
        std::type_identity<decltype(std::declval<M&>().troupe_fields())>{});
  }
}

}  // namespace detail

/// The messages an actor understands, known at compile time. Names must differ.
template <class... Messages>
struct Protocol {
  static_assert((detail::check_message<Messages, Protocol>() && ...));
  static_assert(detail::all_distinct(std::array<std::uint32_t, sizeof...(Messages)>{
                    base::fnv1a(Messages::troupe_message_name())...}),
                "two messages of one protocol have the same name");

  template <class M>
  static constexpr bool contains = (std::is_same_v<M, Messages> || ...);

  /// True if every message of this protocol is one of the wider one's.
  template <class Wider>
  static constexpr bool is_part_of = (Wider::template contains<Messages> && ...);
};

namespace detail {

template <class T>
struct ProtocolTrait {
  using Type = typename T::Protocol;
};
template <class... Messages>
struct ProtocolTrait<Protocol<Messages...>> {
  using Type = Protocol<Messages...>;
};

}  // namespace detail

/// An actor class's protocol; a protocol is its own.
template <class T>
using ProtocolOf = typename detail::ProtocolTrait<T>::Type;

/// One message of a protocol, for people, clients and the wire.
struct MessageInfo {
  std::string name;
  std::uint32_t id = 0;
  std::uint32_t shape = 0;
  std::string reply;  ///< a type as in base::FieldSchema; empty if it cannot be asked for a value
};

/// A protocol with all structs that its messages and replies consist of.
struct ProtocolInfo {
  std::vector<MessageInfo> messages;
  std::vector<base::StructSchema> structs;
};

namespace detail {

template <class M>
void add_message_info(ProtocolInfo& info) {
  MessageInfo message;
  message.name = base::schema_of<M>(info.structs);
  message.id = message_type<M>.id;
  message.shape = base::fingerprint_of<M>();
  if constexpr (!std::is_void_v<ReplyOf<M>>) {
    message.reply = base::schema_of<ReplyOf<M>>(info.structs);
  }
  info.messages.push_back(std::move(message));
}

template <class... Messages>
ProtocolInfo protocol_info(std::type_identity<Protocol<Messages...>>) {
  ProtocolInfo info;
  (add_message_info<Messages>(info), ...);
  return info;
}

}  // namespace detail

template <class T>
[[nodiscard]] ProtocolInfo protocol_info() {
  return detail::protocol_info(std::type_identity<ProtocolOf<T>>{});
}

}  // namespace troupe::actors
