#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "cli/problem.hpp"

namespace troupe::cli {

inline constexpr std::size_t payload_bytes_max = std::size_t{16} << 20U;  ///< a frame's limit

/// The text behind a payload argument: itself, the file of @FILE, or all of the input for "-"; "{}"
/// if there is none. Problems: input_file.
[[nodiscard]] Checked<std::string> read_payload(const std::optional<std::string>& argument,
                                                std::istream& input);

}  // namespace troupe::cli
