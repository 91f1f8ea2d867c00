#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::bench {

/// One work as the command line asks for it.
struct Order {
  std::uint64_t messages = 0;  ///< 0: as many as take about a second
  std::uint32_t workers = 0;   ///< 0: one a core
};

// Each prints its figure, and ends the program where the work went wrong.
void ping_pong(const Order& order);
void flood(const Order& order);
/// Starts the receiving process by itself.
void remote_flood(const Order& order);
/// The receiving process: a node whose address it prints.
int remote_receiver();

}  // namespace troupe::bench
