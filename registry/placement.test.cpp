#include "registry/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/random.hpp"

namespace troupe::registry {
namespace {

Member up(const std::string& name, std::uint64_t incarnation,
          std::map<std::string, std::string> labels = {}) {
  return {.id = {name, incarnation},
          .address = {},
          .labels = std::move(labels),
          .state = MemberState::up};
}

std::vector<Member> three() {
  return {up("n1", 3, {{"zone", "a"}}), up("n2", 1, {{"zone", "b"}}), up("n3", 2, {{"zone", "b"}})};
}

std::string placed(const std::string& policy, const Loads& loads, bool again = false,
                   std::vector<Member> members = three()) {
  const auto node = place(parse_placement(policy).value(),
                          {.name = "hits", .requester = {"n1", 3}, .again = again}, members, loads);
  return node ? node->name : std::string{to_string(node.error().code)};
}

base::Random seeded() {
  const char* const text = std::getenv("TROUPE_SEED");
  const std::uint64_t seed = text == nullptr ? 1 : std::strtoull(text, nullptr, 0);
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  return base::Random{seed};
}

TEST(Placement, FollowsItsPolicy) {
  const Loads loads{{{"n1", 3}, 0}, {{"n2", 1}, 5}, {{"n3", 2}, 2}};
  auto dead_n3 = three();
  dead_n3[2].state = MemberState::down;
  struct Case {
    std::string policy;
    bool again;
    std::vector<Member> members;
    std::string expected;
  };
  const Case cases[] = {
      {"local", false, three(), "n1"},
      {"any", false, three(), "n1"},
      {"", false, three(), "n1"},
      {"least_loaded", false, three(), "n1"},
      {"node:n2", false, three(), "n2"},
      {"node:n9", false, three(), "unavailable"},
      {"node:n9", true, three(), "n1"},
      {"node:n2", true, three(), "n2"},
      {"label:zone=b", false, three(), "n3"},
      {"label:zone=b", false, dead_n3, "n2"},
      {"label:zone=c", true, three(), "unavailable"},
      {"any", false, {}, "unavailable"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(placed(c.policy, loads, c.again, c.members), c.expected) << c.policy;
  }
}

TEST(Placement, TakesTheOlderOfEquallyLoaded) {
  EXPECT_EQ(placed("least_loaded", {}), "n2");
}

TEST(Placement, GivesNothingToMembersThatAreNotUp) {
  for (const MemberState state : {MemberState::joining, MemberState::suspect, MemberState::leaving,
                                  MemberState::left, MemberState::down}) {
    auto members = three();
    for (Member& member : members) {
      member.state = state;
    }
    EXPECT_EQ(placed("any", {}, true, members), "unavailable") << to_string(state);
  }
}

TEST(Placement, RefusesTextItDoesNotKnow) {
  for (const char* const text : {"anywhere", "node:", "label:", "label:=x", "label:x", "Local"}) {
    const auto parsed = parse_placement(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, base::Errc::invalid_argument);
  }
}

TEST(Placement, SpreadMovesOnlyTheNamesOfTheNodeThatWent) {
  base::Random random = seeded();
  std::vector<Member> members;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    members.push_back(up("n" + std::to_string(i), i));
  }
  std::map<std::string, int> held;
  const Placement spread = parse_placement("spread").value();
  for (int i = 0; i < 600; ++i) {
    const std::string name = "a" + std::to_string(random.next());
    const PlaceRequest request{.name = name, .requester = {}};
    const base::NodeId before = place(spread, request, members, {}).value();
    ++held[before.name];
    auto fewer = members;
    fewer[2].state = MemberState::down;
    const base::NodeId after = place(spread, request, fewer, {}).value();
    EXPECT_TRUE(after == before || before.name == "n3") << name;
  }
  for (const auto& [node, count] : held) {
    EXPECT_GT(count, 50) << node;
  }
}

std::uint32_t sum(const Spread& spread) {
  std::uint32_t all = 0;
  for (const auto& [node, count] : spread) {
    all += count;
  }
  return all;
}

TEST(Spread, SharesDifferByAtMostOne) {
  const Spread spread = spread_workers(8, three());
  EXPECT_EQ(spread, (Spread{{{"n1", 3}, 2}, {{"n2", 1}, 3}, {{"n3", 2}, 3}}));
  EXPECT_TRUE(spread_workers(8, {}).empty());
}

TEST(Spread, ReachesTheEvenSpreadWithTheFewestMoves) {
  base::Random random = seeded();
  for (int round = 0; round < 300; ++round) {
    std::vector<Member> members;
    Spread now;
    for (std::uint64_t i = 1; i <= 1 + random.below(6); ++i) {
      members.push_back(up("n" + std::to_string(i), i));
      if (random.chance(0.2)) {
        members.back().state = MemberState::down;
      }
      now[members.back().id] = static_cast<std::uint32_t>(random.below(6));
    }
    const auto count = static_cast<std::uint32_t>(random.below(20));
    const SpreadChange change = respread_workers(now, count, members);
    Spread after = now;
    for (const auto& [node, workers] : change.start) {
      EXPECT_FALSE(change.stop.contains(node));
      after[node] += workers;
    }
    for (const auto& [node, workers] : change.stop) {
      ASSERT_GE(after[node], workers);
      after[node] -= workers;
    }
    std::vector<std::uint32_t> shares;
    std::uint32_t on_dead = 0;
    for (const Member& member : members) {
      if (is_placeable(member)) {
        shares.push_back(after[member.id]);
      } else {
        EXPECT_EQ(after[member.id], 0U);
        on_dead += now[member.id];
      }
    }
    if (shares.empty()) {
      continue;
    }
    EXPECT_EQ(sum(after), count);
    EXPECT_LE(*std::max_element(shares.begin(), shares.end()),
              *std::min_element(shares.begin(), shares.end()) + 1);
    // Fewest: what is placed well stays, so no node both keeps fewer than its share and gains.
    std::vector<std::uint32_t> had;
    for (const Member& member : members) {
      if (is_placeable(member)) {
        had.push_back(now[member.id]);
      }
    }
    std::sort(had.rbegin(), had.rend());
    std::sort(shares.rbegin(), shares.rend());
    std::uint32_t least = 0;
    for (std::size_t i = 0; i < had.size(); ++i) {
      least += had[i] > shares[i] ? had[i] - shares[i] : 0;
    }
    EXPECT_EQ(sum(change.stop), least + on_dead);
  }
}

}  // namespace
}  // namespace troupe::registry
