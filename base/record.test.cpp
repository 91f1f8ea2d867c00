#include "base/record.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/random.hpp"

namespace troupe::base {
namespace {

Record full() {
  return {.kind = RecordKind::message,
          .by_name = true,
          .wants_receipt = true,
          .type = 0x01020304,
          .shape = 0x05060708,
          .target = 0,
          .sender = 0x1112131415161718,
          .request = 0x2122232425262728,
          .deadline_us = 5'000'000,
          .name = "hits",
          .body = as_bytes("body")};
}

Bytes encoded(const Record& record) {
  Bytes out;
  encode_record(record, out);
  return out;
}

void expect_same(const Record& a, const Record& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.by_name, b.by_name);
  EXPECT_EQ(a.wants_receipt, b.wants_receipt);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.target, b.target);
  EXPECT_EQ(a.sender, b.sender);
  EXPECT_EQ(a.request, b.request);
  EXPECT_EQ(a.deadline_us, b.deadline_us);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(as_text(a.body), as_text(b.body));
}

std::string refusal_of(ByteView bytes) {
  const auto record = decode_record(bytes);
  return record.ok() ? "accepted" : record.error().context;
}

TEST(Record, ComesBackAsItWasSent) {
  const Bytes bytes = encoded(full());
  const auto back = decode_record(bytes);
  ASSERT_TRUE(back.ok()) << back.error().text();
  expect_same(*back, full());
}

TEST(Record, WithoutOptionalPartsIsHeaderAndBody) {
  const Record record{.kind = RecordKind::reply, .type = 1, .target = 9, .body = as_bytes("x")};
  const Bytes bytes = encoded(record);
  EXPECT_EQ(bytes.size(), record_header_bytes + 1);
  const auto back = decode_record(bytes);
  ASSERT_TRUE(back.ok());
  expect_same(*back, record);
}

TEST(Record, LiesAsTheWireProtocolSays) {
  const Bytes bytes = encoded(full());
  const auto at = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  EXPECT_EQ(at(0), 1);
  EXPECT_EQ(at(1), 31);
  EXPECT_EQ(get_fixed<std::uint16_t>(&bytes[2]), 0);
  EXPECT_EQ(get_fixed<std::uint32_t>(&bytes[4]), 0x01020304U);
  EXPECT_EQ(get_fixed<std::uint32_t>(&bytes[8]), 0x05060708U);
  EXPECT_EQ(get_fixed<std::uint32_t>(&bytes[12]), 0U);
  EXPECT_EQ(get_fixed<std::uint64_t>(&bytes[16]), 0U);
  EXPECT_EQ(get_fixed<std::uint64_t>(&bytes[24]), 0x1112131415161718U);
  EXPECT_EQ(get_fixed<std::uint64_t>(&bytes[32]), 0x2122232425262728U);
  EXPECT_EQ(get_fixed<std::uint64_t>(&bytes[40]), 5'000'000U);
  EXPECT_EQ(at(48), 4);
  EXPECT_EQ(as_text(ByteView{bytes}.subspan(49)), "hitsbody");
}

TEST(Record, IsAppendedToWhatIsThere) {
  Bytes out{std::byte{7}};
  encode_record_header(full(), out);
  EXPECT_EQ(out.front(), std::byte{7});
  const auto back = decode_record(ByteView{out}.subspan(1));
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->body.empty());
}

TEST(Record, TellsADeadlineOfZeroFromNone) {
  Record record = full();
  record.deadline_us = 0;
  Bytes bytes = encoded(record);
  EXPECT_EQ(decode_record(bytes)->deadline_us, std::optional<std::uint64_t>{0});
  record.deadline_us.reset();
  bytes = encoded(record);
  EXPECT_EQ(decode_record(bytes)->deadline_us, std::nullopt);
}

TEST(Record, CarriesTheLongestName) {
  Record record = full();
  const std::string name(record_name_bytes_max, 'n');
  record.name = name;
  const Bytes bytes = encoded(record);
  const auto back = decode_record(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->name, name);
}

TEST(Record, WithALongerNameIsABug) {
  Record record = full();
  const std::string name(record_name_bytes_max + 1, 'n');
  record.name = name;
  EXPECT_DEATH(encoded(record), "name longer");
}

TEST(Record, RefusesEveryTruncationOfItsHeader) {
  const Bytes whole = encoded(full());
  const std::size_t header = whole.size() - full().body.size();
  for (std::size_t size = 0; size < header; ++size) {
    EXPECT_FALSE(decode_record(ByteView{whole}.first(size)).ok()) << size;
  }
}

TEST(Record, RefusesWhatTheProtocolDoesNotKnow) {
  const Bytes good = encoded(full());
  struct Case {
    std::size_t at;
    int value;
    const char* refusal;
  };
  const Case cases[] = {
      {0, 0, "unknown kind of record"},
      {0, 11, "unknown kind of record"},
      {1, 32, "unknown flag of a record"},
      {1, 128, "unknown flag of a record"},
      {1, 16, "receipt wanted without a request number"},
      {16, 1, "target is neither a number nor a name"},
      {48, 0, "target is neither a number nor a name"},
      {48, 200, "record ends inside its target's name"},
  };
  for (const auto& one : cases) {
    Bytes bytes = good;
    bytes[one.at] = static_cast<std::byte>(one.value);
    EXPECT_EQ(refusal_of(bytes), one.refusal) << one.at << " " << one.value;
  }
}

TEST(Record, RefusesARequestNumberOfZero) {
  Bytes bytes = encoded(full());
  for (std::size_t i = 32; i < 40; ++i) {
    bytes[i] = std::byte{0};
  }
  EXPECT_EQ(refusal_of(bytes), "request number 0");
}

TEST(Record, GarbageNeverCrashesAndWhatIsReadCanBeWritten) {
  const char* given = std::getenv("TROUPE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20240612;
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed));
  Random random{seed};
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = encoded(full());
    for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    bytes.resize(random.chance(0.2) ? random.below(bytes.size()) : bytes.size());
    const auto record = decode_record(bytes);
    if (!record.ok()) {
      EXPECT_EQ(record.error().code, Errc::malformed);
      continue;
    }
    const Bytes again = encoded(*record);
    const auto back = decode_record(again);
    ASSERT_TRUE(back.ok());
    expect_same(*back, *record);
  }
}

}  // namespace
}  // namespace troupe::base
