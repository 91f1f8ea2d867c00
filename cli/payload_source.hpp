#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "cli/problem.hpp"
#include "cli/value.hpp"

namespace troupe::cli {

inline constexpr std::size_t payload_bytes_max = std::size_t{16} << 20U;  ///< a frame's limit

/// The text behind a payload argument: itself, the file of @FILE, or all of the input for "-"; "{}"
/// if there is none. Problems: input_file.
[[nodiscard]] Checked<std::string> read_payload(const std::optional<std::string>& argument,
                                                std::istream& input);

/// Reads it as JSON. `name` is what the problem calls it, `fits` says what would be right.
/// Problems: payload.
[[nodiscard]] Checked<Value> parse_payload(std::string_view text, const std::string& name,
                                           const std::string& fits);

}  // namespace troupe::cli
