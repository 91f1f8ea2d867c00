#include "node/envelope_codec.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::node {

namespace {

using actors::BlockKind;
using base::RecordKind;
using Microseconds = std::chrono::microseconds;

/// Deadlines beyond this are none: they would not fit into the clock.
constexpr std::uint64_t deadline_us_max = 1'000'000ULL * 60 * 60 * 24 * 365;

RecordKind record_kind(BlockKind kind) {
  switch (kind) {
    case BlockKind::reply: return RecordKind::reply;
    case BlockKind::failure: return RecordKind::failure;
    case BlockKind::receipt: return RecordKind::receipt;
    case BlockKind::message:
    case BlockKind::control: break;
  }
  return RecordKind::message;
}

BlockKind block_kind(RecordKind kind) {
  switch (kind) {
    case RecordKind::reply: return BlockKind::reply;
    case RecordKind::failure: return BlockKind::failure;
    case RecordKind::receipt: return BlockKind::receipt;
    default: return BlockKind::message;
  }
}

}  // namespace

void encode_envelope(const actors::MessageBlock& block, const EncodeOptions& options,
                     base::Bytes& out) {
  const bool is_message = block.kind == BlockKind::message;
  base::Record record;
  record.kind = record_kind(block.kind);
  record.type = block.type_id;
  record.shape = block.shape();
  record.target = options.name.empty() ? block.target.value : 0;
  record.name = options.name;
  record.sender = block.sender.value;
  record.request = is_message ? options.request : 0;
  record.wants_receipt = is_message && block.wants_receipt;
  // For a message the flag also asks for the reply's form, which is then the asker's.
  record.by_name = block.by_name || options.by_name;
  if (is_message && block.deadline != base::time_never) {
    const auto left = std::chrono::duration_cast<Microseconds>(block.deadline - options.now);
    record.deadline_us = static_cast<std::uint64_t>(std::max<Microseconds::rep>(left.count(), 0));
  }
  base::encode_record_header(record, out);
  encode_body(block, out, record.by_name);
}

actors::Envelope decode_envelope(const base::Record& record, base::TimePoint now) {
  actors::Envelope envelope = actors::Envelope::encoded(block_kind(record.kind), record.type,
                                                        record.shape, record.body);
  envelope->target = {record.target};
  envelope->sender = {record.sender};
  envelope->by_name = record.by_name;
  envelope->wants_receipt = record.wants_receipt;
  if (record.deadline_us && *record.deadline_us < deadline_us_max) {
    envelope->deadline = now + Microseconds{*record.deadline_us};
  }
  return envelope;
}

}  // namespace troupe::node
