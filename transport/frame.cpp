#include "transport/frame.hpp"

#include <array>

namespace troupe::transport {

namespace {

// The lists of a hello are small; a larger budget would only serve an attacker.
constexpr base::WireLimits hello_limits{.depth_max = 4, .elements_max = 1U << 16U};
constexpr std::size_t control_frame_bytes_max = 1U << 20U;

template <class Integer>
void write_fixed(base::Bytes& to, std::size_t at, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    to[at + i] = static_cast<std::byte>((value >> (8 * i)) & 0xFFU);
  }
}

template <class Struct>
Frame struct_frame(FrameKind kind, const Struct& value) {
  auto frame = std::make_shared<base::Bytes>();
  frame->push_back(static_cast<std::byte>(kind));
  base::WireWriter writer{*frame};
  base::wire_encode(writer, value);
  return frame;
}

template <class Struct>
base::Result<Struct> parse_struct(base::ByteView frame) {
  if (frame.empty() || frame.size() > control_frame_bytes_max) {
    return base::Error{base::Errc::malformed, std::to_string(frame.size()) + " bytes for a " +
                                                  std::string{Struct::troupe_message_name()}};
  }
  base::WireReader reader{frame.subspan(1), nullptr, hello_limits};
  Struct value;
  if (!base::wire_decode(reader, value)) {
    return reader.error();
  }
  if (!reader.at_end()) {
    return base::Error{base::Errc::malformed,
                       std::to_string(reader.remaining_bytes()) + " bytes too many"};
  }
  return value;
}

base::Error malformed(std::string what) {
  return {base::Errc::malformed, std::move(what)};
}

}  // namespace

Frame hello_frame(FrameKind kind, const Hello& hello) {
  return struct_frame(kind, hello);
}

Frame refuse_frame(base::Errc code, std::string_view text) {
  return struct_frame(FrameKind::refuse,
                      Refuse{std::string{base::to_string(code)}, std::string{text}});
}

Frame goodbye_frame(std::string_view reason) {
  return struct_frame(FrameKind::goodbye, Goodbye{std::string{reason}});
}

Frame acknowledgement_frame(const BatchHeader& header) {
  auto frame = std::make_shared<base::Bytes>(batch_header_bytes);
  write_batch_header(*frame, header);
  return frame;
}

void write_batch_header(base::Bytes& frame, const BatchHeader& header) {
  frame[0] = static_cast<std::byte>(FrameKind::batch);
  frame[1] = static_cast<std::byte>(header.lane);
  write_fixed<std::uint16_t>(frame, 2, 0);
  write_fixed(frame, 4, header.record_count);
  write_fixed(frame, 8, header.session);
  write_fixed(frame, 16, header.sequence);
  write_fixed(frame, 24, header.acknowledgement);
  write_fixed<std::uint64_t>(frame, 32, 0);
}

void append_record(base::Bytes& frame, base::ByteView record) {
  const auto size = static_cast<std::uint32_t>(record.size());
  const std::array<std::byte, record_header_bytes> length{
      static_cast<std::byte>(size & 0xFFU), static_cast<std::byte>((size >> 8U) & 0xFFU),
      static_cast<std::byte>((size >> 16U) & 0xFFU), static_cast<std::byte>(size >> 24U)};
  base::append(frame, length);
  base::append(frame, record);
}

base::Result<FrameKind> parse_kind(base::ByteView frame) {
  if (frame.empty()) {
    return malformed("empty frame");
  }
  const auto kind = static_cast<std::uint8_t>(frame[0]);
  if (kind < 1 || kind > 5) {
    return malformed("unknown frame kind " + std::to_string(kind));
  }
  return static_cast<FrameKind>(kind);
}

base::Result<Hello> parse_hello(base::ByteView frame) {
  return parse_struct<Hello>(frame);
}
base::Result<Refuse> parse_refuse(base::ByteView frame) {
  return parse_struct<Refuse>(frame);
}
base::Result<Goodbye> parse_goodbye(base::ByteView frame) {
  return parse_struct<Goodbye>(frame);
}

base::Result<Batch> parse_batch(base::ByteView frame) {
  if (frame.size() < batch_header_bytes || frame.size() > frame_bytes_max) {
    return malformed("a batch of " + std::to_string(frame.size()) + " bytes");
  }
  Batch batch;
  batch.header = {.lane = static_cast<std::uint8_t>(frame[1]),
                  .record_count = base::get_fixed<std::uint32_t>(&frame[4]),
                  .session = base::get_fixed<std::uint64_t>(&frame[8]),
                  .sequence = base::get_fixed<std::uint64_t>(&frame[16]),
                  .acknowledgement = base::get_fixed<std::uint64_t>(&frame[24])};
  batch.records = frame.subspan(batch_header_bytes);
  if (batch.header.lane > 1) {
    return malformed("a batch for lane " + std::to_string(batch.header.lane));
  }
  if ((batch.header.sequence == 0) != (batch.header.record_count == 0)) {
    return malformed("a batch with sequence " + std::to_string(batch.header.sequence) + " and " +
                     std::to_string(batch.header.record_count) + " records");
  }
  base::ByteView rest = batch.records;
  for (std::uint32_t i = 0; i < batch.header.record_count; ++i) {
    if (rest.size() < record_header_bytes ||
        rest.size() - record_header_bytes < base::get_fixed<std::uint32_t>(rest.data())) {
      return malformed("record " + std::to_string(i) + " of " +
                       std::to_string(batch.header.record_count) + " goes beyond the frame");
    }
    rest = rest.subspan(record_header_bytes + base::get_fixed<std::uint32_t>(rest.data()));
  }
  if (!rest.empty()) {
    return malformed(std::to_string(rest.size()) + " bytes after the last record");
  }
  return batch;
}

base::Error to_error(const Refuse& refuse) {
  constexpr std::array known{base::Errc::version_mismatch, base::Errc::cluster_mismatch,
                             base::Errc::refused, base::Errc::malformed,
                             base::Errc::limit_exceeded};
  for (const base::Errc code : known) {
    if (refuse.code == base::to_string(code)) {
      return {code, refuse.text};
    }
  }
  return {base::Errc::refused, refuse.text};
}

}  // namespace troupe::transport
