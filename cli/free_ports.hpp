#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::cli {

/// `count` different loopback ports that nobody listens on: `first` and its successors if all are
/// free, otherwise ones that the system chooses; empty if there are none. Another program may still
/// take one before it is used.
[[nodiscard]] std::vector<std::uint16_t> free_ports(std::size_t count, std::uint16_t first);

/// Exactly `first` and its successors, or empty.
[[nodiscard]] std::vector<std::uint16_t> ports_from(std::size_t count, std::uint16_t first);

}  // namespace troupe::cli
