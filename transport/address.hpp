#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/errors.hpp"

namespace troupe::transport {

/// "tcp://host:port" taken apart. `host` is a name, an IPv4 address or "*".
struct Address {
  std::string host;
  std::uint16_t port = 0;  ///< 0: any free port; allowed for listening only

  [[nodiscard]] std::string text() const;
  /// Whether it means all interfaces ("*" or 0.0.0.0), which nobody can connect to.
  [[nodiscard]] bool is_wildcard() const;
};

/// invalid_argument with a context that says how an address looks.
[[nodiscard]] base::Result<Address> parse_address(std::string_view text);

/// Letters, digits, '.', '_', '-'; 1 to 64 of them.
[[nodiscard]] bool is_valid_name(std::string_view name);

}  // namespace troupe::transport
