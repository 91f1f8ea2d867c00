#include "transport/outbox.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "transport/peer_link.hpp"

namespace troupe::transport {
namespace {

std::vector<std::string> records_of(Outbox::Gathered gathered) {
  write_batch_header(gathered.frame, {.record_count = gathered.record_count, .sequence = 1});
  std::vector<std::string> records;
  const auto batch = parse_batch(gathered.frame);
  EXPECT_TRUE(batch.ok());
  for_each_record(*batch,
                  [&](base::ByteView record) { records.emplace_back(base::as_text(record)); });
  return records;
}

TEST(Outbox, GathersWhatComesBetweenTwoTakesIntoOneBatch) {
  Outbox outbox{{}};
  EXPECT_FALSE(outbox.take());
  EXPECT_EQ(outbox.push(base::as_bytes("a")).outcome, base::Outcome::accepted);
  EXPECT_EQ(records_of(*outbox.take()), std::vector<std::string>{"a"});
  (void)outbox.push(base::as_bytes("b"));
  (void)outbox.push(base::as_bytes(""));
  (void)outbox.push(base::as_bytes("c"));
  EXPECT_EQ(records_of(*outbox.take()), (std::vector<std::string>{"b", "", "c"}));
  EXPECT_FALSE(outbox.take());
}

TEST(Outbox, RingsOnceUntilItWasFoundEmpty) {
  Outbox outbox{{}};
  EXPECT_TRUE(outbox.push(base::as_bytes("a")).ring);
  EXPECT_FALSE(outbox.push(base::as_bytes("b")).ring);
  EXPECT_TRUE(outbox.take());
  EXPECT_FALSE(outbox.push(base::as_bytes("c")).ring);
  EXPECT_TRUE(outbox.take());
  EXPECT_FALSE(outbox.take());
  EXPECT_TRUE(outbox.push(base::as_bytes("d")).ring);
}

TEST(Outbox, EndsABatchAtItsSizeAndSendsALargeRecordAlone) {
  Outbox outbox{{.batch_bytes_max = 100}};
  const std::string thirty(30, 'x');
  (void)outbox.push(base::as_bytes(thirty));
  (void)outbox.push(base::as_bytes(thirty));
  (void)outbox.push(base::as_bytes(std::string(500, 'y')));
  (void)outbox.push(base::as_bytes("z"));
  EXPECT_EQ(outbox.take()->record_count, 1U);
  EXPECT_EQ(outbox.take()->record_count, 1U);
  EXPECT_EQ(records_of(*outbox.take())[0].size(), 500U);
  EXPECT_EQ(records_of(*outbox.take()), std::vector<std::string>{"z"});
}

TEST(Outbox, RefusesWhatDoesNotFitAFrame) {
  Outbox outbox{{}};
  EXPECT_EQ(outbox.push(base::Bytes(record_bytes_max + 1)).outcome, base::Outcome::refused);
  EXPECT_EQ(outbox.push(base::Bytes(record_bytes_max)).outcome, base::Outcome::accepted);
  EXPECT_EQ(outbox.take()->frame.size(), frame_bytes_max);
}

TEST(Outbox, IsFullUntilWhatWasTakenIsReleased) {
  Outbox outbox{{.bytes_max = 200}};
  const std::string hundred(100, 'x');
  EXPECT_EQ(outbox.push(base::as_bytes(hundred)).outcome, base::Outcome::accepted);
  EXPECT_EQ(outbox.push(base::as_bytes(hundred)).outcome, base::Outcome::mailbox_full);
  const auto taken = outbox.take();
  EXPECT_EQ(outbox.push(base::as_bytes(hundred)).outcome, base::Outcome::mailbox_full);
  EXPECT_FALSE(outbox.release(taken->frame.size()));
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_EQ(outbox.push(base::as_bytes(hundred)).outcome, base::Outcome::accepted);
}

TEST(Outbox, KeepsRoomForNoticesThatNoMessageTakes) {
  Outbox outbox{{.bytes_max = 200, .notice_bytes_max = 90}};
  const std::string eighty(80, 'x');
  EXPECT_EQ(outbox.push(base::as_bytes(eighty)).outcome, base::Outcome::accepted);
  EXPECT_EQ(outbox.push(base::as_bytes(eighty)).outcome, base::Outcome::mailbox_full);
  EXPECT_EQ(outbox.push(base::as_bytes(eighty), Room::of_notices).outcome, base::Outcome::accepted);
  EXPECT_EQ(outbox.push(base::as_bytes(eighty), Room::of_notices).outcome,
            base::Outcome::mailbox_full);
}

TEST(Outbox, SaysOnceThatThereMayBeRoomForARefusedNotice) {
  Outbox outbox{{.bytes_max = 50, .notice_bytes_max = 50}};
  (void)outbox.push(base::Bytes(40), Room::of_notices);
  const std::size_t taken = outbox.take()->frame.size();
  EXPECT_EQ(outbox.push(base::Bytes(40)).outcome, base::Outcome::mailbox_full);
  EXPECT_FALSE(outbox.release(0));
  EXPECT_EQ(outbox.push(base::Bytes(40), Room::of_notices).outcome, base::Outcome::mailbox_full);
  EXPECT_TRUE(outbox.release(taken));
  EXPECT_FALSE(outbox.release(0));
}

TEST(Outbox, HandsOutWhatIsLeftWhenItIsClosed) {
  Outbox outbox{{.batch_bytes_max = 60}};
  (void)outbox.push(base::as_bytes(std::string(30, 'a')));
  (void)outbox.push(base::as_bytes("b"));
  const auto left = outbox.close();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(records_of(left[1]), std::vector<std::string>{"b"});
  EXPECT_EQ(outbox.push(base::as_bytes("c")).outcome, base::Outcome::node_lost);
  EXPECT_FALSE(outbox.take());
}

TEST(Outbox, LosesNothingBetweenManyThreadsAndOneTaker) {
  Outbox outbox{{}};
  constexpr int threads = 4;
  constexpr std::uint64_t each = 5000;
  std::atomic<int> rings = 0;
  std::vector<std::thread> senders;
  for (int t = 0; t < threads; ++t) {
    senders.emplace_back([&outbox, &rings] {
      for (std::uint64_t i = 0; i < each; ++i) {
        rings += outbox.push(base::as_bytes("record")).ring ? 1 : 0;
      }
    });
  }
  std::uint64_t taken = 0;
  int emptied = 0;
  while (taken < threads * each) {
    const auto batch = outbox.take();
    taken += batch ? batch->record_count : 0;
    emptied += batch ? 0 : 1;
  }
  for (std::thread& sender : senders) {
    sender.join();
  }
  EXPECT_EQ(taken, threads * each);
  EXPECT_LE(rings, emptied + 1);
}

TEST(Doorbell, RingsOnlyWhileArmed) {
  int rings = 0;
  Doorbell doorbell{[&rings] { ++rings; }};
  doorbell.post(ConnectCommand{"tcp://a:1"});
  doorbell.post(ConnectCommand{"tcp://b:1"});
  EXPECT_EQ(rings, 1);
  EXPECT_FALSE(doorbell.arm());
  std::vector<Command> commands;
  doorbell.take(commands);
  EXPECT_EQ(commands.size(), 2U);
  EXPECT_TRUE(doorbell.arm());
  doorbell.post(ForgetCommand{"tcp://a:1"});
  EXPECT_EQ(rings, 2);
  doorbell.close();
  doorbell.post(ForgetCommand{"tcp://a:1"});
  EXPECT_EQ(rings, 2);
}

}  // namespace
}  // namespace troupe::transport
