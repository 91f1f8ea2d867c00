#include "cli/json.hpp"

#include <gtest/gtest.h>

#include "cli/yaml.hpp"

namespace troupe::cli {
namespace {

std::string error_of(std::string_view text) {
  const auto value = parse_json(text);
  return value.ok() ? "accepted" : value.error().context;
}

TEST(Json, ComesBackAsItWasRead) {
  for (const char* text :
       {"null", "true", "-5", "2.5", "\"two\"", "[]", "{}", R"({"b":1,"a":[1,{"c":null}],"d":"ü"})",
        "[[[[1]]]]", "9223372036854775807", "-9223372036854775808", "18446744073709551615"}) {
    const auto value = parse_json(text);
    ASSERT_TRUE(value.ok()) << text << ": " << value.error().context;
    EXPECT_EQ(to_json(*value), text);
  }
}

TEST(Json, KeepsTheOrderOfFields) {
  const auto value = parse_json(R"({"z": 1, "a": 2})");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->object()->front().name, "z");
}

TEST(Json, RefusesIntegersBeyond64BitsByTheirPlace) {
  EXPECT_EQ(error_of(R"({"a": [1, 18446744073709551616]})"),
            "/a/1: expected an int of at most 64 bits, got 18446744073709551616");
}

TEST(Json, RefusesAFieldGivenTwice) {
  EXPECT_EQ(error_of(R"({"by": 1, "by": 2})"), "/by: given twice");
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_EQ(error_of(std::string(16, '[') + std::string(16, ']')), "accepted");
  EXPECT_NE(error_of(std::string(17, '[') + std::string(17, ']')).find("at most 16 nested levels"),
            std::string::npos);
  EXPECT_NE(error_of(std::string(1000000, '[')), "accepted");
}

TEST(Json, SaysWhereATextIsNotJson) {
  EXPECT_NE(error_of(R"({"by": x})").find("line 1, column 8"), std::string::npos)
      << error_of(R"({"by": x})");
  EXPECT_NE(error_of(""), "accepted");
  EXPECT_NE(error_of("{} {}"), "accepted");
  EXPECT_NE(error_of("{'by': 1}"), "accepted");
}

TEST(Json, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(to_json(Value{std::string{"a\xFFz"}}), "\"a\xEF\xBF\xBDz\"");
}

TEST(Json, IsIndentedOnRequest) {
  EXPECT_EQ(to_json(Value{Value::Object{{"a", 1}}}, JsonStyle::indented), "{\n  \"a\": 1\n}");
}

TEST(Yaml, WritesBlocks) {
  const auto value = parse_json(
      R"({"cluster": "demo", "ready": true, "members": [{"name": "n1", "labels": []}], "none": {}})");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(to_yaml(*value),
            "cluster: demo\n"
            "ready: true\n"
            "members:\n"
            "  -\n"
            "    name: n1\n"
            "    labels: []\n"
            "none: {}\n");
}

TEST(Yaml, QuotesWhatWouldBeReadAsSomethingElse) {
  for (const char* text :
       {"no", "True", "12", "", "a: b", "tcp://x:1", "- x", "null", "a\nb", "ü"}) {
    EXPECT_EQ(to_yaml(Value{text}).front(), '"') << text;
  }
  EXPECT_EQ(to_yaml(Value{"n1.local"}), "n1.local\n");
}

TEST(Value, KeepsLargeNumbersApart) {
  EXPECT_EQ(Value{std::uint64_t{5}}, Value{std::int64_t{5}});
  EXPECT_EQ(Value{UINT64_MAX}.kind_name(), "int");
  EXPECT_NE(Value{UINT64_MAX}, Value{std::int64_t{-1}});
}

}  // namespace
}  // namespace troupe::cli
