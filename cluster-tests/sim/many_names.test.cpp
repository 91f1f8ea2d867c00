#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster-tests/harness/fixture.hpp"

namespace troupe::harness {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Asks all names from one node, at most `window` at a time.
class Client {
 public:
  Client(World& world, const std::string& at, std::uint64_t number,
         const std::vector<std::string>& names)
      : world_(world), number_(number), names_(names), next_(names.size(), 0) {
    for (const std::string& name : names) {
      refs_.push_back(world.node(at).find<Tally>(name));
    }
  }

  void go_on(std::uint64_t asks, std::uint64_t window) {
    while (sent_ < asks && sent_ - over_ < window) {
      ++sent_;
      const std::size_t index = world_.random().below(names_.size());
      const std::uint64_t number = ++next_[index];
      refs_[index]
          .ask(Put{number_, number}, seconds{20})
          .then([this, index, number](actors::AskResult<PutReply> result) {
            ++over_;
            if (!result.ok()) {
              world_.problem("ask " + std::to_string(number) + " of " + names_[index] +
                             " failed: " + result.error().text());
            } else if (result->name != names_[index] || result->number != number) {
              world_.problem(names_[index] + " answered for somebody else");
            }
          });
    }
  }
  [[nodiscard]] bool is_over(std::uint64_t asks) const { return over_ == asks; }

 private:
  World& world_;
  const std::uint64_t number_;
  const std::vector<std::string>& names_;
  std::vector<actors::ActorRef<Tally>> refs_;
  std::vector<std::uint64_t> next_;
  std::uint64_t sent_ = 0;
  std::uint64_t over_ = 0;
};

class ManyNames : public WorldTest {
 protected:
  void start_names(std::size_t count) {
    ASSERT_TRUE(world.start_all()) << world.differences();
    std::size_t started = 0;
    for (std::size_t i = 0; i < count; ++i) {
      names.push_back("tally/" + std::to_string(i));
      world.node("n" + std::to_string(1 + i % 3))
          .start_actor("tally", tally_options(names.back(), "spread"),
                       [&](const auto& row) { started += row.ok() ? 1 : 0; });
    }
    ASSERT_TRUE(world.run_until([&] { return started == count; }, seconds{30})) << started;
    ASSERT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{10}))
        << world.differences();
  }

  void ask_from_everywhere(std::uint64_t asks) {
    std::vector<std::unique_ptr<Client>> clients;
    for (const std::string& at : world.running()) {
      clients.push_back(std::make_unique<Client>(world, at, clients.size() + 1, names));
    }
    const bool over = world.run_until(
        [&] {
          bool all = true;
          for (const auto& client : clients) {
            client->go_on(asks, 1000);
            all = all && client->is_over(asks);
          }
          return all;
        },
        seconds{600});
    EXPECT_TRUE(over);
    EXPECT_EQ(world.journal().handled_count(), 3 * asks);
    world.check_ledgers();
  }

  std::vector<std::string> names;
};

TEST_F(ManyNames, AreSpreadOverAllNodes) {
  start_names(300);
  std::map<std::string, int> held;
  for (const std::string& name : names) {
    ++held[world.find("n1", name)->holder.name];
  }
  for (const auto& [node, count] : held) {
    EXPECT_NEAR(count, 100, 60) << node;
  }
  EXPECT_EQ(held.size(), 3U);
}

TEST_F(ManyNames, AThousandAnswerAHundredThousandAsksFromEachNode) {
  start_names(1000);
  ask_from_everywhere(from_environment("TROUPE_ASKS", 100'000 / sanitizer_share));
}

TEST_F(ManyNames, AllMoveWhenTheirNodeDies) {
  start_names(300);
  world.crash("n2");
  const base::TimePoint killed = world.now();
  const auto all_bound = [&] {
    for (const std::string& name : names) {
      const registry::Record* record = world.find("n1", name);
      if (record == nullptr || record->state != registry::NameState::bound ||
          record->holder.name == "n2") {
        return false;
      }
    }
    return true;
  };
  EXPECT_TRUE(world.run_until(all_bound, seconds{5}));
  EXPECT_LE(world.now() - killed, seconds{5});
  for (const std::string& name : names) {
    EXPECT_EQ(world.journal().objects(name), 1U);
  }
}

}  // namespace
}  // namespace troupe::harness
