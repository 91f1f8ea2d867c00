#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "cluster-tests/harness/fixture.hpp"

namespace troupe::harness {
namespace {

using actors::ActorRef;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Texts = std::vector<std::string>;

/// An actor of a node that fails for good, and one beside it that hears how it ended.
struct Linked {
  std::string node;
  ActorRef<Moody> actor;
  ActorRef<Agent> observer;
};

WorldOptions with_small_links() {
  WorldOptions options;
  options.network.engine.outbox.bytes_max = std::size_t{64} << 10U;
  options.network.engine.outbox.notice_bytes_max = 100;
  return options;
}

/// Actors of two nodes that are linked, which a node has to be told of.
class LinksOfNodes : public WorldTest {
 protected:
  LinksOfNodes() : WorldTest(with_small_links()) {}

  void SetUp() override { ASSERT_TRUE(world.start_all()) << world.differences(); }

  Linked linked(const std::string& node) {
    Linked made{node, spawn<Moody>(node, {.restart = {.restart = actors::Restart::temporary}}),
                spawn<Agent>(node)};
    EXPECT_EQ(made.observer.tell(Watch{made.actor}), base::Outcome::accepted);
    return made;
  }
  void link(const Linked& from, const Linked& to) {
    EXPECT_EQ(from.actor.tell(Link{remote(from.node, to.node, to.actor)}), base::Outcome::accepted);
    world.run_for(milliseconds{100});
  }
  void unlink(const Linked& from, const Linked& to) {
    EXPECT_EQ(from.actor.tell(Unlink{remote(from.node, to.node, to.actor)}),
              base::Outcome::accepted);
    world.run_for(milliseconds{100});
  }
  void crash(const Linked& what) {
    const auto asked = world.follow(what.actor.ask(CrashIt{}));
    world.run_for(milliseconds{100});
  }
  Texts end_of(const Linked& what) {
    return world.finish(what.observer.ask(Notices{})).value_or(Texts{"no answer"});
  }
  /// Nothing leaves n1 towards n2, and its link takes no message any more.
  void fill() {
    world.network().partition(world.address("n1"), world.address("n2"),
                              transport::Direction::one_way);
    const auto crowd = ActorRef<Moody>{remote("n1", "n2", spawn<Moody>("n2"))};
    while (crowd.tell(Fine{1}) == base::Outcome::accepted) {
    }
  }
};

TEST_F(LinksOfNodes, AnAbnormalEndTakesTheOtherAlongInBothDirections) {
  for (const bool other_way : {false, true}) {
    const auto one = linked("n1");
    const auto two = linked("n2");
    link(one, two);
    crash(other_way ? one : two);
    EXPECT_EQ(end_of(one), Texts{other_way ? "crashed" : "linked"});
    EXPECT_EQ(end_of(two), Texts{other_way ? "linked" : "crashed"});
  }
}

TEST_F(LinksOfNodes, AnEndAsIntendedLeavesTheOtherAlone) {
  const auto one = linked("n1");
  const auto two = linked("n2");
  link(one, two);
  EXPECT_EQ(one.actor.tell(EndIt{}), base::Outcome::accepted);
  world.run_for(milliseconds{100});
  EXPECT_EQ(end_of(one), Texts{"stopped"});
  EXPECT_EQ(end_of(two), Texts{});
}

TEST_F(LinksOfNodes, AnUnlinkedActorLivesOnWhoeverUnlinked) {
  for (const bool other_way : {false, true}) {
    const auto one = linked("n1");
    const auto two = linked("n2");
    link(one, two);
    other_way ? unlink(two, one) : unlink(one, two);
    crash(two);
    EXPECT_EQ(end_of(one), Texts{});
    const auto three = linked("n2");
    link(three, one);
    unlink(one, three);
    link(three, one);
    crash(one);
    EXPECT_EQ(end_of(three), Texts{"linked"});
  }
}

TEST_F(LinksOfNodes, ALinkToOneThatIsGoneFails) {
  const auto one = linked("n1");
  const auto gone = linked("n2");
  crash(gone);
  link(one, gone);
  EXPECT_EQ(end_of(one), Texts{"linked"});
}

TEST_F(LinksOfNodes, ALostNodeTakesTheLinkedAlongWhoeverLinked) {
  const auto one = linked("n1");
  const auto two = linked("n1");
  const auto unlinked = linked("n1");
  const auto far = linked("n2");
  link(one, far);
  link(far, two);
  link(far, unlinked);
  unlink(far, unlinked);
  world.crash("n2");
  world.run_for(seconds{10});
  EXPECT_EQ(end_of(one), Texts{"linked"});
  EXPECT_EQ(end_of(two), Texts{"linked"});
  EXPECT_EQ(end_of(unlinked), Texts{});
}

TEST_F(LinksOfNodes, AFullLinkKeepsWhatIsToBeSaid) {
  const auto one = linked("n1");
  const auto two = linked("n2");
  const auto early = linked("n1");
  const auto far = linked("n2");
  const auto parted = linked("n1");
  const auto lone = linked("n2");
  link(early, far);
  link(parted, lone);
  fill();
  unlink(parted, lone);
  link(one, two);
  crash(early);
  EXPECT_EQ(end_of(far), Texts{});
  world.network().heal();
  world.run_for(seconds{1});
  EXPECT_EQ(end_of(far), Texts{"linked"});
  crash(one);
  EXPECT_EQ(end_of(two), Texts{"linked"});
  crash(parted);
  EXPECT_EQ(end_of(lone), Texts{});
}

}  // namespace
}  // namespace troupe::harness
