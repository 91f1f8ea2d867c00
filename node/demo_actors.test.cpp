#include "node/demo_actors.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "actors/actor_system.hpp"
#include "actors/step_scheduler.hpp"
#include "base/clock.hpp"

namespace troupe::node {
namespace {

using namespace demo;

/// The demo actors by their kinds, in a system that a test steps by hand.
class DemoActors : public testing::Test {
 protected:
  DemoActors() { register_demo_actors(kinds); }
  ~DemoActors() override {
    system.stop_all([] {});
    run();
  }
  static std::uint64_t seed() {
    const char* text = std::getenv("TROUPE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 7;
  }
  void run() {
    while (scheduler.step()) {
    }
  }
  template <class A>
  actors::ActorRef<A> spawn(const std::string& kind) {
    const auto found = kinds.find(kind);
    auto factory = found->prepare({}).value();
    return actors::ActorRef<A>{
        system.spawn_any(*found->type, std::move(factory), {}, nullptr).value()};
  }
  template <class A, class M>
  actors::AskResult<actors::ReplyOf<M>> ask(const actors::ActorRef<A>& actor, M message) {
    auto pending = actor.ask(std::move(message));
    run();
    EXPECT_TRUE(pending.is_ready()) << "seed " << seed();
    return pending.get();
  }

  Kinds kinds;
  base::ManualClock clock;
  actors::StepScheduler scheduler{base::Random{seed()}};
  actors::ActorSystem system{{.seed = seed()}, clock, scheduler};
};

TEST_F(DemoActors, CounterCounts) {
  const auto hits = spawn<Counter>("counter");
  EXPECT_EQ(hits.tell(Increment{.by = 14}), base::Outcome::accepted);
  EXPECT_EQ(hits.tell(Decrement{.by = 3}), base::Outcome::accepted);
  EXPECT_EQ(hits.tell(Increment{}), base::Outcome::accepted);
  EXPECT_EQ(ask(hits, Get{}).value(), 12);
}

TEST_F(DemoActors, CounterRefusesToOverflow) {
  const auto hits = spawn<Counter>("counter");
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(ask(hits, Increment{.by = most}).ok());
  EXPECT_EQ(ask(hits, Increment{}).error().kind, actors::AskError::Kind::refusal);
  EXPECT_EQ(ask(hits, Decrement{.by = std::numeric_limits<std::int64_t>::min()}).error().kind,
            actors::AskError::Kind::refusal);
  EXPECT_EQ(ask(hits, Get{}).value(), most);
}

TEST_F(DemoActors, UsersAreCreatedChangedAndDeleted) {
  const auto people = spawn<Users>("users");
  const directory::User ada =
      ask(people, directory::Create{.name = "Ada", .email = "ada@example.org"}).value();
  EXPECT_EQ(ada.id.size(), 32U);
  EXPECT_EQ(ada.name, "Ada");
  const directory::User eve =
      ask(people, directory::Create{.name = "Eve", .email = "eve@example.org"}).value();
  EXPECT_NE(ada.id, eve.id);

  const auto changed = ask(people, directory::Update{.id = ada.id, .email = "ada@example.com"});
  EXPECT_EQ(changed.value().name, "Ada");
  EXPECT_EQ(ask(people, directory::Get{.id = ada.id}).value().email, "ada@example.com");
  EXPECT_TRUE(ask(people, directory::Delete{.id = ada.id}).value().deleted);
  EXPECT_EQ(ask(people, directory::Get{.id = eve.id}).value().name, "Eve");
}

TEST_F(DemoActors, UsersRefuseWhomTheyDoNotKnow) {
  const auto people = spawn<Users>("users");
  for (const auto& error : {ask(people, directory::Get{.id = "x"}).error(),
                            ask(people, directory::Update{.id = "x"}).error(),
                            ask(people, directory::Delete{.id = "x"}).error()}) {
    EXPECT_EQ(error.kind, actors::AskError::Kind::refusal);
    EXPECT_EQ(error.reason, "user not found");
  }
}

TEST_F(DemoActors, EchoSaysWhatItHears) {
  EXPECT_EQ(ask(spawn<Echo>("echo"), Say{.text = "hello"}).value(), "hello");
}

TEST_F(DemoActors, SquareRefusesWhatDoesNotFit) {
  const auto worker = spawn<Squarer>("square");
  EXPECT_EQ(ask(worker, Square{.number = -12}).value(), 144);
  const auto refused = ask(worker, Square{.number = 3'037'000'500});
  EXPECT_EQ(refused.error().reason, "the square does not fit into 64 bits");
}

TEST_F(DemoActors, DescribeTheirMessages) {
  const auto users = kinds.find("users");
  ASSERT_EQ(users->description.messages.size(), 4U);
  EXPECT_EQ(users->description.messages[0].name, "Create");
  EXPECT_EQ(users->description.messages[0].reply, "User");
  EXPECT_EQ(kinds.find("counter")->description.messages[2].reply, "int");
}

}  // namespace
}  // namespace troupe::node
