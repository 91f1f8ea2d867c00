#pragma once

/// What a compiler names when a program is wrong: each is declared only, and instantiated by the
/// mistake alone. So the first error names the types that do not fit; the compiler also shows the
/// line below, with what to do.
namespace troupe::mistake {

// clang-format off
template <class Message, class Protocol>
struct ProtocolLacksMessage;  // Send another message, or add this one to the actor's `using Protocol`.

template <class Message, class Protocol, class Actor>
struct ActorLacksHandler;  // Give the actor a public `on(const Message&)`, or take the message out of its Protocol.

template <class Message, class Protocol, class Returned, class Reply>
struct HandlerReturnsNoReply;  // `on(const Message&)` returns what the message's `using Reply` says, or Result or Task of it.

template <class Message, class Protocol>
struct MessageIsNotOne;  // Put TROUPE_MESSAGE(Name, fields…) at the end of the struct.

template <class Message, class Protocol, class Field>
struct FieldCannotTravel;  // Take a type that base/message.hpp lists, make it a TROUPE_MESSAGE, or give it a base::WireCodec.

template <class Message, class Protocol, class Reply>
struct ReplyCannotTravel;  // Take a type that base/message.hpp lists, make it a TROUPE_MESSAGE, or give it a base::WireCodec.
// clang-format on

}  // namespace troupe::mistake
