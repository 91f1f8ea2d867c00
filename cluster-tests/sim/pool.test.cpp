#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cluster-tests/harness/fixture.hpp"

namespace troupe::harness {
namespace {

using actors::AskError;
using node::demo::Square;
using node::demo::Squarer;
using std::chrono::milliseconds;
using std::chrono::seconds;

class PoolOfSquares : public WorldTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.start_all()) << world.differences();
    ASSERT_TRUE(world.run_until([this] { return is_complete(); }, seconds{5}));
  }

  [[nodiscard]] std::string pool_node() {
    const registry::Record* record = world.find(world.running().front(), "squares");
    return record != nullptr && record->state == registry::NameState::bound ? record->holder.name
                                                                            : "";
  }
  /// A control service a node, the pool, and its four workers: nothing more, nothing less.
  [[nodiscard]] bool is_complete() {
    if (pool_node().empty() || !world.is_running(pool_node())) {
      return false;
    }
    std::size_t actors = 0;
    for (const std::string& name : world.running()) {
      actors += world.node(name).system().actor_count();
    }
    return actors == world.running().size() + 1 + 4;
  }
  [[nodiscard]] std::size_t workers_at(const std::string& name) {
    return world.node(name).system().actor_count() - 1 - (pool_node() == name ? 1 : 0);
  }

  void ask(const std::string& at) {
    const std::int64_t number = static_cast<std::int64_t>(world.random().below(1000));
    world.node(at)
        .find<Squarer>("squares")
        .ask(Square{number})
        .then([this, number](actors::AskResult<std::int64_t> result) {
          ++over;
          if (result.ok()) {
            ++answered;
            EXPECT_EQ(result.value(), number * number);
          } else {
            EXPECT_NE(result.error().kind, AskError::Kind::refusal) << result.error().text();
          }
        });
    ++asked;
  }

  std::uint64_t asked = 0;
  std::uint64_t over = 0;
  std::uint64_t answered = 0;
};

TEST_F(PoolOfSquares, SpreadsItsWorkers) {
  const bool spread = world.run_until(
      [this] {
        return is_complete() && workers_at("n1") > 0 && workers_at("n2") > 0 &&
               workers_at("n3") > 0;
      },
      seconds{5});
  EXPECT_TRUE(spread);
  for (int i = 0; i < 300; ++i) {
    ask(world.running()[world.random().below(3)]);
  }
  EXPECT_TRUE(world.run_until([&] { return over == asked; }, seconds{2}));
  EXPECT_EQ(answered, 300U);
}

TEST_F(PoolOfSquares, ReplacesWorkersOfADeadNode) {
  const std::string pool = pool_node();
  const std::string victim = pool == "n2" ? "n3" : "n2";
  for (int i = 0; i < 2000; ++i) {
    ask(pool);
    if (i == 1000) {
      world.crash(victim);
    }
    world.run_for(std::chrono::microseconds{world.random().below(2000)});
  }
  EXPECT_TRUE(world.run_until([&] { return over == asked; }, seconds{7}));
  // Only what was at the dead node's workers may be without an answer.
  EXPECT_GE(answered + 100, asked);
  EXPECT_TRUE(world.run_until([this] { return is_complete(); }, seconds{5}));
  world.start(victim);
  EXPECT_TRUE(
      world.run_until([&] { return is_complete() && workers_at(victim) == 1; }, seconds{10}));
  world.run_for(seconds{1});
  world.check_ledgers();
}

TEST_F(PoolOfSquares, LeavesNoOrphansWhenItsNodeDies) {
  for (int round = 0; round < 4; ++round) {
    const std::string victim = pool_node();
    const std::string asker = victim == "n1" ? "n2" : "n1";
    for (int i = 0; i < 100; ++i) {
      ask(asker);
      world.run_for(std::chrono::microseconds{world.random().below(100)});
    }
    world.crash(victim);
    EXPECT_TRUE(world.run_until([this] { return is_complete(); }, seconds{6})) << round;
    EXPECT_TRUE(world.run_until([&] { return over == asked; }, seconds{6})) << round;
    const std::uint64_t before = answered;
    ask(asker);
    EXPECT_TRUE(world.run_until([&] { return over == asked; }, seconds{6}));
    EXPECT_EQ(answered, before + 1);
    world.start(victim);
    EXPECT_TRUE(
        world.run_until([this] { return world.has_converged() && is_complete(); }, seconds{10}))
        << world.differences();
  }
  world.check_ledgers();
}

TEST_F(PoolOfSquares, MovesWhenItsNodeLeaves) {
  const std::string leaver = pool_node();
  const std::string asker = leaver == "n1" ? "n2" : "n1";
  world.leave(leaver);
  for (int i = 0; i < 200; ++i) {
    ask(asker);
    world.run_for(milliseconds{2});
  }
  EXPECT_TRUE(world.run_until([&] { return over == asked; }, seconds{7}));
  EXPECT_TRUE(world.run_until([this] { return is_complete(); }, seconds{5}));
  EXPECT_FALSE(world.is_running(leaver));
  EXPECT_EQ(answered, asked);
}

}  // namespace
}  // namespace troupe::harness
