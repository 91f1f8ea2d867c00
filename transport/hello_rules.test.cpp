#include "transport/hello_rules.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "transport/address.hpp"

namespace troupe::transport {
namespace {

Identity own() {
  return {.cluster = "shop", .id = {"n1", 5}, .address = "tcp://10.0.0.1:7400"};
}

Hello good_hello() {
  return {.cluster = "shop",
          .node = "n2",
          .incarnation = 1,
          .address = "tcp://10.0.0.2:7400",
          .role = "node",
          .lane = 0,
          .session = 1};
}

TEST(HelloRules, AcceptANodeOfTheSameCluster) {
  EXPECT_FALSE(check_hello(good_hello(), own()));
}

TEST(HelloRules, AcceptAClientThatNamesNoCluster) {
  EXPECT_FALSE(check_hello({.node = "cli", .role = "client", .lane = 2, .session = 1}, own()));
}

TEST(HelloRules, RefuseWithACodeAndASentence) {
  struct Row {
    std::function<void(Hello&)> change;
    base::Errc code;
    std::string text;
  };
  const std::vector<Row> rows{
      {[](Hello& h) { h.version_min = h.version_max = 2; }, base::Errc::version_mismatch,
       "this node speaks protocol version 1, you speak 2 to 2"},
      {[](Hello& h) { h.version_min = h.version_max = 0; }, base::Errc::version_mismatch,
       "this node speaks protocol version 1, you speak 0 to 0"},
      {[](Hello& h) { h.cluster = "shop2"; }, base::Errc::cluster_mismatch,
       "cluster name is 'shop', you said 'shop2'"},
      {[](Hello& h) { h.cluster = ""; }, base::Errc::cluster_mismatch,
       "cluster name is 'shop', you said ''"},
      {[](Hello& h) { h.node = ""; }, base::Errc::malformed, "name ''"},
      {[](Hello& h) { h.node = "a b"; }, base::Errc::malformed, "name 'a b'"},
      {[](Hello& h) { h.node = std::string(65, 'a'); }, base::Errc::malformed, "1 to 64"},
      {[](Hello& h) { h.role = "king"; }, base::Errc::malformed, "neither 'node' nor 'client'"},
      {[](Hello& h) { h.lane = 2; }, base::Errc::malformed, "lane 2"},
      {[](Hello& h) { h.role = "client"; }, base::Errc::malformed, "lane 0"},
      {[](Hello& h) { h.session = 0; }, base::Errc::malformed, "session is 0"},
      {[](Hello& h) { h.node = "n1"; }, base::Errc::refused, "give one of the two another name"},
      {[](Hello& h) { h.address = ""; }, base::Errc::malformed, "tcp://"},
      {[](Hello& h) { h.address = "10.0.0.2:7400"; }, base::Errc::malformed, "tcp://"},
      {[](Hello& h) { h.address = "tcp://0.0.0.0:7400"; }, base::Errc::refused,
       "you advertise 0.0.0.0, where nobody can reach you"},
      {[](Hello& h) { h.address = "tcp://*:7400"; }, base::Errc::refused, "you advertise *"},
      {[](Hello& h) { h.address = "tcp://10.0.0.2:0"; }, base::Errc::refused, "port 0"},
  };
  for (const Row& row : rows) {
    Hello hello = good_hello();
    row.change(hello);
    const auto error = check_hello(hello, own());
    ASSERT_TRUE(error) << row.text;
    EXPECT_EQ(error->code, row.code) << error->text();
    EXPECT_NE(error->context.find(row.text), std::string::npos) << error->text();
  }
}

TEST(Incarnations, OnlyGrowAndNeverComeBackFromTheDead) {
  Incarnations incarnations;
  EXPECT_FALSE(incarnations.check({"n2", 5}));
  incarnations.note_up({"n2", 5});
  EXPECT_FALSE(incarnations.check({"n2", 5}));
  EXPECT_FALSE(incarnations.check({"n2", 6}));
  EXPECT_FALSE(incarnations.check({"n3", 1}));
  ASSERT_TRUE(incarnations.check({"n2", 4}));
  EXPECT_EQ(incarnations.check({"n2", 4})->context, "n2#4 was replaced by incarnation 5");
  incarnations.note_down({"n2", 5});
  ASSERT_TRUE(incarnations.check({"n2", 5}));
  EXPECT_EQ(incarnations.check({"n2", 5})->code, base::Errc::refused);
  incarnations.note_up({"n2", 5});
  EXPECT_TRUE(incarnations.check({"n2", 5}));
  incarnations.note_up({"n2", 6});
  EXPECT_FALSE(incarnations.check({"n2", 6}));
  incarnations.note_down({"n2", 5});
  EXPECT_FALSE(incarnations.check({"n2", 6}));
  incarnations.note_down({"n4", 9});
  EXPECT_TRUE(incarnations.check({"n4", 8}));
}

TEST(Address, IsTakenApartOrSaysWhatIsWrong) {
  const auto address = parse_address("tcp://worker-1.local:7400");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->host, "worker-1.local");
  EXPECT_EQ(address->port, 7400);
  EXPECT_EQ(address->text(), "tcp://worker-1.local:7400");
  EXPECT_TRUE(parse_address("tcp://*:0")->is_wildcard());
  EXPECT_TRUE(parse_address("tcp://0.0.0.0:7400")->is_wildcard());
  for (const char* bad :
       {"", "tcp", "tcp://", "tcp://:1", "tcp://a", "tcp://a:", "tcp://a:x", "tcp://a:65536",
        "tcp://a:-1", "tcp://a:1 ", "udp://a:1", "tcp://a/b:1", "tcp://a;b:1"}) {
    const auto parsed = parse_address(bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_NE(parsed.error().context.find("tcp://127.0.0.1:7400"), std::string::npos);
  }
}

}  // namespace
}  // namespace troupe::transport
