#include "base/wire.hpp"

#include <bit>
#include <cmath>

namespace troupe::base {

namespace {

template <class Integer>
Integer big_endian(const std::byte* from) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>((value << 8) | static_cast<Integer>(from[i]));
  }
  return value;
}

using Kind = WireReader::Kind;

}  // namespace

/// One value's first byte and the length or number that goes with it.
struct WireReader::Header {
  Kind kind = Kind::end;
  bool negative = false;
  std::uint64_t number = 0;  // integer's bits, boolean, length or count
  double real = 0;
};

std::string_view to_string(WireReader::Kind kind) {
  switch (kind) {
    case Kind::nil: return "nil";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::floating: return "float";
    case Kind::text: return "string";
    case Kind::binary: return "bytes";
    case Kind::array: return "list";
    case Kind::map: return "map";
    case Kind::extension: return "extension";
    case Kind::end: return "the end of the bytes";
  }
  return "nothing";
}

WireReader::Kind WireReader::peek() const {
  if (at_ == end_) {
    return Kind::end;
  }
  const auto first = static_cast<std::uint8_t>(*at_);
  if (first < 0x80 || first >= 0xE0) return Kind::integer;
  if (first < 0x90) return Kind::map;
  if (first < 0xA0) return Kind::array;
  if (first < 0xC0) return Kind::text;
  switch (first) {
    case 0xC0: return Kind::nil;
    case 0xC2:
    case 0xC3: return Kind::boolean;
    case 0xC4:
    case 0xC5:
    case 0xC6: return Kind::binary;
    case 0xCA:
    case 0xCB: return Kind::floating;
    case 0xD9:
    case 0xDA:
    case 0xDB: return Kind::text;
    case 0xDC:
    case 0xDD: return Kind::array;
    case 0xDE:
    case 0xDF: return Kind::map;
    default: break;
  }
  return first >= 0xCC && first <= 0xD3 ? Kind::integer : Kind::extension;
}

bool WireReader::take(std::size_t count, const std::byte*& from) {
  if (remaining_bytes() < count) {
    return fail("more bytes than there are");
  }
  from = at_;
  at_ += count;
  return true;
}

bool WireReader::read_header(Header& header) {
  if (failed_) {
    return false;
  }
  header.kind = peek();
  const std::byte* from = nullptr;
  if (!take(1, from)) {
    return false;
  }
  const auto first = static_cast<std::uint8_t>(*from);
  const auto sized = [&](std::size_t bytes) {
    if (!take(bytes, from)) {
      return false;
    }
    switch (bytes) {
      case 1: header.number = big_endian<std::uint8_t>(from); break;
      case 2: header.number = big_endian<std::uint16_t>(from); break;
      case 4: header.number = big_endian<std::uint32_t>(from); break;
      default: header.number = big_endian<std::uint64_t>(from); break;
    }
    return true;
  };
  const auto sized_signed = [&](std::size_t bytes) {
    if (!sized(bytes)) {
      return false;
    }
    const auto shift = 64 - 8 * bytes;
    const auto extended = static_cast<std::int64_t>(header.number << shift) >> shift;
    header.number = static_cast<std::uint64_t>(extended);
    header.negative = extended < 0;
    return true;
  };
  switch (header.kind) {
    case Kind::nil: return true;
    case Kind::boolean: header.number = first == 0xC3 ? 1 : 0; return true;
    case Kind::integer:
      if (first < 0x80) {
        header.number = first;
        return true;
      }
      if (first >= 0xE0) {
        header.number = static_cast<std::uint64_t>(static_cast<std::int8_t>(first));
        header.negative = true;
        return true;
      }
      return first <= 0xCF ? sized(std::size_t{1} << (first - 0xCC))
                           : sized_signed(std::size_t{1} << (first - 0xD0));
    case Kind::floating:
      if (!sized(first == 0xCA ? 4 : 8)) {
        return false;
      }
      header.real = first == 0xCA ? static_cast<double>(std::bit_cast<float>(
                                        static_cast<std::uint32_t>(header.number)))
                                  : std::bit_cast<double>(header.number);
      return true;
    case Kind::text:
      if (first < 0xC0) {
        header.number = first & 0x1FU;
        return true;
      }
      return sized(std::size_t{1} << (first - 0xD9));
    case Kind::binary: return sized(std::size_t{1} << (first - 0xC4));
    case Kind::array:
      if (first < 0xA0) {
        header.number = first & 0x0FU;
        return true;
      }
      return sized(first == 0xDC ? 2 : 4);
    case Kind::map:
      if (first < 0x90) {
        header.number = first & 0x0FU;
        return true;
      }
      return sized(first == 0xDE ? 2 : 4);
    case Kind::extension:
    case Kind::end: break;
  }
  return fail("a type of the wire format's list");
}

bool WireReader::fail(std::string_view expected) {
  if (!failed_) {
    failed_ = true;
    problem_ = "expected ";
    problem_ += expected;
  }
  return false;
}

bool WireReader::fail_kind(std::string_view expected) {
  if (!failed_) {
    const Kind got = peek();
    fail(expected);
    problem_ += ", got ";
    problem_ += to_string(got);
  }
  return false;
}

bool WireReader::fail_inside(std::string_view name) {
  std::string place = "/";
  place += name;
  place_.insert(0, place);
  return false;
}

Error WireReader::error() const {
  return {Errc::malformed, place_.empty() ? problem_ : place_ + ": " + problem_};
}

bool WireReader::nil() {
  if (peek() != Kind::nil) {
    return fail_kind("nil");
  }
  Header header;
  return read_header(header);
}

bool WireReader::boolean(bool& value) {
  if (peek() != Kind::boolean) {
    return fail_kind("bool");
  }
  Header header;
  if (!read_header(header)) {
    return false;
  }
  value = header.number != 0;
  return true;
}

bool WireReader::signed_integer(std::int64_t& value, std::int64_t min, std::int64_t max) {
  if (peek() != Kind::integer) {
    return fail_kind("int");
  }
  Header header;
  if (!read_header(header)) {
    return false;
  }
  const auto number = static_cast<std::int64_t>(header.number);
  const bool too_large = !header.negative && number < 0;
  if (too_large || number < min || number > max) {
    return fail("int between " + std::to_string(min) + " and " + std::to_string(max));
  }
  value = number;
  return true;
}

bool WireReader::unsigned_integer(std::uint64_t& value, std::uint64_t max) {
  if (peek() != Kind::integer) {
    return fail_kind("int");
  }
  Header header;
  if (!read_header(header)) {
    return false;
  }
  if (header.negative || header.number > max) {
    return fail("int between 0 and " + std::to_string(max));
  }
  value = header.number;
  return true;
}

bool WireReader::floating(double& value) {
  const Kind kind = peek();
  if (kind != Kind::floating && kind != Kind::integer) {
    return fail_kind("float");
  }
  Header header;
  if (!read_header(header)) {
    return false;
  }
  if (kind == Kind::floating) {
    value = header.real;
  } else {
    value = header.negative ? static_cast<double>(static_cast<std::int64_t>(header.number))
                            : static_cast<double>(header.number);
  }
  return true;
}

bool WireReader::text(std::string_view& value) {
  if (peek() != Kind::text) {
    return fail_kind("string");
  }
  Header header;
  const std::byte* from = nullptr;
  if (!read_header(header) || !take(header.number, from)) {
    return false;
  }
  value = as_text({from, header.number});
  return true;
}

bool WireReader::binary(ByteView& value) {
  if (peek() != Kind::binary) {
    return fail_kind("bytes");
  }
  Header header;
  const std::byte* from = nullptr;
  if (!read_header(header) || !take(header.number, from)) {
    return false;
  }
  value = {from, header.number};
  return true;
}

bool WireReader::spend_elements(std::uint64_t count) {
  elements_ += count;
  if (elements_ > limits_.elements_max) {
    return fail("at most " + std::to_string(limits_.elements_max) + " elements a message");
  }
  return true;
}

bool WireReader::enter(Kind kind, std::string_view expected, std::uint32_t& count) {
  if (peek() != kind) {
    return fail_kind(expected);
  }
  Header header;
  if (!read_header(header)) {
    return false;
  }
  const std::uint64_t bytes_min = kind == Kind::map ? header.number * 2 : header.number;
  if (bytes_min > remaining_bytes()) {
    return fail("as many elements as the list or map declares");
  }
  if (++depth_ > limits_.depth_max) {
    return fail("at most " + std::to_string(limits_.depth_max) + " nested levels");
  }
  count = static_cast<std::uint32_t>(header.number);
  return spend_elements(count);
}

bool WireReader::enter_array(std::uint32_t& count) { return enter(Kind::array, "list", count); }
bool WireReader::enter_map(std::uint32_t& count) { return enter(Kind::map, "map", count); }

bool WireReader::skip() {
  std::uint32_t count = 0;
  std::string_view text_value;
  ByteView binary_value;
  switch (peek()) {
    case Kind::text: return text(text_value);
    case Kind::binary: return binary(binary_value);
    case Kind::array:
      if (!enter_array(count)) {
        return false;
      }
      break;
    case Kind::map:
      if (!enter_map(count)) {
        return false;
      }
      count *= 2;
      break;
    case Kind::end: return fail("one more value");
    default: {
      Header header;
      return read_header(header);
    }
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!skip()) {
      return false;
    }
  }
  leave();
  return true;
}

}  // namespace troupe::base
