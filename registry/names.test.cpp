#include "registry/names.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "registry/testing/simulation.hpp"

namespace troupe::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Simulation;

Claim counter(const std::string& name, const std::string& placement, bool respawn = true) {
  return Claim{.name = name,
               .actor = {},
               .kind = "counter",
               .args = {},
               .respawn = respawn,
               .placement = placement};
}

/// n1 (the leader), n2, n3 up and settled.
class NamesOfThree : public ::testing::Test {
 protected:
  NamesOfThree() : simulation_(1, options()) {
    for (const char* const name : {"n1", "n2", "n3"}) {
      simulation_.start_node(name);
    }
    simulation_.run_for(seconds{3});
  }

  static ClusterOptions options() {
    ClusterOptions options;
    options.seeds = {"tcp://n1", "tcp://n2", "tcp://n3"};
    return options;
  }

  void TearDown() override {
    for (const std::string& problem : simulation_.problems()) {
      ADD_FAILURE() << problem;
    }
  }

  std::string holder(const std::string& name, const std::string& seen_by = "n3") {
    const Record* record = simulation_.cluster(seen_by).find(name);
    return record == nullptr ? "nobody" : record->holder.name;
  }

  /// The last claim's result, in words.
  std::string last_result() {
    if (simulation_.claims_done().empty()) {
      return "none";
    }
    const auto& result = simulation_.claims_done().rbegin()->second;
    return result ? "ok" : std::string{to_string(result.error().code)};
  }

  Simulation simulation_;
};

TEST_F(NamesOfThree, StartANameWhereItsPlacementSays) {
  simulation_.claim("n3", counter("hits", "node:n2"));
  simulation_.run_for(milliseconds{200});
  EXPECT_EQ(last_result(), "ok");
  for (const char* const node : {"n1", "n2", "n3"}) {
    EXPECT_EQ(holder("hits", node), "n2");
  }
  EXPECT_EQ(simulation_.holders("hits"), std::vector<std::string>{"n2"});
}

TEST_F(NamesOfThree, AnswerABadClaimWithItsReason) {
  simulation_.claim("n2", counter("", "any"));
  EXPECT_EQ(last_result(), "invalid_argument");
  simulation_.claim("n2", counter("x", "nowhere"));
  EXPECT_EQ(last_result(), "invalid_argument");
  simulation_.claim("n2", counter("x", "node:n9"));
  simulation_.run_for(milliseconds{100});
  EXPECT_EQ(last_result(), "unavailable");
  simulation_.claim("n2", counter("x", "any"));
  simulation_.run_for(milliseconds{100});
  simulation_.claim("n3", counter("x", "any"));
  simulation_.run_for(milliseconds{100});
  EXPECT_EQ(last_result(), "already_exists");
  simulation_.withdraw("n3", "y");
  simulation_.run_for(milliseconds{100});
  EXPECT_EQ(last_result(), "not_found");
}

TEST_F(NamesOfThree, RespawnElsewhereWithinTwoSecondsOfAKill) {
  simulation_.claim("n3", counter("hits", "node:n2"));
  simulation_.run_for(milliseconds{200});
  const std::uint64_t epoch = simulation_.cluster("n3").find("hits")->epoch;
  simulation_.crash("n2", false);
  simulation_.run_for(seconds{2});
  ASSERT_EQ(simulation_.holders("hits").size(), 1U);
  EXPECT_NE(holder("hits"), "n2");
  EXPECT_GT(simulation_.cluster("n3").find("hits")->epoch, epoch);
}

TEST_F(NamesOfThree, RespawnWhatTheLeaderHeldWhenItDies) {
  simulation_.claim("n3", counter("hits", "node:n1"));
  simulation_.run_for(milliseconds{200});
  simulation_.crash("n1", false);
  simulation_.run_for(seconds{3});
  EXPECT_EQ(simulation_.holders("hits").size(), 1U);
  EXPECT_EQ(simulation_.cluster("n3").leader()->name, "n2");
}

TEST_F(NamesOfThree, RespawnWithEveryNodesReturnTwentyTimes) {
  simulation_.claim("n3", counter("hits", "any"));
  simulation_.run_for(milliseconds{200});
  for (int i = 0; i < 20; ++i) {
    const std::vector<std::string> at = simulation_.holders("hits");
    ASSERT_EQ(at.size(), 1U) << i;
    simulation_.crash(at[0], i % 3 == 0);
    simulation_.run_for(seconds{5});
    simulation_.start_node(at[0]);
    simulation_.run_for(seconds{2});
  }
}

TEST_F(NamesOfThree, ReleaseWhatIsNotRespawned) {
  simulation_.claim("n3", counter("once", "node:n2", false));
  simulation_.run_for(milliseconds{200});
  simulation_.crash("n2", false);
  simulation_.run_for(seconds{3});
  EXPECT_EQ(holder("once"), "nobody");
  EXPECT_TRUE(simulation_.holders("once").empty());
}

TEST_F(NamesOfThree, NeverBringBackAnActorThatEndedByItself) {
  simulation_.claim("n3", counter("hits", "node:n2"));
  simulation_.run_for(milliseconds{200});
  simulation_.end_actor("hits");
  simulation_.run_for(milliseconds{100});
  EXPECT_EQ(holder("hits"), "nobody");
  simulation_.crash("n2", false);
  simulation_.crash("n1", false);
  simulation_.run_for(seconds{5});
  EXPECT_TRUE(simulation_.holders("hits").empty());
}

TEST_F(NamesOfThree, WaitForANodeThatFitsTheLabel) {
  simulation_.claim("n3", counter("hits", "label:zone=a"));  // only n1 has it
  simulation_.run_for(milliseconds{200});
  EXPECT_EQ(holder("hits"), "n1");
  simulation_.crash("n1", false);
  simulation_.run_for(seconds{3});
  EXPECT_EQ(simulation_.cluster("n3").find("hits")->state, NameState::unplaced);
  simulation_.start_node("n1");
  simulation_.run_for(seconds{3});
  EXPECT_EQ(simulation_.holders("hits"), std::vector<std::string>{"n1"});
}

TEST_F(NamesOfThree, MoveNamesOffALeavingNodeBeforeItIsDrained) {
  for (int i = 0; i < 10; ++i) {
    simulation_.claim("n3", counter("a" + std::to_string(i), "node:n2", i != 0));
  }
  simulation_.run_for(milliseconds{300});
  simulation_.leave("n2");
  simulation_.run_for(milliseconds{400});
  EXPECT_FALSE(simulation_.is_running("n2"));
  const auto& events = simulation_.events("n2");
  const auto drained = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return std::holds_alternative<Drained>(event);
  });
  ASSERT_NE(drained, events.end());
  EXPECT_EQ(std::get<Drained>(*drained).moved, 9U);
  EXPECT_TRUE(simulation_.holders("a0").empty());
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(simulation_.holders("a" + std::to_string(i)).size(), 1U) << i;
  }
}

TEST_F(NamesOfThree, AreKeptWhenTheLeaderLeaves) {
  for (int i = 0; i < 10; ++i) {
    simulation_.claim("n3", counter("a" + std::to_string(i), "spread"));
  }
  simulation_.run_for(milliseconds{300});
  simulation_.leave("n1");
  simulation_.run_for(seconds{2});
  EXPECT_FALSE(simulation_.is_running("n1"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(simulation_.holders("a" + std::to_string(i)).size(), 1U) << i;
  }
}

TEST_F(NamesOfThree, AreStoppedWhenTheLastNodeLeaves) {
  simulation_.crash("n2", false);
  simulation_.crash("n3", false);
  simulation_.run_for(seconds{3});
  simulation_.claim("n1", counter("hits", "any"));
  simulation_.run_for(milliseconds{200});
  simulation_.leave("n1");
  simulation_.run_for(milliseconds{300});
  EXPECT_FALSE(simulation_.is_running("n1"));
}

TEST_F(NamesOfThree, BelongToTheNodeThatClaimsThemForItsOwnActor) {
  Claim own{.name = "own", .actor = {77}, .kind = {}, .args = {}, .placement = {}};
  simulation_.claim("n2", own);
  simulation_.run_for(milliseconds{100});
  EXPECT_EQ(last_result(), "ok");
  EXPECT_EQ(holder("own"), "n2");
  EXPECT_EQ(simulation_.cluster("n3").find("own")->actor.value, 77U);
  simulation_.claim("n3", own);
  simulation_.run_for(milliseconds{100});
  EXPECT_EQ(last_result(), "already_exists");
}

TEST_F(NamesOfThree, EndForAllWhenWithdrawn) {
  simulation_.claim("n3", counter("hits", "node:n2"));
  simulation_.run_for(milliseconds{200});
  simulation_.withdraw("n3", "hits");
  simulation_.run_for(milliseconds{200});
  EXPECT_EQ(last_result(), "ok");
  EXPECT_TRUE(simulation_.holders("hits").empty());
  EXPECT_EQ(holder("hits"), "nobody");
}

TEST_F(NamesOfThree, ClaimsInFlightSurviveTheLeadersDeath) {
  for (int i = 0; i < 50; ++i) {
    simulation_.claim("n3", counter("a" + std::to_string(i), "spread"));
  }
  simulation_.run_for(milliseconds{2});
  simulation_.crash("n1", false);
  simulation_.run_for(seconds{8});
  EXPECT_EQ(simulation_.claims_done().size(), 50U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(simulation_.holders("a" + std::to_string(i)).size(), 1U) << i;
  }
  simulation_.check_converged();
}

TEST_F(NamesOfThree, AThousandMoveInOneGo) {
  for (int i = 0; i < 1000; ++i) {
    simulation_.claim("n3", counter("a" + std::to_string(i), "spread"));
  }
  simulation_.run_for(seconds{2});
  EXPECT_EQ(simulation_.claims_done().size(), 1000U);
  simulation_.crash("n2", false);
  simulation_.run_for(seconds{3});
  simulation_.check_converged();
  EXPECT_EQ(simulation_.cluster("n1").names().size(), 1000U);
}

TEST_F(NamesOfThree, RefuseOrdersOfATermThatIsOver) {
  Cluster& n2 = simulation_.cluster("n2");
  Record record;
  record.name = "late";
  record.epoch = 5;
  record.holder = n2.self().id;
  record.state = NameState::starting;
  record.claim = {{"n3", 3}, 1};
  const Effects effects =
      n2.on_message({"n3", 3}, encode_message(Start{1, record}), simulation_.now());
  EXPECT_TRUE(effects.events.empty());
  EXPECT_EQ(n2.stats().refused_epoch, 1U);
}

TEST(NamesLimits, RefuseClaimsBeyondTheLimit) {
  ClusterOptions options;
  options.names.names_max = 1;
  Cluster cluster({{"n1", 1}, "tcp://n1", {}}, options, base::Random{1});
  const base::TimePoint now{seconds{1}};
  (void)cluster.start(now);
  const auto claim = [&](const std::string& name, std::uint64_t actor) {
    const Effects effects = cluster.claim(Claim{.token = actor,
                                                .name = name,
                                                .actor = {actor},
                                                .kind = {},
                                                .args = {},
                                                .placement = {}},
                                          now);
    for (const Event& event : effects.events) {
      if (const auto* done = std::get_if<ClaimDone>(&event)) {
        return done->result ? std::string{"ok"} : std::string{to_string(done->result.error().code)};
      }
    }
    return std::string{"none"};
  };
  EXPECT_EQ(claim("a", 1), "ok");
  EXPECT_EQ(claim("b", 2), "limit_exceeded");
}

}  // namespace
}  // namespace troupe::registry
