#pragma once

#include <string>
#include <string_view>

#include "base/errors.hpp"
#include "cli/value.hpp"

namespace troupe::cli {

inline constexpr std::size_t json_depth_max = 16;  ///< as the wire protocol's

/// Reads one JSON text (RFC 8259). malformed: it is none, and where. invalid_argument: integers
/// beyond 64 bits, a field given twice, nesting deeper than json_depth_max.
[[nodiscard]] base::Result<Value> parse_json(std::string_view text);

enum class JsonStyle { one_line, indented };

/// Bytes that are not UTF-8 are replaced by U+FFFD.
[[nodiscard]] std::string to_json(const Value& value, JsonStyle style = JsonStyle::one_line);

}  // namespace troupe::cli
