#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/errors.hpp"

namespace troupe::base {

/// What a record is, by its value on the wire; see "Records" in docs/wire-protocol.md.
enum class RecordKind : std::uint8_t {
  message = 1,
  reply = 2,
  failure = 3,
  watch = 4,
  unwatch = 5,
  terminated = 6,
  cluster = 7,
  receipt = 8,
  link = 9,
  unlink = 10,
};

inline constexpr std::size_t record_header_bytes = 32;
inline constexpr std::size_t record_name_bytes_max = 255;

/// The header of one record and views of its name and body. Not thread-safe. Owns nothing: a
/// decoded record is valid as long as the bytes it was decoded from.
struct Record {
  RecordKind kind = RecordKind::message;
  /// The body is a map by field name, and the reply is wanted so.
  bool by_name = false;
  /// With a request: a receipt is wanted instead of a reply.
  bool wants_receipt = false;
  std::uint32_t type = 0;
  std::uint32_t shape = 0;
  /// An actor's or a request's number; 0 if `name` is the target.
  std::uint64_t target = 0;
  /// The sending actor on the sending node, or 0.
  std::uint64_t sender = 0;
  /// Where the reply goes; 0 if none is wanted.
  std::uint64_t request = 0;
  /// Microseconds until the deadline, counted from arrival.
  std::optional<std::uint64_t> deadline_us;
  std::string_view name;
  ByteView body;
};

/// Appends everything before the body, for callers that then write the body in place; ignores
/// `record.body`. The name has at most record_name_bytes_max bytes.
void encode_record_header(const Record& record, Bytes& out);

/// Appends header and body.
void encode_record(const Record& record, Bytes& out);

/// Reads a record from the network. malformed: shorter than it says, an unknown kind or flag, a
/// name together with a number, an empty name, a request number of 0, a receipt without request.
[[nodiscard]] Result<Record> decode_record(ByteView bytes);

}  // namespace troupe::base
