#pragma once

#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>

#include "base/message.hpp"
#include "base/schema.hpp"

namespace troupe::actors {

/// What the runtime must know of a value whose type it has forgotten. One object a type.
struct MessageType {
  std::string_view name;
  std::uint32_t id = 0;            ///< base::fnv1a of the name
  std::uint32_t (*shape)() = nullptr;  ///< base::fingerprint_of the type; null if it never travels
  void (*destroy)(void* value) = nullptr;  ///< null: nothing to do
  void (*encode)(base::WireWriter& out, const void* value) = nullptr;
  /// The size of the value with what it holds elsewhere.
  std::size_t (*bytes)(const void* value) = nullptr;
  /// Makes a copy in memory of `bytes_of_value`; null if it cannot be copied.
  void (*copy)(void* to, const void* from) = nullptr;
  std::uint32_t bytes_of_value = 0;
};

namespace detail {

template <class T>
constexpr std::string_view value_name() {
  if constexpr (base::Message<T>) {
    return T::troupe_message_name();
  } else {
    return "value";
  }
}

template <class T>
constexpr auto destroyer() {
  using Function = void (*)(void*);
  if constexpr (std::is_trivially_destructible_v<T>) {
    return Function{nullptr};
  } else {
    return Function{[](void* value) { static_cast<T*>(value)->~T(); }};
  }
}

template <class T>
constexpr auto copier() {
  using Function = void (*)(void*, const void*);
  if constexpr (std::is_copy_constructible_v<T>) {
    return Function{[](void* to, const void* from) { new (to) T(*static_cast<const T*>(from)); }};
  } else {
    return Function{nullptr};
  }
}

}  // namespace detail

/// The type of a message or a reply.
template <base::Serialisable T>
inline constexpr MessageType message_type{
    detail::value_name<T>(), base::fnv1a(detail::value_name<T>()), &base::fingerprint_of<T>,
    detail::destroyer<T>(),
    [](base::WireWriter& out, const void* value) {
      base::wire_encode(out, *static_cast<const T*>(value));
    },
    [](const void* value) {
      return sizeof(T) + base::held_bytes(*static_cast<const T*>(value));
    },
    detail::copier<T>(),
    sizeof(T)};

/// The type of a value that stays inside the process.
template <class T>
inline constexpr MessageType local_type{"local", 0, nullptr, detail::destroyer<T>(), nullptr};

}  // namespace troupe::actors
