#pragma once

#include <string>

#include "cli/value.hpp"

namespace troupe::cli {

/// Block style YAML 1.2; strings stand in JSON's quotes unless they are plain words.
[[nodiscard]] std::string to_yaml(const Value& value);

}  // namespace troupe::cli
