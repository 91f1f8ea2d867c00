#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace troupe::bench {

struct ChildResult {
  std::string output;       ///< its standard output
  std::string failure;      ///< for a person; empty if it ended by itself with exit code 0
  bool is_missing = false;  ///< there is no such program
};

/// Runs a program to its end and returns what it printed; its standard error is ours. It is killed
/// at the timeout, and with this process. `command[0]` is a path, or looked for in PATH.
[[nodiscard]] ChildResult run_child(const std::vector<std::string>& command,
                                    std::chrono::seconds timeout);

}  // namespace troupe::bench
