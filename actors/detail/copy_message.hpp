#pragma once

#include <new>

#include "actors/envelope.hpp"
#include "actors/message_type.hpp"

namespace troupe::actors::detail {

/// A message's value without its sender, asker and deadline.
template <class M>
Envelope copy_message(const MessageBlock& message, Answerable answerable) {
  if (message.type == &message_type<M>) {
    return Envelope::of(BlockKind::message, message_type<M>,
                        M(*std::launder(static_cast<const M*>(message.value()))), answerable);
  }
  base::Bytes body;
  encode_body(message, body, message.type != nullptr);
  return Envelope::encoded(BlockKind::message, message.type_id, message.shape(), body);
}
using CopyMessage = Envelope (*)(const MessageBlock& message, Answerable answerable);

}  // namespace troupe::actors::detail
