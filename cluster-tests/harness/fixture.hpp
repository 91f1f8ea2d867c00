#pragma once

#include <gtest/gtest.h>

#include <string>

#include "cluster-tests/harness/moody.hpp"
#include "cluster-tests/harness/seeds.hpp"
#include "cluster-tests/harness/tally.hpp"
#include "cluster-tests/harness/world.hpp"
#include "node/demo_actors.hpp"
#include "node/node_core.hpp"

namespace troupe::harness {

/// A world whose nodes know the test actors.
class TestWorld : public World {
 public:
  explicit TestWorld(std::uint64_t seed, WorldOptions options = {})
      : World(seed, std::move(options)) {
    prepare = [this](node::Node& node) {
      register_tally(node, journal());
      node.register_actor<Moody>("moody");
      node.register_actor<Agent>("agent");
    };
  }
};

/// A test in one world; what went wrong in it is told at the end, with the seed.
class WorldTest : public testing::Test {
 protected:
  explicit WorldTest(WorldOptions options = {})
      : seed_(seed(1)), world(seed_, std::move(options)) {}

  void TearDown() override {
    for (const std::string& problem : world.problems()) {
      ADD_FAILURE() << problem;
    }
    if (HasFailure()) {
      std::printf("replay: TROUPE_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    }
  }

  /// Another node's actor, seen from `at`.
  actors::AnyRef remote(const std::string& at, const std::string& of, const actors::AnyRef& actor) {
    return {*world.node(at).core().router().sink_for({world.node(of).id(), actor.id(), {}}),
            actor.id()};
  }
  template <class A>
  actors::ActorRef<A> spawn(const std::string& at, actors::SpawnOptions options = {}) {
    return world.node(at).system().spawn<A>(std::move(options)).value();
  }

 private:
  std::uint64_t seed_;

 protected:
  TestWorld world;
};

}  // namespace troupe::harness
