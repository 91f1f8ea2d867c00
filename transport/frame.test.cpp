#include "transport/frame.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "transport/testing/seed.hpp"

namespace troupe::transport {
namespace {

Hello sample_hello() {
  return {.cluster = "shop",
          .node = "n1",
          .incarnation = 1'700'000'000'000,
          .address = "tcp://10.0.0.7:7400",
          .role = "node",
          .lane = 1,
          .session = 0xFFFF'FFFF'FFFF'FFFFU,
          .types = {1, 2},
          .labels = {{"zone", "a"}}};
}

base::Bytes sample_batch() {
  base::Bytes frame(batch_header_bytes);
  for (const char* record : {"one", "", "three"}) {
    append_record(frame, base::as_bytes(record));
  }
  write_batch_header(frame, {.lane = 1,
                             .record_count = 3,
                             .session = 0x1122334455667788U,
                             .sequence = 9,
                             .acknowledgement = 7});
  return frame;
}

TEST(Frame, HelloComesBackAsItWasWritten) {
  for (const FrameKind kind : {FrameKind::hello, FrameKind::welcome}) {
    const Frame frame = hello_frame(kind, sample_hello());
    EXPECT_EQ(parse_kind(*frame).value(), kind);
    const auto hello = parse_hello(*frame);
    ASSERT_TRUE(hello.ok()) << hello.error().text();
    EXPECT_EQ(*hello, sample_hello());
  }
}

TEST(Frame, HelloMayBeAMapByName) {
  base::Bytes frame{std::byte{1}};
  base::WireWriter writer{frame};
  writer.map(2);
  writer.text("node");
  writer.text("cli");
  writer.text("unknown field");
  writer.nil();
  const auto hello = parse_hello(frame);
  ASSERT_TRUE(hello.ok()) << hello.error().text();
  EXPECT_EQ(hello->node, "cli");
  EXPECT_EQ(hello->version_max, protocol_version);
}

TEST(Frame, BatchHeaderIsThisToTheByte) {
  const base::Bytes frame = sample_batch();
  const std::vector<int> expected{
      4, 1, 0, 0, 3, 0, 0, 0,   0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  //
      9, 0, 0, 0, 0, 0, 0, 0,   7,    0,    0,    0,    0,    0,    0,    0,     //
      0, 0, 0, 0, 0, 0, 0, 0,   3,    0,    0,    0,    'o',  'n',  'e',  0,     //
      0, 0, 0, 5, 0, 0, 0, 't', 'h',  'r',  'e',  'e'};
  ASSERT_EQ(frame.size(), expected.size());
  for (std::size_t i = 0; i < frame.size(); ++i) {
    EXPECT_EQ(static_cast<int>(frame[i]), expected[i]) << "byte " << i;
  }
}

TEST(Frame, BatchComesBackAsItWasWritten) {
  const base::Bytes frame = sample_batch();
  const auto batch = parse_batch(frame);
  ASSERT_TRUE(batch.ok()) << batch.error().text();
  EXPECT_EQ(batch->header.lane, 1);
  EXPECT_EQ(batch->header.session, 0x1122334455667788U);
  EXPECT_EQ(batch->header.sequence, 9U);
  EXPECT_EQ(batch->header.acknowledgement, 7U);
  std::vector<std::string> records;
  for_each_record(*batch,
                  [&](base::ByteView record) { records.emplace_back(base::as_text(record)); });
  EXPECT_EQ(records, (std::vector<std::string>{"one", "", "three"}));
}

TEST(Frame, EveryTruncatedBatchIsMalformed) {
  const base::Bytes frame = sample_batch();
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const auto batch = parse_batch(base::ByteView{frame}.first(size));
    ASSERT_FALSE(batch.ok()) << size;
    EXPECT_EQ(batch.error().code, base::Errc::malformed);
  }
}

TEST(Frame, LengthsThatDoNotFillTheFrameAreMalformed) {
  const auto with_byte = [](std::size_t at, int value) {
    base::Bytes frame = sample_batch();
    frame[at] = static_cast<std::byte>(value);
    return frame;
  };
  struct Row {
    const char* what;
    base::Bytes frame;
  };
  base::Bytes longer = sample_batch();
  longer.push_back(std::byte{0});
  for (const Row& row :
       {Row{"lane", with_byte(1, 2)}, Row{"fewer records", with_byte(4, 2)},
        Row{"more records", with_byte(4, 4)}, Row{"2^24 records", with_byte(7, 1)},
        Row{"no records, but a sequence", with_byte(4, 0)},
        Row{"no sequence, but records", with_byte(16, 0)},
        Row{"a record of 4 GB", with_byte(43, 255)}, Row{"a shorter record", with_byte(40, 2)},
        Row{"a byte too many", longer}}) {
    EXPECT_FALSE(parse_batch(row.frame).ok()) << row.what;
  }
}

TEST(Frame, UnknownKindsAndEmptyFramesAreMalformed) {
  EXPECT_FALSE(parse_kind({}).ok());
  for (const int kind : {0, 6, 7, 255}) {
    const base::Bytes frame{static_cast<std::byte>(kind)};
    EXPECT_FALSE(parse_kind(frame).ok()) << kind;
  }
}

TEST(Frame, RefuseKeepsTheCodesOfThePageAndReadsOthersAsRefused) {
  for (const base::Errc code :
       {base::Errc::version_mismatch, base::Errc::cluster_mismatch, base::Errc::refused,
        base::Errc::malformed, base::Errc::limit_exceeded}) {
    const auto refuse = parse_refuse(*refuse_frame(code, "why"));
    ASSERT_TRUE(refuse.ok());
    EXPECT_EQ(to_error(*refuse).code, code);
    EXPECT_EQ(to_error(*refuse).context, "why");
  }
  EXPECT_EQ(to_error({"of a later version", "why"}).code, base::Errc::refused);
}

TEST(Frame, GarbageIsParsedOrRefusedButNeverBelieved) {
  base::Random random{testing::test_seed(6)};
  const Frame hello = hello_frame(FrameKind::hello, sample_hello());
  std::size_t parsed = 0;
  for (int i = 0; i < 20'000; ++i) {
    base::Bytes frame;
    if (random.chance(0.5)) {
      frame.resize(random.below(120));
      for (std::byte& byte : frame) {
        byte = static_cast<std::byte>(random.next());
      }
    } else {
      frame = random.chance(0.5) ? sample_batch() : *hello;
      for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
        frame[random.below(frame.size())] = static_cast<std::byte>(random.next());
      }
      if (random.chance(0.3)) {
        frame.erase(frame.begin() + static_cast<std::ptrdiff_t>(random.below(frame.size())),
                    frame.end());
      }
    }
    // A copy of exactly this size, so that a sanitizer sees every byte read beyond it.
    const base::Bytes exact{frame.begin(), frame.end()};
    (void)parse_kind(exact);
    (void)parse_hello(exact);
    (void)parse_refuse(exact);
    (void)parse_goodbye(exact);
    if (const auto batch = parse_batch(exact)) {
      ++parsed;
      std::size_t bytes = 0;
      for_each_record(*batch, [&](base::ByteView record) { bytes += 4 + record.size(); });
      EXPECT_EQ(bytes + batch_header_bytes, exact.size());
    }
  }
  EXPECT_GT(parsed, 100U);
}

}  // namespace
}  // namespace troupe::transport
