#include "registry/messages.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/random.hpp"
#include "registry/cluster.hpp"

namespace troupe::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::TimePoint start_time{seconds{1}};

std::uint64_t seed_of_run() {
  const char* const text = std::getenv("TROUPE_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 0);
}

Member up(const std::string& name, std::uint64_t incarnation) {
  return {.id = {name, incarnation},
          .address = "tcp://" + name,
          .labels = {},
          .state = MemberState::up};
}

Record bound_record() {
  Record record;
  record.name = "hits";
  record.epoch = 1'000'001;
  record.holder = {"n2", 7};
  record.actor = {5};
  record.state = NameState::bound;
  record.kind = "counter";
  record.claim = {{"n2", 7}, 3};
  return record;
}

/// A lone ready node n1 that has a link to the ready member n2.
class WithPeer : public ::testing::Test {
 protected:
  WithPeer() : cluster_({{"n1", 5}, "tcp://n1", {}}, {}, base::Random{1}) {
    (void)cluster_.start(now_);
    (void)cluster_.on_link_up(peer_, "tcp://n2", now_);
    (void)cluster_.on_message(peer_, encode_message(State{up("n2", 7), true, {}}), now_);
  }
  base::NodeId peer_{"n2", 7};
  base::TimePoint now_ = start_time;
  Cluster cluster_;
};

TEST_F(WithPeer, CountsAndIgnoresWhatIsNotAMessage) {
  base::Bytes unknown_kind;
  base::WireWriter{unknown_kind}.unsigned_integer(99);
  base::Bytes too_long = encode_message(Beat{1, 2, 3});
  too_long.push_back(std::byte{0});
  base::Bytes cut = encode_message(State{up("n2", 7), true, {}});
  cut.pop_back();
  Record nameless = bound_record();
  nameless.name.clear();
  Record endless = bound_record();
  endless.epoch = ~std::uint64_t{0};
  Member stateless = up("n3", 1);
  stateless.state = static_cast<MemberState>(77);
  const base::Bytes bodies[] = {{},
                                unknown_kind,
                                too_long,
                                cut,
                                encode_message(Change{1, 2, {nameless}}),
                                encode_message(Change{1, 2, {endless}}),
                                encode_message(News{{stateless}}),
                                encode_message(Start{1, Record{}})};
  std::uint64_t malformed = 0;
  for (const base::Bytes& body : bodies) {
    const Effects effects = cluster_.on_message(peer_, body, now_);
    EXPECT_TRUE(effects.sends.empty() && effects.events.empty());
    EXPECT_EQ(cluster_.stats().malformed, ++malformed);
  }
}

/// One of each kind, to be broken.
std::vector<base::Bytes> samples() {
  const Record record = bound_record();
  const Hold hold{record, HoldState::bound, "why"};
  return {encode_message(State{up("n2", 7), true, {up("n3", 1)}}),
          encode_message(Ping{4, {up("n3", 1)}}),
          encode_message(Ack{4, {}}),
          encode_message(PingRequest{4, {"n3", 1}, {}}),
          encode_message(PingResult{4, true, {}}),
          encode_message(News{{up("n1", 5)}}),
          encode_message(SyncRequest{1}),
          encode_message(SyncReply{1, false, {hold}, {record}}),
          encode_message(OldTerm{3}),
          encode_message(Beat{1, 2, 3}),
          encode_message(SnapshotRequest{1}),
          encode_message(Snapshot{1, 2, true, false, {record}}),
          encode_message(Change{1, 2, {record}}),
          encode_message(Ask{record, false, false, 1}),
          encode_message(Answer{1, 3, true, base::Errc::internal, {}, record}),
          encode_message(Start{1, record}),
          encode_message(Stop{1, "hits", 1'000'001, "moved"}),
          encode_message(Report{"hits", 1'000'001, {5}, HoldState::bound, {}}),
          encode_message(GroupState{3, {{"g", {{1}, {2}}}}}),
          encode_message(GroupChange{4, "g", {3}, true}),
          encode_message(GroupBeat{4}),
          encode_message(GroupRequest{})};
}

TEST_F(WithPeer, SurvivesSeededGarbage) {
  const std::uint64_t seed = seed_of_run();
  RecordProperty("seed", std::to_string(seed));
  base::Random random{seed};
  const std::vector<base::Bytes> good = samples();
  for (int round = 0; round < 4000; ++round) {
    base::Bytes body = good[random.below(good.size())];
    const std::uint64_t changes = random.below(4);
    for (std::uint64_t i = 0; i < changes && !body.empty(); ++i) {
      switch (random.below(4)) {
        case 0: body[random.below(body.size())] = static_cast<std::byte>(random.next()); break;
        case 1: body.resize(random.below(body.size() + 1)); break;
        case 2: body.push_back(static_cast<std::byte>(random.next())); break;
        default: body.erase(body.begin() + static_cast<std::ptrdiff_t>(random.below(body.size())));
      }
    }
    now_ += milliseconds{1};
    (void)cluster_.on_message(random.chance(0.9) ? peer_ : base::NodeId{"n4", random.below(3)},
                              body, now_);
    if (random.chance(0.1)) {
      (void)cluster_.tick(now_);
    }
  }
  EXPECT_GT(cluster_.stats().malformed, 500U);
}

TEST(Messages, ComeBackAsTheyWent) {
  const SyncReply sent{7, true, {{bound_record(), HoldState::stopping, "why"}}, {bound_record()}};
  const base::Bytes body = encode_message(sent);
  base::WireReader in{body};
  std::uint64_t kind = 0;
  ASSERT_TRUE(in.unsigned_integer(kind, 255));
  EXPECT_EQ(kind, 11U);
  SyncReply back;
  ASSERT_TRUE(decode_message(in, back));
  EXPECT_EQ(encode_message(back), body);
  EXPECT_EQ(back.holds[0].record.claim, sent.holds[0].record.claim);
}

}  // namespace
}  // namespace troupe::registry
