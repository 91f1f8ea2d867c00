#include "actors/envelope.hpp"

namespace troupe::actors {

Envelope Envelope::encoded(BlockKind kind, std::uint32_t type_id, std::uint32_t shape,
                           base::ByteView body) {
  MessageBlock* block =
      make_block(sizeof(MessageBlock::EncodedHead) + body.size(), Answerable::yes);
  block->kind = kind;
  block->type_id = type_id;
  auto* head = new (block->value())
      MessageBlock::EncodedHead{shape, static_cast<std::uint32_t>(body.size())};
  if (!body.empty()) {
    std::memcpy(head + 1, body.data(), body.size());
  }
  return Envelope{block};
}

void encode_body(const MessageBlock& block, base::Bytes& out, bool by_name) {
  if (block.type == nullptr) {
    base::append(out, block.body());
    return;
  }
  base::WireWriter writer{out};
  writer.by_name = by_name;
  block.type->encode(writer, block.value());
}

}  // namespace troupe::actors
