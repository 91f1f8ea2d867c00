#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/errors.hpp"
#include "base/wire.hpp"

namespace troupe::base {

/// 32-bit FNV-1a (Fowler, Noll, Vo): the wire's number of a message's name, in any language.
[[nodiscard]] constexpr std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  }
  return hash;
}

namespace detail {

template <std::size_t N>
constexpr std::array<std::string_view, N> split_names(std::string_view list) {
  std::array<std::string_view, N> names{};
  for (std::size_t i = 0; i < N; ++i) {
    while (!list.empty() && (list.front() == ' ' || list.front() == ',')) {
      list.remove_prefix(1);
    }
    std::size_t length = 0;
    while (length < list.size() && list[length] != ',' && list[length] != ' ') {
      ++length;
    }
    names[i] = list.substr(0, length);
    list.remove_prefix(length);
  }
  return names;
}

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsTextMap : std::false_type {};
template <class T>
struct IsTextMap<std::map<std::string, T>> : std::true_type {};

}  // namespace detail

/// A struct that names its fields with TROUPE_MESSAGE.
template <class T>
concept Message = requires(T& value) {
  { T::troupe_message_name() } -> std::convertible_to<std::string_view>;
  value.troupe_fields();
  T::troupe_field_names();
};

/// A type of another folder that brings its codec: found as members of a specialisation.
///   static std::string_view schema();
///   static void encode(WireWriter&, const T&);
///   static bool decode(WireReader&, T&);
/// and, where its values hold memory that bounds in bytes are to count:
///   static std::size_t held_bytes(const T&);
template <class T>
struct WireCodec;

template <class T>
concept HasWireCodec = requires { WireCodec<T>::schema(); };

/// What may be a field or a reply: bool, integers, floats, enums, std::string, Bytes,
/// std::vector, std::optional, std::map by string, messages, and types with a WireCodec.
template <class T>
struct IsSerialisable
    : std::bool_constant<std::is_arithmetic_v<T> || std::is_enum_v<T> ||
                         std::is_same_v<T, std::string> || Message<T> || HasWireCodec<T>> {};
template <class T>
struct IsSerialisable<std::vector<T>> : std::bool_constant<std::is_same_v<T, std::byte> ||
                                                           IsSerialisable<T>::value> {};
template <class T>
struct IsSerialisable<std::optional<T>> : IsSerialisable<T> {};
template <class T>
struct IsSerialisable<std::map<std::string, T>> : IsSerialisable<T> {};

template <class T>
concept Serialisable = IsSerialisable<T>::value;

/// What a value holds outside of itself: the characters of its strings, the elements of its lists.
/// Without what allocators add. 0 for types with a WireCodec that does not say.
template <Serialisable T>
[[nodiscard]] std::size_t held_bytes(const T& value) {
  std::size_t bytes = 0;
  if constexpr (HasWireCodec<T>) {
    if constexpr (requires { WireCodec<T>::held_bytes(value); }) {
      bytes = WireCodec<T>::held_bytes(value);
    }
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, Bytes>) {
    bytes = value.size();
  } else if constexpr (detail::IsOptional<T>::value) {
    bytes = value ? held_bytes(*value) : 0;
  } else if constexpr (detail::IsVector<T>::value) {
    bytes = value.size() * sizeof(typename T::value_type);
    for (const auto& element : value) {
      bytes += held_bytes<typename T::value_type>(element);
    }
  } else if constexpr (detail::IsTextMap<T>::value) {
    for (const auto& [key, element] : value) {
      bytes += sizeof(key) + sizeof(element) + key.size() + held_bytes(element);
    }
  } else if constexpr (Message<T>) {
    std::apply([&](const auto&... fields) { ((bytes += held_bytes(fields)), ...); },
               value.troupe_fields());
  }
  return bytes;
}

template <Serialisable T>
void wire_encode(WireWriter& out, const T& value) {
  if constexpr (HasWireCodec<T>) {
    WireCodec<T>::encode(out, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_enum_v<T>) {
    wire_encode(out, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    out.floating(value);
  } else if constexpr (std::is_unsigned_v<T>) {
    out.unsigned_integer(value);
  } else if constexpr (std::is_integral_v<T>) {
    out.signed_integer(value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out.text(value);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    out.binary(value);
  } else if constexpr (detail::IsOptional<T>::value) {
    if (value) {
      wire_encode(out, *value);
    } else {
      out.nil();
    }
  } else if constexpr (detail::IsVector<T>::value) {
    out.array(value.size());
    for (const auto& element : value) {
      wire_encode<typename T::value_type>(out, element);
    }
  } else if constexpr (detail::IsTextMap<T>::value) {
    out.map(value.size());
    for (const auto& [key, element] : value) {
      out.text(key);
      wire_encode(out, element);
    }
  } else {
    constexpr auto names = T::troupe_field_names();
    out.by_name ? out.map(names.size()) : out.array(names.size());
    std::apply(
        [&](const auto&... fields) {
          std::size_t i = 0;
          ((out.by_name ? out.text(names[i++]) : void(), wire_encode(out, fields)), ...);
        },
        value.troupe_fields());
  }
}

template <Serialisable T>
[[nodiscard]] bool wire_decode(WireReader& in, T& value);

namespace detail {

/// Fields in order: missing ones keep their default, further ones (of a newer sender) are skipped.
template <Message T>
bool decode_array(WireReader& in, T& value) {
  constexpr auto names = T::troupe_field_names();
  std::uint32_t count = 0;
  if (!in.enter_array(count)) {
    return false;
  }
  std::uint32_t read = 0;
  const bool ok = std::apply(
      [&](auto&... fields) {
        return ((read == count ||
                 (wire_decode(in, fields) ? (++read, true) : in.fail_inside(names[read]))) &&
                ...);
      },
      value.troupe_fields());
  for (; ok && read < count; ++read) {
    if (!in.skip()) {
      return false;
    }
  }
  in.leave();
  return ok;
}

template <Message T>
bool decode_map(WireReader& in, T& value) {
  constexpr auto names = T::troupe_field_names();
  std::uint32_t count = 0;
  if (!in.enter_map(count)) {
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!in.text(key)) {
      return false;
    }
    bool known = false;
    const bool ok = std::apply(
        [&](auto&... fields) {
          std::size_t at = 0;
          return ((names[at++] == key ? (known = true, wire_decode(in, fields)) : true) && ...);
        },
        value.troupe_fields());
    if (!ok) {
      return in.fail_inside(key);
    }
    if (!known && !in.skip()) {
      return false;
    }
  }
  in.leave();
  return true;
}

}  // namespace detail

template <Serialisable T>
bool wire_decode(WireReader& in, T& value) {
  if constexpr (HasWireCodec<T>) {
    return WireCodec<T>::decode(in, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return in.boolean(value);
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> number{};
    if (!wire_decode(in, number)) {
      return false;
    }
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_floating_point_v<T>) {
    double number = 0;
    if (!in.floating(number)) {
      return false;
    }
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_unsigned_v<T>) {
    std::uint64_t number = 0;
    if (!in.unsigned_integer(number, std::numeric_limits<T>::max())) {
      return false;
    }
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    std::int64_t number = 0;
    if (!in.signed_integer(number, std::numeric_limits<T>::min(), std::numeric_limits<T>::max())) {
      return false;
    }
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string_view view;
    if (!in.text(view)) {
      return false;
    }
    value.assign(view);
    return true;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    ByteView view;
    if (!in.binary(view)) {
      return false;
    }
    value.assign(view.begin(), view.end());
    return true;
  } else if constexpr (detail::IsOptional<T>::value) {
    if (in.peek() == WireReader::Kind::nil) {
      value.reset();
      return in.nil();
    }
    return wire_decode(in, value.emplace());
  } else if constexpr (detail::IsVector<T>::value) {
    std::uint32_t count = 0;
    if (!in.enter_array(count)) {
      return false;
    }
    value.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      typename T::value_type element{};
      if (!wire_decode(in, element)) {
        return in.fail_inside(std::to_string(i));
      }
      value.push_back(std::move(element));
    }
    in.leave();
    return true;
  } else if constexpr (detail::IsTextMap<T>::value) {
    std::uint32_t count = 0;
    if (!in.enter_map(count)) {
      return false;
    }
    value.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      std::string_view key;
      if (!in.text(key)) {
        return false;
      }
      if (!wire_decode(in, value[std::string{key}])) {
        return in.fail_inside(key);
      }
    }
    in.leave();
    return true;
  } else {
    return in.peek() == WireReader::Kind::map ? detail::decode_map(in, value)
                                              : detail::decode_array(in, value);
  }
}

/// Encodes one value as a whole message body.
template <Serialisable T>
[[nodiscard]] Bytes to_wire(const T& value) {
  Bytes out;
  WireWriter writer{out};
  wire_encode(writer, value);
  return out;
}

/// Decodes a whole body: all of it must be consumed.
template <Serialisable T>
[[nodiscard]] Result<T> from_wire(ByteView bytes, const void* context = nullptr) {
  WireReader reader{bytes, context};
  T value{};
  if (!wire_decode(reader, value)) {
    return reader.error();
  }
  if (!reader.at_end()) {
    return Error{Errc::malformed, std::to_string(reader.remaining_bytes()) + " bytes too many"};
  }
  return value;
}

}  // namespace troupe::base

// The number of arguments, 0 to 16, also for none.
#define TROUPE_DETAIL_COUNT(...)                                                              \
  TROUPE_DETAIL_COUNT_PICK(dummy __VA_OPT__(, ) __VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, \
                           7, 6, 5, 4, 3, 2, 1, 0)
#define TROUPE_DETAIL_COUNT_PICK(d, a, b, c, e, f, g, h, i, j, k, l, m, n, o, p, q, count, ...) \
  count

/// Inside a struct, at its end: makes it a message by naming it and its fields, in wire order (at
/// most 16). Fields may be added at the end with a default value; old and new nodes still
/// understand each other.
#define TROUPE_MESSAGE(Name, ...)                                                        \
  static constexpr std::string_view troupe_message_name() { return #Name; }              \
  static constexpr auto troupe_field_names() {                                           \
    return ::troupe::base::detail::split_names<TROUPE_DETAIL_COUNT(__VA_ARGS__)>(        \
        "" #__VA_ARGS__);                                                                \
  }                                                                                      \
  auto troupe_fields() { return std::tie(__VA_ARGS__); }                                 \
  auto troupe_fields() const { return std::tie(__VA_ARGS__); }
