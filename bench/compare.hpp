#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/contests.hpp"

namespace troupe::bench {

struct CompareOptions {
  std::string folder;  ///< where the programs lie
  std::string json;    ///< a file for one record a gate; none if empty
  std::uint64_t rounds = 5;
  std::string only;  ///< a regular expression; works whose name has it
  double scale = 1.0;
};

/// Lets all contestants of each work run in turn, ours, A, B, ours, A, B …, and prints the medians,
/// how many times as good ours is, and whether the gates are met. A peer whose program is not there
/// is named as missing; one that fails has no figure. Returns 1 if any failed, else 0: gates do not
/// matter to it. Throws std::regex_error and std::runtime_error for what the options name.
[[nodiscard]] int compare(const std::vector<Contest>& contests, const CompareOptions& options);

}  // namespace troupe::bench
