#include "base/message.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/schema.hpp"

namespace troupe::base {
namespace {

struct Empty {
  TROUPE_MESSAGE(Empty)
};
struct Inner {
  std::string id;
  std::optional<double> weight;
  bool operator==(const Inner&) const = default;
  TROUPE_MESSAGE(Inner, id, weight)
};
struct Outer {
  std::int64_t number = 7;
  std::uint8_t small = 0;
  std::vector<Inner> inners;
  std::map<std::string, std::int32_t> counts;
  Bytes blob;
  bool flag = false;
  bool operator==(const Outer&) const = default;
  TROUPE_MESSAGE(Outer, number, small, inners, counts, blob, flag)
};
struct OuterOfOldNode {
  std::int64_t number = 7;
  TROUPE_MESSAGE(Outer, number)
};

Outer sample() {
  return {.number = -5,
          .small = 200,
          .inners = {{"a", 1.5}, {"b", std::nullopt}},
          .counts = {{"x", -1}, {"y", 70000}},
          .blob = {std::byte{1}, std::byte{2}},
          .flag = true};
}

TEST(Message, ComesBackAsItWasSent) {
  const auto back = from_wire<Outer>(to_wire(sample()));
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(*back, sample());
}

TEST(Message, IsAlsoReadFromAMapByName) {
  Bytes out;
  WireWriter writer{out};
  writer.by_name = true;
  wire_encode(writer, sample());
  const auto back = from_wire<Outer>(out);
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(*back, sample());
}

TEST(Message, OfAnOldNodeLeavesNewFieldsAtTheirDefault) {
  const auto back = from_wire<Outer>(to_wire(OuterOfOldNode{.number = 9}));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, (Outer{.number = 9}));
}

TEST(Message, OfANewNodeIsReadByAnOldOne) {
  const auto back = from_wire<OuterOfOldNode>(to_wire(sample()));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->number, -5);
}

TEST(Message, WithoutFieldsIsAnEmptyList) {
  EXPECT_EQ(to_wire(Empty{}), Bytes{std::byte{0x90}});
  EXPECT_TRUE(from_wire<Empty>(to_wire(Empty{})).ok());
}

TEST(Message, ErrorNamesThePlaceAndTheTypes) {
  Bytes out;
  WireWriter writer{out};
  writer.map(1);
  writer.text("inners");
  writer.array(1);
  writer.map(1);
  writer.text("id");
  writer.unsigned_integer(3);
  const auto back = from_wire<Outer>(out);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().context, "/inners/0/id: expected string, got int");
}

TEST(Message, RefusesNumbersOutOfRange) {
  Bytes out;
  WireWriter writer{out};
  writer.array(2);
  writer.unsigned_integer(1);
  writer.unsigned_integer(256);
  const auto back = from_wire<Outer>(out);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().context, "/small: expected int between 0 and 255");
}

TEST(Message, RefusesBytesThatAreLeftOver) {
  Bytes out = to_wire(sample());
  out.push_back(std::byte{0});
  EXPECT_EQ(from_wire<Outer>(out).error().context, "1 bytes too many");
}

TEST(Message, RefusesEveryTruncation) {
  const Bytes whole = to_wire(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(from_wire<Outer>(ByteView{whole}.first(size)).ok()) << size;
  }
}

TEST(Message, DeclaredLengthsAllocateNothing) {
  // An array32 that declares four thousand million elements in five bytes.
  const Bytes bomb{std::byte{0xDD}, std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF},
                   std::byte{0xFF}};
  EXPECT_FALSE(from_wire<std::vector<std::int64_t>>(bomb).ok());
}

TEST(Message, NestingIsBounded) {
  const Bytes deep(100, std::byte{0x91});
  WireReader reader{deep};
  EXPECT_FALSE(reader.skip());
  EXPECT_EQ(reader.error().context, "expected at most 16 nested levels");
}

TEST(Message, GarbageNeverCrashes) {
  const std::uint64_t seed = 20240611;
  SCOPED_TRACE(seed);
  Random random{seed};
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = to_wire(sample());
    for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    const auto back = from_wire<Outer>(bytes);
    if (!back.ok()) {
      EXPECT_FALSE(back.error().context.empty());
    }
  }
}

TEST(Schema, DescribesFieldsAndStructs) {
  std::vector<StructSchema> structs;
  EXPECT_EQ(schema_of<Outer>(structs), "Outer");
  ASSERT_EQ(structs.size(), 2U);
  EXPECT_EQ(structs[0].fields[2].type, "list<Inner>");
  EXPECT_EQ(structs[0].fields[3].type, "map<int>");
  EXPECT_EQ(structs[0].fields[4].type, "bytes");
  EXPECT_EQ(structs[1].fields[1].type, "optional<float>");
}

struct Picture {
  std::vector<int> pixels;
};

}  // namespace

template <>
struct WireCodec<Picture> {
  static std::string_view schema() { return "picture"; }
  static void encode(WireWriter& out, const Picture&) { out.nil(); }
  static bool decode(WireReader& in, Picture&) { return in.nil(); }
  static std::size_t held_bytes(const Picture& picture) {
    return picture.pixels.size() * sizeof(int);
  }
};

namespace {

TEST(Message, CodecSaysWhatItsValuesHold) {
  const std::vector<Picture> pictures{{{1, 2, 3}}, {{4}}};
  EXPECT_EQ(held_bytes(pictures), 2 * sizeof(Picture) + 4 * sizeof(int));
}

TEST(Schema, FingerprintTellsShapesApart) {
  EXPECT_NE(fingerprint_of<Outer>(), fingerprint_of<OuterOfOldNode>());
  EXPECT_EQ(fingerprint_of<Outer>(), fingerprint_of<Outer>());
}

}  // namespace
}  // namespace troupe::base
