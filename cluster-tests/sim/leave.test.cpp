#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "cluster-tests/harness/fixture.hpp"
#include "node/control_actor.hpp"

namespace troupe::harness {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Leave : public WorldTest {
 protected:
  Leave() : WorldTest(WorldOptions{.watched_names = {"hits"}}) {}
  void SetUp() override {
    world.journal().keep_numbers = true;
    ASSERT_TRUE(world.start_all()) << world.differences();
  }
  bool leave(const std::string& name) {
    world.leave(name);
    return world.run_until([&] { return !world.is_running(name); }, seconds{30});
  }
};

TEST_F(Leave, NamesMoveAndTheNodeEnds) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(
        world.start_actor("n1", "tally", tally_options("t" + std::to_string(i), "n2")).ok());
  }
  const base::NodeId leaver = world.node("n2").id();
  ASSERT_TRUE(leave("n2"));
  EXPECT_EQ(world.ended().at(leaver), "left");
  ASSERT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{3}))
      << world.differences();
  for (int i = 0; i < 20; ++i) {
    const std::string name = "t" + std::to_string(i);
    EXPECT_NE(world.find("n1", name)->holder.name, "n2");
    EXPECT_TRUE(world.finish(world.node("n3").find<Tally>(name).ask(Put{1, 1})).ok());
  }
  // A node that left is not suspected and not declared down; it may come back.
  world.start("n2");
  EXPECT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{5}));
}

TEST_F(Leave, NothingThatWasAcceptedIsLost) {
  world.journal().rising_numbers = false;
  ASSERT_TRUE(world.start_actor("n1", "tally", tally_options("hits", "n2")).ok());
  world.run_for(seconds{1});
  const base::NodeId leaver = world.node("n2").id();
  std::vector<std::uint64_t> accepted(4, 0);
  std::vector<std::uint64_t> numbers(4, 0);
  const auto flood = [&](const std::string& at, std::uint64_t client) {
    const auto hits = world.node(at).find<Tally>("hits");
    for (int i = 0; i < 20; ++i) {
      accepted[client] +=
          hits.tell(Put{client, ++numbers[client]}) == base::Outcome::accepted ? 1 : 0;
    }
  };
  for (int round = 0; round < 300; ++round) {
    flood("n1", 1);
    flood("n3", 3);
    if (round == 100) {
      world.leave("n2");
    }
    if (world.is_staying("n2")) {
      flood("n2", 2);
    }
    world.run_for(microseconds{world.random().below(500)});
  }
  ASSERT_TRUE(world.run_until([&] { return !world.is_running("n2"); }, seconds{30}));
  world.run_for(seconds{15});
  world.check_ledgers();
  std::uint64_t lost = 0;
  for (std::uint64_t client = 1; client <= 3; ++client) {
    for (std::uint64_t number = 1; number <= numbers[client]; ++number) {
      const std::uint32_t times = world.journal().times(client, number);
      EXPECT_LE(times, 1U) << "client " << client << " number " << number;
      lost += times == 0 ? 1 : 0;
    }
    EXPECT_EQ(accepted[client], numbers[client]);
  }
  std::uint64_t dead = world.dead_letters_of(leaver);
  for (const std::string& name : world.running()) {
    dead += world.dead_letters_of(world.node(name).id());
  }
  EXPECT_EQ(lost, dead) << "lost without being counted";
  EXPECT_EQ(lost, 0U);
}

TEST_F(Leave, ADrainOrderedFromElsewhereEndsTheNode) {
  ASSERT_TRUE(world.start_actor("n1", "tally", tally_options("hits", "n3")).ok());
  const base::NodeId leaver = world.node("n3").id();
  const auto control = actors::ActorRef<node::ControlActor>{world.node("n1").control()};
  const auto drained = world.finish(control.ask(node::control::Drain{"n3"}, seconds{30}));
  ASSERT_TRUE(drained.ok()) << drained.error().text();
  EXPECT_EQ(drained->moved, 1U);
  EXPECT_EQ(drained->lost, 0U);
  ASSERT_TRUE(world.run_until([&] { return !world.is_running("n3"); }, seconds{10}));
  EXPECT_EQ(world.ended().at(leaver), "drained");
  EXPECT_TRUE(world.finish(world.node("n2").find<Tally>("hits").ask(Put{1, 1})).ok());
}

TEST_F(Leave, TheLeaderLeavesToo) {
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(
        world.start_actor("n2", "tally", tally_options("t" + std::to_string(i), "spread")).ok());
  }
  ASSERT_TRUE(leave("n1"));
  ASSERT_TRUE(leave("n2"));
  for (int i = 0; i < 6; ++i) {
    const std::string name = "t" + std::to_string(i);
    ASSERT_NE(world.find("n3", name), nullptr);
    EXPECT_EQ(world.find("n3", name)->holder.name, "n3");
    EXPECT_TRUE(world.finish(world.node("n3").find<Tally>(name).ask(Put{1, 1})).ok());
  }
}

TEST_F(Leave, AMemberThatDiesWhileItLeavesIsReplaced) {
  ASSERT_TRUE(world.start_actor("n1", "tally", tally_options("hits", "n2")).ok());
  world.leave("n2");
  world.run_for(microseconds{200});
  if (world.is_running("n2")) {
    world.crash("n2");
  }
  EXPECT_TRUE(world.run_until(
      [&] {
        const auto* record = world.find("n1", "hits");
        return record != nullptr && record->state == registry::NameState::bound &&
               record->holder.name != "n2";
      },
      seconds{5}));
  EXPECT_TRUE(world.finish(world.node("n1").find<Tally>("hits").ask(Put{1, 1})).ok());
}

}  // namespace
}  // namespace troupe::harness
