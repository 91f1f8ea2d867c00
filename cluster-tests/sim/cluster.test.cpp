#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "cluster-tests/harness/fixture.hpp"

namespace troupe::harness {
namespace {

using actors::ActorRef;
using actors::AskError;
using node::demo::Counter;
using node::demo::Get;
using node::demo::Increment;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Texts = std::vector<std::string>;

class Cluster : public WorldTest {
 protected:
  void SetUp() override { ASSERT_TRUE(world.start_all()) << world.differences(); }

  /// How an ask ended: its value, or kind and outcome.
  template <class T>
  static std::string ending(const actors::AskResult<T>& result) {
    if (result.ok()) {
      return "replied";
    }
    switch (result.error().kind) {
      case AskError::Kind::refusal: return "refusal: " + result.error().reason;
      case AskError::Kind::not_run:
        return "not_run " + std::string{base::to_string(result.error().outcome)};
      case AskError::Kind::may_have_run:
        return "may_have_run " + std::string{base::to_string(result.error().outcome)};
    }
    return "?";
  }
  Texts notices(const ActorRef<Agent>& agent) {
    return world.finish(agent.ask(Notices{})).value_or(Texts{"no answer"});
  }
};

TEST_F(Cluster, FindsItselfWithinASecond) {
  EXPECT_LT(world.now().time_since_epoch(), seconds{2});
  for (const char* name : {"n1", "n2", "n3"}) {
    EXPECT_TRUE(world.node(name).is_ready());
  }
}

TEST_F(Cluster, ANamedCounterAnswersFromEveryNode) {
  const auto row = world.start_actor("n1", "counter", {.name = "hits", .placement = "n2"});
  ASSERT_TRUE(row.ok()) << row.error().text();
  EXPECT_EQ(row->node, "n2");
  // The asker of a start knows the name at once; the others hear of it.
  ASSERT_TRUE(world.run_until([&] { return world.has_converged(); }, milliseconds{100}));
  for (const char* name : {"n1", "n2", "n3"}) {
    const auto hits = world.node(name).find<Counter>("hits");
    EXPECT_TRUE(world.finish(hits.ask(Increment{.by = 5})).ok());
  }
  for (const char* name : {"n1", "n2", "n3"}) {
    EXPECT_EQ(world.finish(world.node(name).find<Counter>("hits").ask(Get{})).value_or(-1), 15);
  }
  EXPECT_EQ(ending(world.finish(world.node("n1").find<Counter>("hist").ask(Get{}))),
            "not_run no_such_actor");
}

TEST_F(Cluster, ANameIsGivenOnce) {
  ASSERT_TRUE(world.start_actor("n1", "counter", {.name = "hits", .placement = "n2"}).ok());
  const auto second = world.start_actor("n3", "counter", {.name = "hits", .placement = "n3"});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, base::Errc::already_exists);
  EXPECT_NE(second.error().context.find("n2"), std::string::npos) << second.error().context;
}

TEST_F(Cluster, AReferenceWorksWhereverItTravels) {
  const auto moody = spawn<Moody>("n3");
  const auto far_moody = ActorRef<Moody>{remote("n1", "n3", moody)};
  // n1 tells an agent of n2 about an actor of n3, then about one of its own, then about a name.
  const auto agent = ActorRef<Agent>{remote("n1", "n2", spawn<Agent>("n2"))};
  EXPECT_EQ(world.finish(agent.ask(AskFor{far_moody, 3})).value_or(-1), 3);
  EXPECT_EQ(world.finish(agent.ask(AskFor{spawn<Moody>("n1"), 1})).value_or(-1), 1);
  ASSERT_TRUE(world.start_actor("n2", "moody", {.name = "mood", .placement = "n3"}).ok());
  EXPECT_EQ(world.finish(agent.ask(AskFor{world.node("n1").find<Moody>("mood"), 7})).value_or(-1),
            7);
}

TEST_F(Cluster, AWatcherHearsOfAnOrderedEndOnce) {
  const auto agent = spawn<Agent>("n1");
  const auto moody = ActorRef<Moody>{remote("n1", "n2", spawn<Moody>("n2"))};
  world.finish(agent.ask(Watch{moody})).value();
  world.finish(agent.ask(Watch{moody})).value();  // twice is once
  ASSERT_TRUE(world.finish(moody.ask(EndIt{})).ok());
  world.run_for(seconds{2});
  EXPECT_EQ(notices(agent), Texts{"stopped"});
  world.crash("n2");
  world.run_for(seconds{5});
  EXPECT_EQ(notices(agent), Texts{"stopped"});
}

TEST_F(Cluster, AWatcherHearsOfALostNodeOnce) {
  const auto agent = spawn<Agent>("n1");
  const auto moody = ActorRef<Moody>{remote("n1", "n2", spawn<Moody>("n2"))};
  world.finish(agent.ask(Watch{moody})).value();
  world.run_for(seconds{1});
  world.crash("n2");
  world.start("n2");
  world.run_for(seconds{10});
  EXPECT_EQ(notices(agent), Texts{"node_lost"});
}

TEST_F(Cluster, AWatcherHearsOfWhatIsAlreadyGone) {
  const auto agent = spawn<Agent>("n1");
  const auto moody = ActorRef<Moody>{remote("n1", "n2", spawn<Moody>("n2"))};
  ASSERT_TRUE(world.finish(moody.ask(EndIt{})).ok());
  world.run_for(milliseconds{100});
  world.finish(agent.ask(Watch{moody})).value();
  world.run_for(seconds{1});
  EXPECT_EQ(notices(agent), Texts{"no_such_actor"});
  const auto far = ActorRef<Moody>{remote("n1", "n3", spawn<Moody>("n3"))};
  world.crash("n3");
  world.run_for(seconds{8});
  world.finish(agent.ask(Watch{far})).value();
  world.run_for(seconds{1});
  EXPECT_EQ(notices(agent), (Texts{"no_such_actor", "node_lost"}));
}

TEST_F(Cluster, AWatchedActorThatCrashesForGoodSaysSo) {
  const auto agent = spawn<Agent>("n1");
  const auto moody = spawn<Moody>("n2", {.restart = {.restart = actors::Restart::temporary}});
  const auto far = ActorRef<Moody>{remote("n1", "n2", moody)};
  world.finish(agent.ask(Watch{far})).value();
  EXPECT_EQ(ending(world.finish(far.ask(CrashIt{}))), "may_have_run stopped");
  world.run_for(seconds{1});
  EXPECT_EQ(notices(agent), Texts{"crashed"});
}

/// What an asker can meet with, one after the other.
template <class Finish, class Pause>
Texts all_endings(const ActorRef<Moody>& moody, const ActorRef<Moody>& full, Finish finish,
                  Pause pause) {
  Texts endings;
  endings.push_back("fine " + finish(moody.ask(Fine{1})));
  endings.push_back("refuse " + finish(moody.ask(RefuseIt{})));
  endings.push_back("forget " + finish(moody.ask(Forget{})));
  endings.push_back("crash " + finish(moody.ask(CrashIt{})));
  endings.push_back("after the restart " + finish(moody.ask(Fine{1})));
  endings.push_back("unheard " + finish(ActorRef<MoodyAndMore>{moody}.ask(Unheard{})));
  endings.push_back("slow " + finish(moody.ask(Slow{3000}, milliseconds{500})));
  endings.push_back("behind it " + finish(moody.ask(Fine{2}, milliseconds{500})));
  auto running = full.ask(Slow{2000});
  pause();
  auto first = full.ask(Fine{1});
  auto second = full.ask(Fine{2});
  endings.push_back("third of two places " + finish(full.ask(Fine{3})));
  endings.push_back("first " + finish(std::move(first)));
  endings.push_back("second " + finish(std::move(second)));
  endings.push_back("running " + finish(std::move(running)));
  endings.push_back("end " + finish(full.ask(Fine{1})));
  (void)full.tell(EndIt{});
  endings.push_back("stopped " + finish(full.ask(Fine{1})));
  return endings;
}

TEST_F(Cluster, AsksEndAlikeHereAndFarAway) {
  const auto finish = [this](auto ask) { return ending(world.finish(std::move(ask))); };
  const auto pause = [this] { world.run_for(milliseconds{100}); };
  Texts all[2];
  for (const bool far : {false, true}) {
    const auto moody = spawn<Moody>("n2");
    const auto full = spawn<Moody>("n2", {.mailbox_messages_max = 2});
    const auto seen = [&](const ActorRef<Moody>& ref) {
      return far ? ActorRef<Moody>{remote("n1", "n2", ref)} : ref;
    };
    all[far ? 1 : 0] = all_endings(seen(moody), seen(full), finish, pause);
  }
  EXPECT_EQ(all[0], all[1]);
  EXPECT_EQ(
      all[1],
      (Texts{"fine replied", "refuse refusal: not today", "forget may_have_run stopped",
             "crash may_have_run stopped", "after the restart replied", "unheard not_run refused",
             "slow may_have_run expired", "behind it may_have_run expired",
             "third of two places not_run mailbox_full", "first replied", "second replied",
             "running replied", "end replied", "stopped not_run stopped"}));
}

TEST_F(Cluster, AwaitedSendsAreToldByReceipt) {
  const auto full = spawn<Moody>("n2", {.mailbox_messages_max = 1});
  const auto near = ActorRef<Moody>{remote("n1", "n2", full)};
  const auto agent = spawn<Agent>("n1");
  auto running = near.ask(Slow{300});
  // One waits in the mailbox; the next wait for room at the sender.
  EXPECT_EQ(world.finish(agent.ask(SendAll{near, 3})).value_or(Texts{}),
            (Texts{"accepted", "accepted", "accepted"}));
  ASSERT_TRUE(world.finish(std::move(running)).ok());
  auto longer = near.ask(Slow{3000});
  EXPECT_EQ(world.finish(agent.ask(SendAll{near, 2, 500})).value_or(Texts{}),
            (Texts{"accepted", "expired"}));
  ASSERT_TRUE(world.finish(std::move(longer)).ok());
  ASSERT_TRUE(world.finish(near.ask(EndIt{})).ok());
  EXPECT_EQ(world.finish(agent.ask(SendAll{near, 1})).value_or(Texts{}), Texts{"stopped"});
  const auto gone = ActorRef<Moody>{remote("n1", "n3", spawn<Moody>("n3"))};
  world.crash("n3");
  EXPECT_EQ(world.finish(agent.ask(SendAll{gone, 1})).value_or(Texts{}), Texts{"node_lost"});
}

TEST_F(Cluster, BooksAreBalancedAfterAllThat) {
  const auto moody = ActorRef<Moody>{remote("n1", "n2", spawn<Moody>("n2"))};
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(moody.tell(Fine{i}), base::Outcome::accepted);
  }
  EXPECT_EQ(ActorRef<MoodyAndMore>{moody}.tell(Unheard{}), base::Outcome::accepted);
  world.run_for(seconds{1});
  world.check_ledgers();
  const auto ledger = world.node("n2").system().ledger();
  EXPECT_EQ(ledger.dead[static_cast<std::size_t>(base::Outcome::refused)], 1U);
}

}  // namespace
}  // namespace troupe::harness
