#include "base/record.hpp"

#include <bit>
#include <cstring>

#include "base/check.hpp"

namespace troupe::base {

namespace {

static_assert(std::endian::native == std::endian::little, "headers are copied as they lie");

constexpr std::uint8_t flag_request = 1;
constexpr std::uint8_t flag_deadline = 2;
constexpr std::uint8_t flag_name = 4;
constexpr std::uint8_t flag_by_name = 8;
constexpr std::uint8_t flag_receipt = 16;
constexpr std::uint8_t flags_known = 31;

struct FixedHeader {
  std::uint8_t kind;
  std::uint8_t flags;
  std::uint16_t reserved_a;
  std::uint32_t type;
  std::uint32_t shape;
  std::uint32_t reserved_b;
  std::uint64_t target;
  std::uint64_t sender;
};
static_assert(sizeof(FixedHeader) == record_header_bytes);

template <class Value>
void put(std::byte*& to, const Value& value) {
  std::memcpy(to, &value, sizeof value);
  to += sizeof value;
}

Error malformed(std::string_view what) {
  return {Errc::malformed, std::string{what}};
}

/// Takes the optional parts off the front of what follows the fixed header.
class Parts {
 public:
  explicit Parts(ByteView rest) : rest_(rest) {}

  bool number(std::uint64_t& value) {
    if (rest_.size() < sizeof value) {
      return false;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return true;
  }
  bool text(std::string_view& value) {
    if (rest_.empty()) {
      return false;
    }
    const auto length = static_cast<std::size_t>(rest_.front());
    if (rest_.size() - 1 < length) {
      return false;
    }
    value = as_text(rest_.subspan(1, length));
    rest_ = rest_.subspan(1 + length);
    return true;
  }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

}  // namespace

void encode_record_header(const Record& record, Bytes& out) {
  TROUPE_CHECK(record.name.size() <= record_name_bytes_max, "name longer than a record can say");
  std::byte buffer[record_header_bytes + 2 * sizeof(std::uint64_t) + 1 + record_name_bytes_max];
  std::byte* to = buffer + record_header_bytes;
  std::uint8_t flags = 0;
  if (record.request != 0) {
    flags |= flag_request;
    put(to, record.request);
  }
  if (record.deadline_us) {
    flags |= flag_deadline;
    put(to, *record.deadline_us);
  }
  if (!record.name.empty()) {
    flags |= flag_name;
    put(to, static_cast<std::uint8_t>(record.name.size()));
    std::memcpy(to, record.name.data(), record.name.size());
    to += record.name.size();
  }
  flags = static_cast<std::uint8_t>(flags | (record.by_name ? flag_by_name : 0) |
                                    (record.wants_receipt ? flag_receipt : 0));
  const FixedHeader header{.kind = static_cast<std::uint8_t>(record.kind),
                           .flags = flags,
                           .reserved_a = 0,
                           .type = record.type,
                           .shape = record.shape,
                           .reserved_b = 0,
                           .target = record.target,
                           .sender = record.sender};
  std::memcpy(buffer, &header, sizeof header);
  out.insert(out.end(), buffer, to);
}

void encode_record(const Record& record, Bytes& out) {
  encode_record_header(record, out);
  append(out, record.body);
}

Result<Record> decode_record(ByteView bytes) {
  if (bytes.size() < record_header_bytes) {
    return malformed("record shorter than its header");
  }
  FixedHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.kind < static_cast<std::uint8_t>(RecordKind::message) ||
      header.kind > static_cast<std::uint8_t>(RecordKind::unlink)) {
    return malformed("unknown kind of record");
  }
  if ((header.flags & ~flags_known) != 0) {
    return malformed("unknown flag of a record");
  }
  Record record;
  record.kind = static_cast<RecordKind>(header.kind);
  record.by_name = (header.flags & flag_by_name) != 0;
  record.wants_receipt = (header.flags & flag_receipt) != 0;
  record.type = header.type;
  record.shape = header.shape;
  record.target = header.target;
  record.sender = header.sender;
  Parts parts{bytes.subspan(record_header_bytes)};
  if ((header.flags & flag_request) != 0 && !parts.number(record.request)) {
    return malformed("record ends inside its request number");
  }
  if ((header.flags & flag_deadline) != 0 && !parts.number(record.deadline_us.emplace())) {
    return malformed("record ends inside its deadline");
  }
  if ((header.flags & flag_name) != 0 && !parts.text(record.name)) {
    return malformed("record ends inside its target's name");
  }
  if ((header.flags & flag_request) != 0 && record.request == 0) {
    return malformed("request number 0");
  }
  if ((header.flags & flag_name) != 0 && (record.name.empty() || record.target != 0)) {
    return malformed("target is neither a number nor a name");
  }
  if (record.wants_receipt && record.request == 0) {
    return malformed("receipt wanted without a request number");
  }
  record.body = parts.rest();
  return record;
}

}  // namespace troupe::base
