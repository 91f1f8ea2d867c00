#include "cli/base64.hpp"

#include <cstdint>

namespace troupe::cli {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(base::ByteView bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto byte = at + i < bytes.size() ? bytes[at + i] : std::byte{0};
      group = (group << 8U) | std::to_integer<std::uint32_t>(byte);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += at + i <= bytes.size() ? alphabet[(group >> (18 - 6 * i)) & 63U] : '=';
    }
  }
  return out;
}

std::optional<base::Bytes> from_base64(std::string_view text) {
  std::string_view digits = text;
  while (digits.ends_with('=') && text.size() - digits.size() < 2) {
    digits.remove_suffix(1);
  }
  base::Bytes out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : digits) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::byte>((bits >> held) & 0xFFU));
    }
  }
  if (to_base64(out) != text) {
    return std::nullopt;
  }
  return out;
}

}  // namespace troupe::cli
