#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/message.hpp"

namespace troupe::base {

/// A field's name and type. A type is "bool", "int", "float", "string", "bytes", "list<T>",
/// "optional<T>", "map<T>" (keys are strings), "ref" (an actor), or a struct's name.
struct FieldSchema {
  std::string name;
  std::string type;
  TROUPE_MESSAGE(FieldSchema, name, type)
};

/// A message or a struct inside one.
struct StructSchema {
  std::string name;
  std::vector<FieldSchema> fields;
  TROUPE_MESSAGE(StructSchema, name, fields)
};

/// The type's text; structs it mentions are added to `structs`, each once.
template <Serialisable T>
std::string schema_of(std::vector<StructSchema>& structs) {
  if constexpr (HasWireCodec<T>) {
    return std::string{WireCodec<T>::schema()};
  } else if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    return "int";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "float";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "string";
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return "bytes";
  } else if constexpr (detail::IsOptional<T>::value) {
    return "optional<" + schema_of<typename T::value_type>(structs) + ">";
  } else if constexpr (detail::IsVector<T>::value) {
    return "list<" + schema_of<typename T::value_type>(structs) + ">";
  } else if constexpr (detail::IsTextMap<T>::value) {
    return "map<" + schema_of<typename T::mapped_type>(structs) + ">";
  } else {
    const std::string name{T::troupe_message_name()};
    for (const auto& known : structs) {
      if (known.name == name) {
        return name;
      }
    }
    const std::size_t at = structs.size();
    structs.push_back({name, {}});
    constexpr auto names = T::troupe_field_names();
    std::vector<FieldSchema> fields;
    const auto add = [&]<class... Fields>(std::type_identity<std::tuple<Fields&...>>) {
      (fields.push_back({std::string{names[fields.size()]},
                         schema_of<std::remove_cvref_t<Fields>>(structs)}),
       ...);
    };
    add(std::type_identity<decltype(std::declval<T&>().troupe_fields())>{});
    structs[at].fields = std::move(fields);
    return name;
  }
}

/// A message's number for its shape: equal names, fields and types give equal numbers.
[[nodiscard]] std::uint32_t fingerprint(const std::vector<StructSchema>& structs,
                                        std::string_view type);

template <Serialisable T>
[[nodiscard]] std::uint32_t fingerprint_of() {
  static const std::uint32_t value = [] {
    std::vector<StructSchema> structs;
    const std::string type = schema_of<T>(structs);
    return fingerprint(structs, type);
  }();
  return value;
}

}  // namespace troupe::base
