#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "cluster-tests/harness/chaos.hpp"
#include "cluster-tests/harness/seeds.hpp"

namespace troupe::harness {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t seeds_default = 200 / sanitizer_share;
/// So many cases for ctest to run at once.
constexpr std::uint64_t parts = 8;

class RandomSchedules : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomSchedules, EndInAgreement) {
  ChaosCounts sum;
  std::uint64_t instants = 0;
  std::uint64_t runs = 0;
  for (const std::uint64_t seed : seeds(seeds_default, GetParam(), parts)) {
    Chaos chaos{seed};
    chaos.run(seconds{60});
    for (const std::string& problem : chaos.world().problems()) {
      ADD_FAILURE() << problem << "\n  faults: " << chaos.faults().text()
                    << "\n  replay: TROUPE_SEED=" << seed
                    << " sim-tests --gtest_filter=*RandomSchedules*";
    }
    ++runs;
    instants += chaos.world().instants();
    sum.asked += chaos.counts().asked;
    sum.answered += chaos.counts().answered;
    sum.not_run += chaos.counts().not_run;
    sum.may_have_run += chaos.counts().may_have_run;
    sum.crashes += chaos.counts().crashes;
    sum.leaves += chaos.counts().leaves;
    if (HasFailure()) {
      break;
    }
  }
  std::printf(
      "%llu runs, %llu instants: %llu crashes, %llu leaves; %llu asks: %llu answered, "
      "%llu not_run, %llu may_have_run\n",
      static_cast<unsigned long long>(runs), static_cast<unsigned long long>(instants),
      static_cast<unsigned long long>(sum.crashes), static_cast<unsigned long long>(sum.leaves),
      static_cast<unsigned long long>(sum.asked), static_cast<unsigned long long>(sum.answered),
      static_cast<unsigned long long>(sum.not_run),
      static_cast<unsigned long long>(sum.may_have_run));
}

INSTANTIATE_TEST_SUITE_P(Parts, RandomSchedules, testing::Range(std::uint64_t{0}, parts));

TEST(Determinism, OneSeedIsOneRun) {
  const std::uint64_t first_seed = seed(7);
  for (std::uint64_t seed = first_seed; seed < first_seed + 3; ++seed) {
    Chaos first{seed};
    first.run(seconds{10});
    Chaos second{seed};
    second.run(seconds{10});
    std::printf("seed %llu: %016llx\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(first.world().trace()));
    EXPECT_EQ(first.world().trace(), second.world().trace()) << "seed " << seed;
    EXPECT_EQ(first.world().instants(), second.world().instants()) << "seed " << seed;
    EXPECT_EQ(first.counts().answered, second.counts().answered) << "seed " << seed;
  }
}

TEST(Determinism, AnotherSeedIsAnotherRun) {
  Chaos first{1};
  first.run(seconds{2});
  Chaos second{2};
  second.run(seconds{2});
  EXPECT_NE(first.world().trace(), second.world().trace());
}

}  // namespace
}  // namespace troupe::harness
