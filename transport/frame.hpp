#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/errors.hpp"
#include "base/message.hpp"

namespace troupe::transport {

/// The bytes of docs/wire-protocol.md, sections "Connections" and "Batches and sessions". Free
/// functions without state; everything that is parsed is checked before it is used.

/// One ZeroMQ message. Immutable once written; shared among the session that keeps it until it is
/// acknowledged and the network that is writing it.
using Frame = std::shared_ptr<const base::Bytes>;

inline constexpr std::size_t frame_bytes_max = 16U << 20U;
inline constexpr std::size_t batch_header_bytes = 40;
inline constexpr std::size_t record_header_bytes = 4;
inline constexpr std::size_t record_bytes_max =
    frame_bytes_max - batch_header_bytes - record_header_bytes;
inline constexpr std::uint32_t protocol_version = 1;
inline constexpr std::uint8_t lane_both = 2;

enum class FrameKind : std::uint8_t { hello = 1, welcome = 2, refuse = 3, batch = 4, goodbye = 5 };

/// Who opens a connection; also the answer to it, as a welcome.
struct Hello {
  std::uint32_t version_min = protocol_version;
  std::uint32_t version_max = protocol_version;
  std::string cluster;
  std::string node;
  std::uint64_t incarnation = 0;
  std::string address;
  std::string role;
  std::uint8_t lane = 0;
  std::uint64_t session = 0;
  std::vector<std::uint64_t> types;
  std::map<std::string, std::string> labels;
  bool operator==(const Hello&) const = default;
  TROUPE_MESSAGE(Hello, version_min, version_max, cluster, node, incarnation, address, role, lane,
                 session, types, labels)
};

struct Refuse {
  std::string code;
  std::string text;
  TROUPE_MESSAGE(Refuse, code, text)
};

struct Goodbye {
  std::string reason;
  TROUPE_MESSAGE(Goodbye, reason)
};

struct BatchHeader {
  std::uint8_t lane = 0;
  std::uint32_t record_count = 0;
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;
  std::uint64_t acknowledgement = 0;
};

/// A batch whose record lengths have been checked to fill it exactly.
struct Batch {
  BatchHeader header;
  base::ByteView records;
};

/// The frame of a hello or welcome.
[[nodiscard]] Frame hello_frame(FrameKind kind, const Hello& hello);
[[nodiscard]] Frame refuse_frame(base::Errc code, std::string_view text);
[[nodiscard]] Frame goodbye_frame(std::string_view reason);
/// A batch without records: it only acknowledges.
[[nodiscard]] Frame acknowledgement_frame(const BatchHeader& header);

/// Writes the header into the first batch_header_bytes of a frame.
void write_batch_header(base::Bytes& frame, const BatchHeader& header);
void append_record(base::Bytes& frame, base::ByteView record);

/// malformed for an empty frame or an unknown kind.
[[nodiscard]] base::Result<FrameKind> parse_kind(base::ByteView frame);
/// The structs of the frames of that kind; malformed says what is wrong with them.
[[nodiscard]] base::Result<Hello> parse_hello(base::ByteView frame);
[[nodiscard]] base::Result<Refuse> parse_refuse(base::ByteView frame);
[[nodiscard]] base::Result<Goodbye> parse_goodbye(base::ByteView frame);
[[nodiscard]] base::Result<Batch> parse_batch(base::ByteView frame);

/// The error that a refuse frame carries; an unknown code reads as `refused`.
[[nodiscard]] base::Error to_error(const Refuse& refuse);

/// Calls `visit(ByteView)` for every record of a parsed batch.
template <class Visit>
void for_each_record(const Batch& batch, Visit&& visit) {
  const std::byte* at = batch.records.data();
  for (std::uint32_t i = 0; i < batch.header.record_count; ++i) {
    const auto size = base::get_fixed<std::uint32_t>(at);
    visit(base::ByteView{at + record_header_bytes, size});
    at += record_header_bytes + size;
  }
}

}  // namespace troupe::transport
