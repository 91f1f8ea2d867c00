#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"

namespace troupe::cli {

/// A field's type, read from its text as in base::FieldSchema: "list<optional<int>>".
struct TypeText {
  enum class Kind { boolean, integer, floating, text, bytes, ref, list, optional, map, structure };
  Kind kind = Kind::structure;
  std::string name;             ///< of a structure
  std::vector<TypeText> inner;  ///< one element of list, optional and map, else none
};

/// malformed: no type, or nested deeper than 16.
[[nodiscard]] base::Result<TypeText> parse_type(std::string_view text);

/// The text that parse_type() reads.
[[nodiscard]] std::string to_string(const TypeText& type);

}  // namespace troupe::cli
