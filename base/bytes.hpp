#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace troupe::base {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends an unsigned integer in little-endian order: the fixed headers of the wire.
template <class Integer>
void put_fixed(Bytes& to, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    to.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFFU));
  }
}

/// Reads what put_fixed() wrote; the caller has checked that sizeof(Integer) bytes are there.
template <class Integer>
[[nodiscard]] Integer get_fixed(const std::byte* from) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>(value | (static_cast<Integer>(from[i]) << (8 * i)));
  }
  return value;
}

}  // namespace troupe::base
