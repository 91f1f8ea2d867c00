#include "registry/groups.hpp"

#include <gtest/gtest.h>

#include "registry/cluster.hpp"

namespace troupe::registry {
namespace {

const base::NodeId self{"n1", 1};
const base::NodeId other{"n2", 2};

class GroupsTest : public ::testing::Test {
 protected:
  GroupsTest()
      : groups_(self, GroupsOptions{.beat_interval = std::chrono::seconds{2}, .entries_max = 2}) {
    see(MemberState::up);
    effects_ = {};
  }

  void see(MemberState state) {
    groups_.on_view({{.id = self, .address = {}, .labels = {}, .state = MemberState::up},
                     {.id = other, .address = {}, .labels = {}, .state = state}},
                    out_);
  }

  std::vector<std::uint64_t> of_other(const std::string& group) {
    std::vector<std::uint64_t> values;
    const auto* all = groups_.of_node(other);
    if (all != nullptr && all->contains(group)) {
      for (const base::ActorId actor : all->at(group)) {
        values.push_back(actor.value);
      }
    }
    return values;
  }

  Effects effects_;
  Outbox out_{self, effects_};
  Groups groups_;
};

TEST_F(GroupsTest, TellOthersOfEachChangeOnce) {
  EXPECT_TRUE(groups_.join("g", {1}, out_));
  EXPECT_TRUE(groups_.join("g", {1}, out_));
  groups_.part("g", {9}, out_);
  EXPECT_EQ(effects_.sends.size(), 1U);
  EXPECT_EQ(effects_.events.size(), 1U);
  groups_.part("g", {1}, out_);
  EXPECT_EQ(effects_.sends.size(), 2U);
}

TEST_F(GroupsTest, RefuseEntriesBeyondTheLimit) {
  EXPECT_TRUE(groups_.join("g", {1}, out_));
  EXPECT_TRUE(groups_.join("g", {2}, out_));
  EXPECT_FALSE(groups_.join("h", {3}, out_));
  groups_.part("g", {1}, out_);
  EXPECT_TRUE(groups_.join("h", {3}, out_));
}

TEST_F(GroupsTest, TakeASnapshotThenChangesInOrder) {
  groups_.on(other, GroupState{5, {{"g", {{1}, {2}}}}}, out_);
  groups_.on(other, GroupChange{6, "g", {3}, true}, out_);
  groups_.on(other, GroupChange{6, "g", {4}, true}, out_);  // had it
  groups_.on(other, GroupChange{7, "g", {1}, false}, out_);
  EXPECT_EQ(of_other("g"), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_TRUE(effects_.sends.empty());
  groups_.on(other, GroupChange{9, "g", {5}, true}, out_);  // one is missing
  EXPECT_EQ(effects_.sends.size(), 1U);
  EXPECT_EQ(of_other("g"), (std::vector<std::uint64_t>{2, 3}));
  groups_.on(other, GroupState{9, {{"h", {{5}}}}}, out_);
  EXPECT_TRUE(of_other("g").empty());
  EXPECT_EQ(of_other("h"), std::vector<std::uint64_t>{5});
}

TEST_F(GroupsTest, AskForWhatABeatShowsToBeMissing) {
  groups_.on(other, GroupState{5, {}}, out_);
  groups_.on(other, GroupBeat{5}, out_);
  EXPECT_TRUE(effects_.sends.empty());
  groups_.on(other, GroupBeat{6}, out_);
  EXPECT_EQ(effects_.sends.size(), 1U);
}

TEST_F(GroupsTest, ForgetANodeThatIsDead) {
  groups_.on(other, GroupState{5, {{"g", {{1}}}}}, out_);
  effects_.events.clear();
  see(MemberState::suspect);
  EXPECT_EQ(of_other("g").size(), 1U);
  see(MemberState::down);
  EXPECT_TRUE(of_other("g").empty());
  ASSERT_EQ(effects_.events.size(), 1U);
  EXPECT_EQ(std::get<GroupChanged>(effects_.events[0]).parted.size(), 1U);
}

}  // namespace
}  // namespace troupe::registry
