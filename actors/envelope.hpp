#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "actors/block_pool.hpp"
#include "actors/message_type.hpp"
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"

namespace troupe::actors {

class MessageSink;

/// Where a reply goes: a pending request here or, by its sink, on another node. Empty for a tell.
struct ReplyAddress {
  MessageSink* sink = nullptr;
  base::ActorId request;

  explicit operator bool() const { return sink != nullptr; }
};

enum class BlockKind : std::uint8_t {
  message,  ///< for an actor's handler
  reply,    ///< an ask's value
  failure,  ///< an ask's AskError
  receipt,  ///< what became of a send: a base::Outcome
  control,  ///< between cells; see control.hpp
};

/// Whether a block's message can be answered.
enum class Answerable : bool { no, yes };

/// One allocation: this header and, behind it, the value, or an EncodedHead and the encoded bytes.
/// Before the header, if it can be answered, the ReplyAddress: so that a message that nobody
/// answers fits one cache line with 16 bytes of value.
struct alignas(16) MessageBlock {
  std::atomic<MessageBlock*> next{nullptr};
  const MessageType* type = nullptr;  ///< null: the value is encoded as MessagePack
  base::ActorId target;
  base::ActorId sender;
  base::TimePoint deadline = base::time_never;
  std::uint32_t type_id = 0;
  BlockKind kind = BlockKind::message;
  std::uint8_t control = 0;
  bool wants_receipt : 1 = false;  ///< the reply address wants a receipt at arrival, no reply
  bool by_name : 1 = false;        ///< the reply is wanted as a map by field name
  bool is_rerouted : 1 = false;    ///< a full mailbox passed it on
  bool has_begun : 1 = false;      ///< put aside by a handler that it had crashed before
  bool is_answerable : 1 = false;  ///< a ReplyAddress lies before
  /// Of the block pool, or its number of classes: from the system.
  std::uint8_t size_class = block_pool::classes;

  /// Before the bytes of an encoded body.
  struct EncodedHead {
    std::uint32_t shape = 0;  ///< 0 if unknown
    std::uint32_t bytes = 0;
  };

  [[nodiscard]] ReplyAddress reply() const {
    return is_answerable ? *std::launder(reinterpret_cast<const ReplyAddress*>(this) - 1)
                         : ReplyAddress{};
  }
  /// Precondition: the block was made answerable, or the address is empty.
  void set_reply(ReplyAddress to) {
    TROUPE_CHECK(is_answerable || !to, "the message has no place for who is to be answered");
    if (is_answerable) {
      *std::launder(reinterpret_cast<ReplyAddress*>(this) - 1) = to;
    }
  }
  [[nodiscard]] ReplyAddress take_reply() {
    const ReplyAddress to = reply();
    set_reply({});
    return to;
  }
  [[nodiscard]] void* value() { return this + 1; }
  [[nodiscard]] const void* value() const { return this + 1; }
  template <class T>
  [[nodiscard]] T& as() {
    return *std::launder(static_cast<T*>(value()));
  }
  /// The body of an encoded message.
  [[nodiscard]] base::ByteView body() const {
    return {reinterpret_cast<const std::byte*>(encoded_head() + 1), encoded_head()->bytes};
  }
  /// The fingerprint of the value's fields; 0 if unknown or never travelling.
  [[nodiscard]] std::uint32_t shape() const {
    if (type != nullptr) {
      return type->shape != nullptr ? type->shape() : 0;
    }
    return encoded_head()->shape;
  }

 private:
  [[nodiscard]] const EncodedHead* encoded_head() const {
    return static_cast<const EncodedHead*>(value());
  }
};
static_assert(sizeof(MessageBlock) == 48);
static_assert(sizeof(ReplyAddress) == alignof(MessageBlock));

/// An empty block with so many bytes behind its header.
[[nodiscard]] inline MessageBlock* make_block(std::size_t value_bytes, Answerable answerable) {
  const bool is_answerable = answerable == Answerable::yes;
  const std::size_t bytes =
      (is_answerable ? sizeof(ReplyAddress) : 0) + sizeof(MessageBlock) + value_bytes;
  void* memory = allocate_block(bytes);
  if (is_answerable) {
    memory = new (memory) ReplyAddress + 1;
  }
  auto* block = new (memory) MessageBlock;
  block->is_answerable = is_answerable;
  const std::size_t size_class = block_pool::class_of(bytes);
  block->size_class = static_cast<std::uint8_t>(
      size_class < block_pool::classes && !block_pool::is_bypassed ? size_class
                                                                   : block_pool::classes);
  return block;
}

/// Frees a block and its value.
inline void destroy_block(MessageBlock* block) {
  if (block->type != nullptr && block->type->destroy != nullptr) {
    block->type->destroy(block->value());
  }
  const std::size_t size_class = block->size_class;
  void* memory =
      block->is_answerable ? static_cast<void*>(reinterpret_cast<ReplyAddress*>(block) - 1) : block;
  block->~MessageBlock();
  if (size_class < block_pool::classes) {
    block_pool::give(memory, size_class);
  } else {
    ::operator delete(memory);
  }
}

/// Owns one message on its way. Move-only; not thread-safe. Destroying one that an asker waits for
/// leaves the asker to its deadline: whoever gives up on a message reports it to the ActorSystem.
class Envelope {
 public:
  Envelope() = default;
  explicit Envelope(MessageBlock* block) : block_(block) {}
  Envelope(Envelope&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Envelope& operator=(Envelope&& other) noexcept {
    if (this != &other) {
      reset();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }
  ~Envelope() { reset(); }

  /// A typed value.
  template <class T>
  static Envelope of(BlockKind kind, const MessageType& type, T&& value,
                     Answerable answerable = Answerable::no) {
    using Value = std::remove_cvref_t<T>;
    static_assert(alignof(Value) <= alignof(MessageBlock));
    MessageBlock* block = make_block(sizeof(Value), answerable);
    Envelope envelope{block};
    new (block->value()) Value(std::forward<T>(value));
    block->kind = kind;
    block->type = &type;
    block->type_id = type.id;
    return envelope;
  }

  /// Bytes from the wire, copied once; decoded by the worker that runs the handler. Answerable.
  static Envelope encoded(BlockKind kind, std::uint32_t type_id, std::uint32_t shape,
                          base::ByteView body);

  MessageBlock* operator->() const { return block_; }
  MessageBlock& operator*() const { return *block_; }
  explicit operator bool() const { return block_ != nullptr; }
  [[nodiscard]] MessageBlock* release() { return std::exchange(block_, nullptr); }

 private:
  void reset() {
    if (block_ != nullptr) {
      destroy_block(std::exchange(block_, nullptr));
    }
  }

  MessageBlock* block_ = nullptr;
};

/// Appends the block's value as MessagePack.
void encode_body(const MessageBlock& block, base::Bytes& out, bool by_name);

}  // namespace troupe::actors
