#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::bench {

/// A program that does a work: its words, of which "{count}" stands for how much of it. The first
/// is its name beside troupe-bench, or "erl".
struct Contestant {
  std::string name;
  std::vector<std::string> command;
};

/// What is demanded of the ratio to the best of some peers, of all if `over` is empty. With
/// `value_max` the demand is on our own figure instead.
struct Gate {
  std::string id;
  double required = 0;
  std::vector<std::string> over;
  bool is_value_max = false;
};

/// One work, done by this library and by its peers.
struct Contest {
  std::string work;
  std::string unit;
  bool less_is_better = false;
  std::uint64_t count = 0;  ///< at scale 1; at least count_min
  std::uint64_t count_min = 1'000;
  Contestant ours;
  std::vector<Contestant> peers;
  std::vector<Gate> gates;
};

[[nodiscard]] std::vector<Contest> local_contests();
[[nodiscard]] std::vector<Contest> remote_contests();

}  // namespace troupe::bench
