#include "actors/envelope.hpp"

namespace troupe::actors {

void destroy_block(MessageBlock* block) {
  if (block->type != nullptr) {
    block->type->destroy(block->value());
  }
  block->~MessageBlock();
  ::operator delete(block);
}

Envelope Envelope::encoded(BlockKind kind, std::uint32_t type_id, std::uint32_t shape,
                           base::ByteView body) {
  void* memory = ::operator new(sizeof(MessageBlock) + body.size());
  auto* block = new (memory) MessageBlock;
  block->kind = kind;
  block->type_id = type_id;
  block->shape = shape;
  block->body_bytes = static_cast<std::uint32_t>(body.size());
  if (!body.empty()) {
    std::memcpy(block->value(), body.data(), body.size());
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
