#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"

namespace troupe::cli {

/// "10.0.0.1,tcp://n2:7401" as a list of tcp://host:port; the port may be left out.
/// invalid_argument names the part that is wrong.
[[nodiscard]] base::Result<std::vector<std::string>> parse_servers(std::string_view list);

/// For messages: "127.0.0.1:7400, n2:7401".
[[nodiscard]] std::string servers_text(const std::vector<std::string>& servers);

}  // namespace troupe::cli
