#include "node/peer_watches.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/record.hpp"
#include "node/wire_messages.hpp"

namespace troupe::node {
namespace {

using base::Outcome;
using Texts = std::vector<std::string>;

/// A link that is open, full or cut, and remembers what it took.
class FakeLink final : public transport::Link {
 public:
  [[nodiscard]] const transport::PeerInfo& peer() const override { return peer_; }
  Outcome send(transport::Lane, base::ByteView) override { return Outcome::refused; }
  Outcome send_notice(base::ByteView bytes) override {
    if (state != Outcome::accepted) {
      return state;
    }
    const auto record = base::decode_record(bytes).value();
    const std::string pair = std::to_string(record.sender) + ">" + std::to_string(record.target);
    switch (record.kind) {
      case base::RecordKind::watch: said.push_back("watch " + pair); break;
      case base::RecordKind::unwatch: said.push_back("unwatch " + pair); break;
      case base::RecordKind::link: said.push_back("link " + pair); break;
      case base::RecordKind::unlink: said.push_back("unlink " + pair); break;
      default:
        last_end = base::from_wire<TerminatedBody>(record.body).value();
        said.push_back("end " + pair);
    }
    return Outcome::accepted;
  }

  Outcome state = Outcome::accepted;
  Texts said;
  TerminatedBody last_end;

 private:
  transport::PeerInfo peer_;
};

class PeerWatchesTest : public ::testing::Test {
 protected:
  PeerWatches watches;
  FakeLink link;
};

constexpr PeerWatches::Pair one{{1}, {10}};
constexpr PeerWatches::Pair two{{2}, {10}};

TEST_F(PeerWatchesTest, SayAtOnceWhatALinkTakes) {
  EXPECT_EQ(watches.watch(one, link), Outcome::accepted);
  EXPECT_EQ(watches.watch(one, link), Outcome::accepted);
  watches.unwatch(one, link);
  watches.unwatch(one, link);
  watches.tell_end(two, actors::ExitReason::stopped, "", link);
  EXPECT_EQ(link.said, (Texts{"watch 1>10", "unwatch 1>10", "end 10>2"}));
  EXPECT_EQ(watches.waiting(), 0U);
}

TEST_F(PeerWatchesTest, SayWhenThereIsRoomWhatALinkRefused) {
  (void)watches.watch(two, link);
  link.state = Outcome::mailbox_full;
  EXPECT_EQ(watches.watch(one, link), Outcome::accepted);
  watches.unwatch(two, link);
  watches.tell_end(one, actors::ExitReason::stopped, "", link);
  watches.say_waiting(link);
  EXPECT_EQ(watches.waiting(), 3U);
  link.state = Outcome::accepted;
  watches.say_waiting(link);
  EXPECT_EQ(link.said, (Texts{"watch 2>10", "end 10>1", "watch 1>10", "unwatch 2>10"}));
  EXPECT_EQ(watches.waiting(), 0U);
}

TEST_F(PeerWatchesTest, TakeBackWhatWasNotSaidYet) {
  (void)watches.watch(two, link);
  link.state = Outcome::mailbox_full;
  (void)watches.watch(one, link);
  watches.unwatch(one, link);
  watches.unwatch(two, link);
  (void)watches.watch(two, link);
  watches.tell_end(one, actors::ExitReason::stopped, "", link);
  watches.unwatched(one);
  EXPECT_EQ(watches.waiting(), 0U);
  EXPECT_FALSE(watches.end(one));
  EXPECT_TRUE(watches.end(two));
  EXPECT_FALSE(watches.end(two));
}

TEST_F(PeerWatchesTest, WatchAnewAfterAnEndThatCameBeforeTheUnwatchWasSaid) {
  (void)watches.watch(one, link);
  link.state = Outcome::mailbox_full;
  watches.unwatch(one, link);
  EXPECT_FALSE(watches.end(one));
  (void)watches.watch(one, link);
  link.state = Outcome::accepted;
  watches.say_waiting(link);
  EXPECT_EQ(link.said, (Texts{"watch 1>10", "watch 1>10"}));
}

TEST_F(PeerWatchesTest, KeepTheFirstReasonOfAnEnd) {
  link.state = Outcome::mailbox_full;
  watches.tell_end(one, actors::ExitReason::crashed, "first", link);
  watches.tell_end(one, actors::ExitReason::no_such_actor, "second", link);
  link.state = Outcome::accepted;
  watches.say_waiting(link);
  EXPECT_EQ(link.said, Texts{"end 10>1"});
  EXPECT_EQ(link.last_end.text, "first");
}

TEST_F(PeerWatchesTest, CutALongTextBetweenCharacters) {
  std::string text(PeerWatches::end_text_bytes_max - 1, 'x');
  watches.tell_end(one, actors::ExitReason::crashed, text + "\u00e9", link);
  EXPECT_EQ(link.last_end.text, text);
  watches.tell_end(one, actors::ExitReason::crashed, text + "yz", link);
  EXPECT_EQ(link.last_end.text, text + "y");
}

TEST_F(PeerWatchesTest, TellLinksAndWatchesOfOnePairApart) {
  (void)watches.watch(one, link);
  (void)watches.link(one, link);
  watches.unwatch(one, link);
  (void)watches.watch(one, link);
  watches.unlink(one, link);
  EXPECT_EQ(link.said,
            (Texts{"watch 1>10", "link 1>10", "unwatch 1>10", "watch 1>10", "unlink 1>10"}));
  EXPECT_TRUE(watches.end(one));
  EXPECT_FALSE(watches.end(one));
}

TEST_F(PeerWatchesTest, HearOfTheEndOfWhoLinkedItselfToOneOfOurs) {
  EXPECT_TRUE(watches.linked(one));
  (void)watches.link(one, link);
  EXPECT_EQ(link.said, Texts{});
  EXPECT_TRUE(watches.end(one));
  EXPECT_TRUE(watches.linked(two));
  EXPECT_TRUE(watches.unlinked(two));
  EXPECT_FALSE(watches.unlinked(two));
  EXPECT_FALSE(watches.end(two));
}

TEST_F(PeerWatchesTest, ForgetALinkWhenEitherOfTheTwoHasEnded) {
  EXPECT_TRUE(watches.linked(one));
  watches.tell_end({one.watched, one.watcher}, actors::ExitReason::crashed, "", link);
  link.state = Outcome::mailbox_full;
  (void)watches.link(two, link);
  watches.tell_end({two.watched, two.watcher}, actors::ExitReason::crashed, "", link);
  EXPECT_EQ(watches.waiting(), 1U);
  EXPECT_TRUE(watches.lose().empty());
}

TEST_F(PeerWatchesTest, KeepALinksNoticeWhenThePeerOnlyStopsWatching) {
  EXPECT_TRUE(watches.linked(one));
  link.state = Outcome::mailbox_full;
  watches.tell_end({one.watched, one.watcher}, actors::ExitReason::crashed, "", link);
  watches.unwatched({one.watched, one.watcher});
  EXPECT_EQ(watches.waiting(), 1U);
}

TEST_F(PeerWatchesTest, EndAsLostOnce) {
  (void)watches.watch(one, link);
  link.state = Outcome::mailbox_full;
  (void)watches.watch(two, link);
  watches.tell_end(one, actors::ExitReason::stopped, "", link);
  EXPECT_EQ(watches.lose(), (std::vector<PeerWatches::Pair>{one, two}));
  EXPECT_EQ(watches.waiting(), 0U);
  EXPECT_EQ(watches.watch(one, link), Outcome::node_lost);
  EXPECT_FALSE(watches.linked(one));
  EXPECT_FALSE(watches.end(one));
  EXPECT_TRUE(watches.lose().empty());
}

TEST_F(PeerWatchesTest, OpenNoWatchOverALinkThatIsCut) {
  link.state = Outcome::node_lost;
  EXPECT_EQ(watches.watch(one, link), Outcome::node_lost);
  EXPECT_TRUE(watches.lose().empty());
}

}  // namespace
}  // namespace troupe::node
