#include "registry/cluster.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "registry/testing/simulation.hpp"

namespace troupe::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Faults;
using testing::Simulation;

ClusterOptions three_seeds() {
  ClusterOptions options;
  options.seeds = {"tcp://n1", "tcp://n2", "tcp://n3"};
  return options;
}

/// TROUPE_SEED replays one seed with a trace; TROUPE_SEEDS says how many to run.
std::uint64_t from_environment(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t starts = 0;
  bool islands = false;
};

Totals run_seed(std::uint64_t seed, bool trace) {
  base::Random random{seed};
  Simulation simulation{seed, three_seeds()};
  simulation.trace = trace;
  const Faults faults{.crash = random.chance(0.7),
                      .silent_crash = random.chance(0.4),
                      .freeze = random.chance(0.4),
                      .leave = random.chance(0.5),
                      .flap = random.chance(0.5),
                      .link_down = random.chance(0.4),
                      .start_fails = random.chance(0.5)};
  simulation.run_random(3 + random.below(5), faults, seconds{12}, seconds{12});
  for (const std::string& problem : simulation.problems()) {
    ADD_FAILURE() << problem << "\n  replay: TROUPE_SEED=" << seed
                  << " registry-tests --gtest_filter=*ClusterSimulation*";
  }
  return {simulation.steps(), simulation.starts(), simulation.had_islands()};
}

/// One of eight blocks of seeds, so that they run beside each other.
class ClusterSimulation : public ::testing::TestWithParam<std::uint64_t> {};
constexpr std::uint64_t blocks = 8;

TEST_P(ClusterSimulation, KeepsItsPromisesThroughRandomFaults) {
  if (const std::uint64_t seed = from_environment("TROUPE_SEED", 0)) {
    if (seed % blocks == GetParam()) {
      run_seed(seed, true);
    }
    return;
  }
  Totals sum;
  std::uint64_t islands = 0;
  const std::uint64_t seeds = from_environment("TROUPE_SEEDS", 200);
  for (std::uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    if (seed % blocks == GetParam()) {
      const Totals run = run_seed(seed, false);
      sum.steps += run.steps;
      sum.starts += run.starts;
      islands += run.islands ? 1 : 0;
    }
  }
  RecordProperty("events", std::to_string(sum.steps));
  RecordProperty("starts", std::to_string(sum.starts));
  EXPECT_LE(islands, seeds / blocks / 3) << "most runs must check the strict rules";
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClusterSimulation, ::testing::Range(std::uint64_t{0}, blocks));

}  // namespace
}  // namespace troupe::registry
