#include <gtest/gtest.h>

#include <algorithm>

#include "registry/messages.hpp"
#include "registry/testing/simulation.hpp"

namespace troupe::registry {
namespace {

using base::Duration;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Simulation;

ClusterOptions three_seeds() {
  ClusterOptions options;
  options.seeds = {"tcp://n1", "tcp://n2", "tcp://n3"};
  return options;
}

/// n1, n2, n3 up and settled.
class ThreeNodes : public ::testing::Test {
 protected:
  ThreeNodes() : simulation_(1, three_seeds()) {
    for (const char* const name : {"n1", "n2", "n3"}) {
      simulation_.start_node(name);
    }
    simulation_.run_for(seconds{3});
  }

  MemberState state(const std::string& at, const std::string& of) {
    for (const Member& member : simulation_.cluster(at).members()) {
      if (member.id.name == of) {
        return member.state;
      }
    }
    return MemberState::joining;
  }

  template <class E>
  int count(const std::string& at) {
    const auto& events = simulation_.events(at);
    return static_cast<int>(std::count_if(events.begin(), events.end(), [](const Event& event) {
      return std::holds_alternative<E>(event);
    }));
  }

  /// Time until `at` sees `of` in this state, in steps of 10 ms; a minute at most.
  Duration wait_for(const std::string& at, const std::string& of, MemberState wanted) {
    const base::TimePoint begin = simulation_.now();
    while (state(at, of) != wanted && simulation_.now() - begin < seconds{60}) {
      simulation_.run_for(milliseconds{10});
    }
    return simulation_.now() - begin;
  }

  Simulation simulation_;
};

TEST_F(ThreeNodes, FindEachOtherWithinASecondAndAgreeOnTheOldest) {
  simulation_.check_converged();
  EXPECT_TRUE(simulation_.problems().empty());
  EXPECT_EQ(simulation_.cluster("n3").leader()->name, "n1");
  EXPECT_EQ(count<Ready>("n2"), 1);
  EXPECT_FALSE(simulation_.had_islands());
}

TEST_F(ThreeNodes, HoldAResetNodeDownAfterAboutASecond) {
  simulation_.crash("n2", false);
  const Duration time = wait_for("n1", "n2", MemberState::down);
  EXPECT_GE(time, milliseconds{990});
  EXPECT_LE(time, milliseconds{1500});
}

TEST_F(ThreeNodes, HoldASilentNodeDownWithinFourSecondsButNotBelowOne) {
  simulation_.crash("n2", true);
  const Duration time = wait_for("n1", "n2", MemberState::down);
  EXPECT_GE(time, seconds{1});
  EXPECT_LE(time, seconds{4});
  EXPECT_EQ(count<MemberDown>("n1"), 1);
  EXPECT_EQ(count<MemberDown>("n3"), 1);
}

TEST_F(ThreeNodes, SurviveFreezesBelowASecond) {
  for (int i = 0; i < 20; ++i) {
    simulation_.freeze(i % 2 == 0 ? "n1" : "n3", milliseconds{900});
    simulation_.run_for(seconds{4});
  }
  for (const char* const name : {"n1", "n2", "n3"}) {
    EXPECT_EQ(count<MemberDown>(name), 0) << name;
  }
}

TEST_F(ThreeNodes, TellAFrozenNodeThatItsLifeIsOver) {
  simulation_.freeze("n2", seconds{10});
  simulation_.run_for(seconds{8});
  EXPECT_EQ(state("n1", "n2"), MemberState::down);
  simulation_.run_for(seconds{4});
  EXPECT_EQ(count<SelfDown>("n2"), 1);
  simulation_.run_for(seconds{4});  // restarted by then
  EXPECT_EQ(state("n1", "n2"), MemberState::up);
  simulation_.check_converged();
  EXPECT_TRUE(simulation_.problems().empty());
}

TEST_F(ThreeNodes, SurviveConnectionsThatBreakAndComeBack) {
  for (int i = 0; i < 20; ++i) {
    simulation_.flap("n1", "n2");
    simulation_.flap("n2", "n3");
    simulation_.run_for(seconds{2});
  }
  for (const char* const name : {"n1", "n2", "n3"}) {
    EXPECT_EQ(count<MemberDown>(name), 0) << name;
  }
  EXPECT_GT(count<MemberAlive>("n1"), 0);
}

TEST_F(ThreeNodes, ReplaceARestartedNodeAtOnce) {
  simulation_.crash("n2", true);
  simulation_.start_node("n2");
  simulation_.run_for(milliseconds{900});
  EXPECT_EQ(count<MemberDown>("n1"), 1);
  EXPECT_EQ(state("n1", "n2"), MemberState::up);
  EXPECT_EQ(state("n3", "n2"), MemberState::up);
}

TEST_F(ThreeNodes, OutliveAThousandRestartsOfOne) {
  for (int i = 0; i < 1000; ++i) {
    simulation_.crash("n2", i % 2 == 0);
    simulation_.start_node("n2");
    simulation_.run_for(milliseconds{30});
  }
  simulation_.run_for(seconds{6});
  simulation_.check_converged();
  EXPECT_TRUE(simulation_.problems().empty());
  EXPECT_EQ(simulation_.cluster("n1").members().size(), 3U);
}

TEST_F(ThreeNodes, SeeALeavingNodeLeaveWithoutCallingItDown) {
  simulation_.leave("n2");
  simulation_.run_for(seconds{4});
  EXPECT_EQ(state("n1", "n2"), MemberState::left);
  EXPECT_EQ(state("n3", "n2"), MemberState::left);
  EXPECT_EQ(count<MemberLeaving>("n1"), 1);
  EXPECT_EQ(count<MemberLeft>("n1"), 1);
  EXPECT_EQ(count<MemberDown>("n1"), 0);
}

TEST_F(ThreeNodes, NeverTakeADeadLifeBack) {
  const base::NodeId dead{"n2", 2};
  simulation_.crash("n2", false);
  wait_for("n1", "n2", MemberState::down);
  Cluster& n1 = simulation_.cluster("n1");
  const Member ghost{.id = dead,
                     .address = "tcp://n2",
                     .labels = {},
                     .state = MemberState::up,
                     .leaving = false,
                     .refutation = 99};
  const base::Bytes body = encode_message(News{{ghost}});
  (void)n1.on_message({"n3", 3}, body, simulation_.now());
  EXPECT_EQ(state("n1", "n2"), MemberState::down);
  const Effects effects = n1.on_message(dead, body, simulation_.now());
  EXPECT_EQ(state("n1", "n2"), MemberState::down);
  ASSERT_EQ(effects.sends.size(), 1U);  // it is told
  EXPECT_EQ(effects.sends[0].to, dead);
  EXPECT_EQ(n1.stats().from_dead, 1U);
}

TEST(Discovery, ANodeWithoutOtherSeedsIsReadyAtOnce) {
  for (const std::vector<std::string>& seeds :
       {std::vector<std::string>{}, std::vector<std::string>{"tcp://n1"}}) {
    ClusterOptions options;
    options.seeds = seeds;
    Cluster cluster({{"n1", 1}, "tcp://n1", {}}, options, base::Random{1});
    (void)cluster.start(base::TimePoint{seconds{1}});
    EXPECT_TRUE(cluster.is_ready());
    EXPECT_EQ(cluster.leader(), (base::NodeId{"n1", 1}));
  }
}

TEST(Discovery, WhoMayFormAloneDependsOnThePlaceInTheList) {
  struct Case {
    std::string name;
    Duration ready_after;
  };
  for (const Case& c : {Case{"n1", milliseconds{500}}, Case{"n2", seconds{3}},
                        Case{"n3", milliseconds{3500}}, Case{"n4", seconds{60}}}) {
    Simulation simulation{1, three_seeds()};
    simulation.start_node(c.name);
    simulation.run_for(c.ready_after - milliseconds{50});
    EXPECT_FALSE(simulation.cluster(c.name).is_ready()) << c.name;
    simulation.run_for(milliseconds{100});
    EXPECT_EQ(simulation.cluster(c.name).is_ready(), c.name != "n4") << c.name;
  }
}

TEST(Discovery, AStrangerToTheSeedListJoinsThroughIt) {
  Simulation simulation{3, three_seeds()};
  simulation.start_node("n9");
  simulation.run_for(seconds{5});
  simulation.start_node("n3");
  simulation.run_for(seconds{6});
  EXPECT_TRUE(simulation.cluster("n9").is_ready());
  simulation.check_converged();
  EXPECT_TRUE(simulation.problems().empty());
}

TEST(Discovery, ClustersThatWereFormedApartMerge) {
  ClusterOptions options = three_seeds();
  options.membership.form_alone_other = milliseconds{10};
  options.membership.form_alone_first = milliseconds{1};
  Simulation simulation{5, options};
  for (const char* const name : {"n1", "n2", "n3"}) {
    simulation.start_node(name);
    simulation.claim(name, Claim{.name = "same",
                                 .actor = {},
                                 .kind = "counter",
                                 .args = {},
                                 .respawn = true,
                                 .placement = "local"});
    simulation.run_for(milliseconds{100});
  }
  simulation.run_for(seconds{10});
  simulation.check_converged();
  EXPECT_TRUE(simulation.problems().empty());
  EXPECT_EQ(simulation.holders("same").size(), 1U);
}

}  // namespace
}  // namespace troupe::registry
