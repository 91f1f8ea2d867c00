#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "cluster-tests/harness/fixture.hpp"

namespace troupe::harness {
namespace {

using actors::ActorRef;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Texts = std::vector<std::string>;

/// More than the room that a full link keeps for notices holds.
constexpr std::size_t pairs = 300;

WorldOptions with_small_links() {
  WorldOptions options;
  options.network.engine.outbox.bytes_max = std::size_t{64} << 10U;
  options.network.engine.outbox.notice_bytes_max = std::size_t{4} << 10U;
  return options;
}

/// What is said about watches while the link takes no message any more: n1 watches actors of n2.
class FullLink : public WorldTest {
 protected:
  FullLink() : WorldTest(with_small_links()) {}

  void SetUp() override {
    ASSERT_TRUE(world.start_all()) << world.differences();
    for (std::size_t i = 0; i < pairs; ++i) {
      watchers_.push_back(spawn<Agent>("n1"));
      watched_.push_back(spawn<Moody>("n2"));
    }
  }
  /// Nothing leaves `from` towards `to`, and messages fill the link until it refuses one.
  void fill(const std::string& from, const std::string& to) {
    world.network().partition(world.address(from), world.address(to),
                              transport::Direction::one_way);
    const auto crowd = ActorRef<Moody>{remote(from, to, spawn<Moody>(to))};
    while (crowd.tell(Fine{1}) == base::Outcome::accepted) {
    }
  }
  void drain() {
    world.network().heal();
    world.run_for(seconds{2});
  }
  void watch(std::size_t pair) { EXPECT_EQ(watchers_[pair].tell(Watch{seen(pair)}), accepted); }
  void unwatch(std::size_t pair) { EXPECT_EQ(watchers_[pair].tell(Unwatch{seen(pair)}), accepted); }
  void end(std::size_t pair) { EXPECT_EQ(watched_[pair].tell(EndIt{}), accepted); }
  Texts notices(std::size_t pair) {
    return world.finish(watchers_[pair].ask(Notices{})).value_or(Texts{"no answer"});
  }

  static constexpr base::Outcome accepted = base::Outcome::accepted;

 private:
  actors::AnyRef seen(std::size_t pair) { return remote("n1", "n2", watched_[pair]); }

  std::vector<ActorRef<Agent>> watchers_;
  std::vector<ActorRef<Moody>> watched_;
};

TEST_F(FullLink, TakesEveryWatch) {
  fill("n1", "n2");
  for (std::size_t i = 0; i < pairs; ++i) {
    watch(i);
  }
  world.run_for(milliseconds{100});
  for (std::size_t i = 0; i < pairs; ++i) {
    EXPECT_EQ(notices(i), Texts{}) << i;
  }
  drain();
  for (std::size_t i = 0; i < pairs; ++i) {
    end(i);
  }
  world.run_for(seconds{1});
  for (std::size_t i = 0; i < pairs; ++i) {
    EXPECT_EQ(notices(i), Texts{"stopped"}) << i;
  }
}

TEST_F(FullLink, TellsOfEveryEndOnce) {
  for (std::size_t i = 0; i < pairs; ++i) {
    watch(i);
  }
  world.run_for(milliseconds{100});
  fill("n2", "n1");
  for (std::size_t i = 0; i < pairs; ++i) {
    end(i);
  }
  drain();
  for (std::size_t i = 0; i < pairs; ++i) {
    EXPECT_EQ(notices(i), Texts{"stopped"}) << i;
  }
}

TEST_F(FullLink, TellsOfWhatEndedBeforeTheWatchCame) {
  fill("n1", "n2");
  for (std::size_t i = 0; i < pairs; ++i) {
    watch(i);
    end(i);
  }
  world.run_for(milliseconds{100});
  fill("n2", "n1");
  drain();
  for (std::size_t i = 0; i < pairs; ++i) {
    EXPECT_EQ(notices(i), Texts{"no_such_actor"}) << i;
  }
}

TEST_F(FullLink, TellsTheWatchersOfALostNodeOnce) {
  fill("n1", "n2");
  for (std::size_t i = 0; i < pairs; ++i) {
    watch(i);
  }
  world.run_for(milliseconds{100});
  world.crash("n2");
  world.run_for(seconds{10});
  for (std::size_t i = 0; i < pairs; ++i) {
    EXPECT_EQ(notices(i), Texts{"node_lost"}) << i;
  }
}

TEST_F(FullLink, TellsThoseWhoStillWatchHoweverOftenTheyChangedTheirMind) {
  std::vector<bool> is_watching(pairs);
  const auto change_minds = [&] {
    for (int change = 0; change < 2000; ++change) {
      const std::size_t pair = world.random().below(pairs);
      is_watching[pair] ? unwatch(pair) : watch(pair);
      is_watching[pair] = !is_watching[pair];
    }
    world.run_for(milliseconds{50});
  };
  change_minds();
  fill("n1", "n2");
  change_minds();
  fill("n2", "n1");
  change_minds();
  for (std::size_t i = 0; i < pairs; ++i) {
    end(i);
  }
  drain();
  for (std::size_t i = 0; i < pairs; ++i) {
    EXPECT_EQ(notices(i).size(), is_watching[i] ? 1U : 0U) << i;
  }
}

}  // namespace
}  // namespace troupe::harness
