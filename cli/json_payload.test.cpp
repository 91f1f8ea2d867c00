#include "cli/json_payload.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/random.hpp"
#include "cli/base64.hpp"
#include "cli/json.hpp"
#include "cli/type_text.hpp"

namespace troupe::cli {
namespace {

struct Item {
  std::string id;
  std::optional<double> weight;
  TROUPE_MESSAGE(Item, id, weight)
};
struct Order {
  std::int64_t qty = 1;
  std::uint64_t big = 0;
  std::vector<Item> items;
  std::map<std::string, std::int64_t> counts;
  base::Bytes blob;
  bool paid = false;
  Item gift;
  TROUPE_MESSAGE(Order, qty, big, items, counts, blob, paid, gift)
};

Structs order_structs() {
  Structs structs;
  (void)base::schema_of<Order>(structs);
  return structs;
}

base::Result<base::Bytes> encode(std::string_view json) {
  const auto value = parse_json(json);
  if (!value.ok()) {
    return value.error();
  }
  return encode_payload(order_structs(), "Order", *value);
}

std::string error_of(std::string_view json) {
  const auto body = encode(json);
  return body.ok() ? "accepted" : body.error().context;
}

TEST(JsonPayload, IsWhatTheActorReads) {
  const auto body = encode(
      R"({"qty": -2, "big": 18446744073709551615, "items": [{"id": "a", "weight": 1},
          {"id": "b", "weight": null}], "counts": {"x": 7}, "blob": "AQI=", "paid": true})");
  ASSERT_TRUE(body.ok()) << body.error().text();
  const auto order = base::from_wire<Order>(*body);
  ASSERT_TRUE(order.ok()) << order.error().text();
  EXPECT_EQ(order->qty, -2);
  EXPECT_EQ(order->big, UINT64_MAX);
  ASSERT_EQ(order->items.size(), 2U);
  EXPECT_EQ(order->items[0].weight, 1.0);
  EXPECT_EQ(order->items[1].weight, std::nullopt);
  EXPECT_EQ(order->counts.at("x"), 7);
  EXPECT_EQ(order->blob.size(), 2U);
  EXPECT_TRUE(order->paid);
}

TEST(JsonPayload, MayLeaveFieldsOut) {
  const auto body = encode("{}");
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(base::from_wire<Order>(*body)->qty, 1);
}

TEST(JsonPayload, NamesThePlaceOfWhatDoesNotFit) {
  struct Case {
    const char* json;
    const char* error;
  };
  const Case cases[] = {
      {R"({"qty": "two"})", "/qty: expected int, got \"two\""},
      {R"({"qty": 2.5})", "/qty: expected int, got 2.5"},
      {R"({"qty": null})", "/qty: expected int, got null"},
      {R"({"qty": true})", "/qty: expected int, got true"},
      {R"({"paid": 1})", "/paid: expected bool, got 1"},
      {R"({"items": {}})", "/items: expected list<Item>, got {}"},
      {R"({"items": [{"id": "a"}, {"id": 3}]})", "/items/1/id: expected string, got 3"},
      {R"({"items": [{"weight": "x"}]})", "/items/0/weight: expected float, got \"x\""},
      {R"({"items": [7]})", "/items/0: expected Item as an object, got 7"},
      {R"({"counts": {"x": {}}})", "/counts/x: expected int, got {}"},
      {R"({"counts": []})", "/counts: expected map<int>, got []"},
      {R"({"blob": "A"})", "/blob: expected bytes as base64 text, got \"A\""},
      {R"({"quantity": 1})", "/quantity: Order has no such field"},
      {R"({"qyt": 1})", "/qyt: Order has no such field; did you mean 'qty'?"},
      {R"({"gift": {"di": "x"}})", "/gift/di: Item has no such field; did you mean 'id'?"},
      {R"(5)", "expected Order as an object, got 5"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(error_of(one.json), one.error);
  }
}

TEST(JsonPayload, ShowsALongValueByItsBeginning) {
  const std::string error = error_of(R"({"qty": ")" + std::string(1000, 'x') + R"("})");
  EXPECT_LT(error.size(), 100U);
  EXPECT_NE(error.find("…"), std::string::npos);
}

TEST(JsonPayload, ReferencesCannotBeWritten) {
  const Structs structs{{"Join", {{"who", "ref"}}}};
  const auto body = encode_payload(structs, "Join", Value::Object{{"who", "hits"}});
  ASSERT_FALSE(body.ok());
  EXPECT_EQ(body.error().context, "/who: expected ref, which only an actor can send, got \"hits\"");
}

TEST(JsonPayload, OfABrokenSchemaIsOurBug) {
  const Structs structs{{"A", {{"x", "list<"}, {"y", "Missing"}}}};
  EXPECT_EQ(encode_payload(structs, "A", Value::Object{{"x", 1}}).error().code,
            base::Errc::internal);
  EXPECT_EQ(encode_payload(structs, "A", Value::Object{{"y", Value::Object{}}}).error().code,
            base::Errc::internal);
  EXPECT_EQ(encode_payload(structs, "B", Value::Object{}).error().code, base::Errc::internal);
}

TEST(JsonPayload, IsDescribedWithTheStructsInside) {
  EXPECT_EQ(describe_struct(order_structs(), "Order"),
            R"({"qty": int, "big": int, "items": list<Item>, "counts": map<int>, "blob": bytes, )"
            R"("paid": bool, "gift": {"id": string, "weight": optional<float>}})");
}

TEST(JsonPayload, OfAStructInsideItselfIsDescribedInBounds) {
  const Structs structs{{"Tree", {{"left", "Tree"}}}};
  EXPECT_EQ(describe_struct(structs, "Tree"), R"({"left": {"left": {"left": Tree}}})");
}

TEST(JsonPayload, RepliesComeBackExactly) {
  for (const char* text : {"12", "-1", "18446744073709551615", "\"text\"", "null", "true", "1.5",
                           R"([1,[2],{"a":{}}])", R"({"id":"1","n":-9223372036854775808})"}) {
    const auto value = parse_json(text);
    ASSERT_TRUE(value.ok());
    const auto back = decode_value(encode_untyped(*value));
    ASSERT_TRUE(back.ok()) << back.error().text();
    EXPECT_EQ(to_json(*back), text);
  }
}

TEST(JsonPayload, RepliesThatAreNoMessagePackAreRefused) {
  const base::Bytes extension{std::byte{0xD4}, std::byte{1}, std::byte{2}};
  const base::Bytes twice{std::byte{1}, std::byte{2}};
  const base::Bytes number_as_key{std::byte{0x81}, std::byte{1}, std::byte{2}};
  EXPECT_FALSE(decode_value(extension).ok());
  EXPECT_EQ(decode_value(twice).error().context, "1 bytes too many");
  EXPECT_FALSE(decode_value(number_as_key).ok());
  EXPECT_FALSE(decode_value({}).ok());
  EXPECT_FALSE(decode_value(base::Bytes(100, std::byte{0x91})).ok());
}

/// A random value that fits the type.
Value random_value(const TypeText& type, base::Random& random) {
  using Kind = TypeText::Kind;
  switch (type.kind) {
    case Kind::boolean: return random.chance(0.5);
    case Kind::integer: return static_cast<std::int64_t>(random.next());
    case Kind::floating: return random.unit();
    case Kind::text: return std::string(random.below(9), 'x');
    case Kind::bytes: return to_base64(base::Bytes(random.below(9), std::byte{9}));
    case Kind::optional:
      return random.chance(0.3) ? Value{} : random_value(type.inner.at(0), random);
    case Kind::list: {
      Value::List list;
      for (std::uint64_t i = random.below(4); i > 0; --i) {
        list.push_back(random_value(type.inner.at(0), random));
      }
      return list;
    }
    case Kind::map: {
      Value::Object object;
      for (std::uint64_t i = random.below(4); i > 0; --i) {
        object.push_back({"k" + std::to_string(i), random_value(type.inner.at(0), random)});
      }
      return object;
    }
    default: return {};
  }
}

TypeText random_type(base::Random& random, int depth) {
  using Kind = TypeText::Kind;
  static constexpr Kind simple[] = {Kind::boolean, Kind::integer, Kind::floating, Kind::text,
                                    Kind::bytes};
  static constexpr Kind outer[] = {Kind::list, Kind::optional, Kind::map};
  TypeText type;
  if (depth == 0 || random.chance(0.5)) {
    type.kind = simple[random.below(5)];
  } else {
    type.kind = outer[random.below(3)];
    type.inner.push_back(random_type(random, depth - 1));
  }
  return type;
}

std::uint64_t seed_of_run() {
  const char* given = std::getenv("TROUPE_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20240613;
}

TEST(JsonPayload, WhatFitsComesBackForAnyType) {
  const std::uint64_t seed = seed_of_run();
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed));
  base::Random random{seed};
  for (int round = 0; round < 3000; ++round) {
    const TypeText type = random_type(random, 4);
    const Structs structs{{"Any", {{"field", to_string(type)}}}};
    const Value payload = Value::Object{{"field", random_value(type, random)}};
    const auto body = encode_payload(structs, "Any", payload);
    ASSERT_TRUE(body.ok()) << to_string(type) << " " << to_json(payload) << body.error().text();
    ASSERT_EQ(to_json(*decode_value(*body)), to_json(payload)) << to_string(type);
  }
}

TEST(JsonPayload, GarbageNeverCrashes) {
  const std::uint64_t seed = seed_of_run();
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed));
  base::Random random{seed};
  const std::string good =
      R"({"qty": -2, "items": [{"id": "a", "weight": 1}], "counts": {"x": 7}, "blob": "AQI="})";
  for (int round = 0; round < 5000; ++round) {
    std::string text = good;
    for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips) {
      text[random.below(text.size())] = R"({}[]",:0x)"[random.below(9)];
    }
    const auto body = encode(text);
    if (body.ok()) {
      EXPECT_TRUE(base::from_wire<Order>(*body).ok()) << text;
    } else {
      EXPECT_FALSE(body.error().context.empty()) << text;
    }
    base::Bytes bytes = encode_untyped(*parse_json(good));
    bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    (void)decode_value(bytes);
  }
}

TEST(TypeText, ReadsWhatItWrites) {
  for (const char* text : {"bool", "int", "float", "string", "bytes", "ref", "User", "list<int>",
                           "optional<list<map<User>>>"}) {
    const auto type = parse_type(text);
    ASSERT_TRUE(type.ok()) << text;
    EXPECT_EQ(to_string(*type), text);
  }
}

TEST(TypeText, RefusesWhatIsNoType) {
  for (const char* text : {"", "list", "list<", "list<>", "list<int", "list<int>>", "set<int>",
                           "int ", "<int>", "list<int>x"}) {
    if (std::string_view{text} == "list") {
      continue;  // a struct may be called so
    }
    EXPECT_FALSE(parse_type(text).ok()) << text;
  }
}

TEST(TypeText, NestingIsBounded) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) {
    deep += "list<";
  }
  EXPECT_FALSE(parse_type(deep).ok());
}

TEST(Base64, FollowsItsSpecification) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) {
    EXPECT_EQ(to_base64(base::as_bytes(plain)), coded);
    const auto back = from_base64(coded);
    ASSERT_TRUE(back) << coded;
    EXPECT_EQ(base::as_text(*back), plain);
  }
  for (const char* wrong : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Z g=", "Zm9v=", "====", "Zm-v"}) {
    EXPECT_FALSE(from_base64(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace troupe::cli
