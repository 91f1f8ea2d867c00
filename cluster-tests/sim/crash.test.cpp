#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "cluster-tests/harness/fixture.hpp"

namespace troupe::harness {
namespace {

using actors::AskError;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Crash : public WorldTest {
 protected:
  Crash() : WorldTest(WorldOptions{.watched_names = {"hits"}}) {}

  /// A running node that does not hold the name.
  std::string bystander(const std::string& holder) {
    std::vector<std::string> names = world.running();
    std::erase(names, holder);
    return names[world.random().below(names.size())];
  }
};

TEST_F(Crash, ASuccessorAnswersAfterEachOfTwentyKills) {
  ASSERT_TRUE(world.start_all()) << world.differences();
  ASSERT_TRUE(world.start_actor("n1", "tally", tally_options("hits")).ok());
  ASSERT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{5}));
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;
  base::Duration longest{0};
  for (int kill = 0; kill < 20; ++kill) {
    const registry::Record* record = world.find(world.running().front(), "hits");
    ASSERT_NE(record, nullptr);
    const base::NodeId holder = record->holder;
    EXPECT_GT(record->epoch, epoch);
    epoch = record->epoch;
    const std::string asker = bystander(holder.name);
    const auto hits = world.node(asker).find<Tally>("hits");

    std::vector<std::shared_ptr<Asked<PutReply>>> in_flight;
    for (int i = 0; i < 10; ++i) {
      in_flight.push_back(world.follow(hits.ask(Put{1, ++number})));
      world.run_for(std::chrono::microseconds{world.random().below(300)});
    }
    world.crash(holder.name);
    const base::TimePoint killed = world.now();
    // Not before the reset of the connection can be known to the asker.
    world.run_for(milliseconds{2 + static_cast<std::int64_t>(world.random().below(1500))});
    const auto after = world.follow(hits.ask(Put{1, ++number}));
    ASSERT_TRUE(world.run_until([&] { return after->is_over(); }, seconds{6}));
    ASSERT_TRUE(after->result.has_value());
    ASSERT_TRUE(after->result->ok()) << after->result->error().text();
    EXPECT_EQ(after->result->value().number, number);
    EXPECT_NE(after->result->value().node, holder.name);
    EXPECT_LE(after->until - killed, seconds{5});
    longest = std::max(longest, after->until - killed);
    for (const auto& asked : in_flight) {
      ASSERT_TRUE(asked->is_over()) << "an ask in flight has not ended";
      if (!asked->result->ok()) {
        EXPECT_NE(asked->result->error().kind, AskError::Kind::refusal);
      }
    }
    world.start(holder.name);
    ASSERT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{10}))
        << world.differences();
  }
  world.check_ledgers();
  std::printf("longest way back: %lld ms\n",
              static_cast<long long>(std::chrono::duration_cast<milliseconds>(longest).count()));
}

TEST_F(Crash, AsksSentAtTheVeryMomentEndToo) {
  ASSERT_TRUE(world.start_all()) << world.differences();
  ASSERT_TRUE(world.start_actor("n1", "tally", tally_options("hits", "n2")).ok());
  world.run_for(seconds{1});
  const auto hits = world.node("n1").find<Tally>("hits");
  world.crash("n2");
  const auto asked = world.follow(hits.ask(Put{1, 1}));
  ASSERT_TRUE(world.run_until([&] { return asked->is_over(); }, seconds{6}));
  ASSERT_FALSE(asked->result->ok());
  EXPECT_EQ(asked->result->error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(asked->result->error().outcome, base::Outcome::node_lost);
  EXPECT_LT(asked->until - asked->since, seconds{3});
  ASSERT_TRUE(world.finish(hits.ask(Put{1, 2})).ok());
}

TEST_F(Crash, ANodeThatFallsSilentIsReplaced) {
  ASSERT_TRUE(world.start_all()) << world.differences();
  ASSERT_TRUE(world.start_actor("n1", "tally", tally_options("hits", "n2")).ok());
  world.run_for(seconds{1});
  world.journal().one_object_a_name = false;  // the silent one still has its object
  const auto hits = world.node("n3").find<Tally>("hits");
  world.freeze("n2");
  const auto lost = world.follow(hits.ask(Put{1, 1}));
  ASSERT_TRUE(world.run_until([&] { return lost->is_over(); }, seconds{5}));
  EXPECT_EQ(lost->result->error().kind, AskError::Kind::may_have_run);
  const auto answer = world.finish(hits.ask(Put{1, 2}));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_NE(answer->node, "n2");
}

TEST_F(Crash, ACrashedNodeSaysNothing) {
  ASSERT_TRUE(world.start_all()) << world.differences();
  // A handler that is suspended, whose asker is far away, ends with its node: without an answer.
  const auto moody = actors::ActorRef<Moody>{remote("n1", "n2", spawn<Moody>("n2"))};
  const auto slow = world.follow(moody.ask(Slow{60'000}, seconds{30}));
  const auto behind = world.follow(moody.ask(Fine{1}, seconds{30}));
  world.run_for(seconds{1});
  world.crash("n2");  // World checks that no frame was sent
  ASSERT_TRUE(world.run_until([&] { return slow->is_over() && behind->is_over(); }, seconds{6}));
  EXPECT_EQ(slow->result->error().outcome, base::Outcome::node_lost);
  EXPECT_EQ(behind->result->error().outcome, base::Outcome::node_lost);
}

}  // namespace
}  // namespace troupe::harness
