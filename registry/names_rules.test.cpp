#include "registry/names_rules.hpp"

#include <gtest/gtest.h>

namespace troupe::registry {
namespace {

Record record(std::uint64_t epoch, NameState state, const std::string& holder = "n1",
              std::uint64_t incarnation = 1) {
  Record made;
  made.name = "hits";
  made.epoch = epoch;
  made.state = state;
  made.holder = {holder, incarnation};
  made.kind = "counter";
  made.respawn = true;
  return made;
}

TEST(NamesRules, TheHigherEpochIsNewerThenTheOlderHolderThenTheLaterState) {
  using enum NameState;
  EXPECT_TRUE(is_newer(record(2, starting), record(1, released)));
  EXPECT_FALSE(is_newer(record(1, released), record(2, starting)));
  EXPECT_TRUE(is_newer(record(1, bound), record(1, starting)));
  EXPECT_TRUE(is_newer(record(1, released), record(1, moving)));
  EXPECT_FALSE(is_newer(record(1, bound), record(1, bound)));
  EXPECT_TRUE(is_newer(record(1, bound, "n2", 1), record(1, bound, "n1", 2)));
  EXPECT_FALSE(is_newer(record(1, moving, "n1", 2), record(1, bound, "n2", 1)));
}

TEST(NamesRules, OfTwoRecordsExactlyOneIsNewerUnlessTheyStandEqual) {
  for (std::uint64_t a = 0; a < 40; ++a) {
    for (std::uint64_t b = 0; b < 40; ++b) {
      const auto make = [](std::uint64_t n) {
        return record(1 + n / 20, static_cast<NameState>(n % 5), "n1", n / 10 % 2);
      };
      const bool equal = a == b || (a % 5 == b % 5 && a / 10 % 2 == b / 10 % 2 && a / 20 == b / 20);
      EXPECT_EQ(is_newer(make(a), make(b)) + is_newer(make(b), make(a)), equal ? 0 : 1);
    }
  }
}

TEST(NamesRules, ATermIsAboveAllTermsAndAllEpochsSeen) {
  EXPECT_EQ(next_term(0, 0), 1U);
  EXPECT_EQ(next_term(4, 0), 5U);
  EXPECT_EQ(next_term(4, 4 * epochs_per_term + 17), 5U);
  EXPECT_EQ(next_term(4, 9 * epochs_per_term + 17), 10U);
}

TEST(NamesRules, ANewLeaderSettlesWhatItFinds) {
  using enum NameState;
  struct Case {
    NameState state;
    HolderView view;
    Verdict respawned;      ///< for a name that is respawned
    Verdict not_respawned;  ///< for one that is not
  };
  const auto heard = [](std::optional<HoldState> hold) {
    return HolderView{.holder_live = true, .holder_heard = true, .hold = hold};
  };
  const HolderView dead{};
  const HolderView silent{.holder_live = true, .holder_heard = false, .hold = {}};
  const Case cases[] = {
      {released, dead, Verdict::keep, Verdict::keep},
      {unplaced, dead, Verdict::keep, Verdict::keep},
      {starting, dead, Verdict::start_again, Verdict::release},
      {bound, dead, Verdict::start_again, Verdict::release},
      {moving, dead, Verdict::start_again, Verdict::release},
      {bound, silent, Verdict::wait, Verdict::wait},
      {starting, heard(std::nullopt), Verdict::start_again, Verdict::start_again},
      {bound, heard(std::nullopt), Verdict::release, Verdict::release},
      {moving, heard(std::nullopt), Verdict::start_again, Verdict::release},
      {starting, heard(HoldState::starting), Verdict::keep, Verdict::keep},
      {bound, heard(HoldState::bound), Verdict::keep, Verdict::keep},
      {moving, heard(HoldState::stopping), Verdict::keep, Verdict::keep},
      {bound, heard(HoldState::stopped), Verdict::release, Verdict::release},
      {moving, heard(HoldState::stopped), Verdict::start_again, Verdict::release},
      {starting, heard(HoldState::failed), Verdict::start_failed, Verdict::start_failed},
      {starting, heard(HoldState::refused), Verdict::start_again, Verdict::start_again},
  };
  for (const Case& c : cases) {
    Record it = record(7, c.state);
    EXPECT_EQ(settle(it, c.view), c.respawned) << to_string(c.state);
    it.respawn = false;
    EXPECT_EQ(settle(it, c.view), c.not_respawned) << to_string(c.state);
  }
}

TEST(NamesRules, ANameWithoutAKindCannotBeStartedElsewhere) {
  Record own = record(1, NameState::bound);
  own.kind.clear();
  EXPECT_EQ(after_loss(own), Verdict::release);
}

}  // namespace
}  // namespace troupe::registry
