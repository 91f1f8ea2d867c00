#pragma once

#include <cstdint>
#include <string>

#include "base/errors.hpp"

namespace troupe::node {

/// The number of a node's next life: `now_ms`, or one more than the last life's where the machine's
/// clock has gone back. The last one is kept in the file `incarnation` of `directory`, which is made
/// if it is missing; without a directory only the clock decides. invalid_argument if the directory
/// cannot be written.
[[nodiscard]] base::Result<std::uint64_t> next_incarnation(const std::string& directory,
                                                           std::uint64_t now_ms);

}  // namespace troupe::node
