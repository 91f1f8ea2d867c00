// What the command line prints of a healthy cluster.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster-tests/process/cluster.hpp"

namespace troupe::cluster_tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Commands : public testing::Test {
 protected:
  void SetUp() override { cluster_.start_nodes(3); }

  /// Runs `troupe`, which must succeed, and gives its JSON.
  cli::Value json(Words words) {
    words.insert(words.end(), {"-o", "json"});
    const Ran ran = cluster_.troupe(words);
    EXPECT_EQ(ran.exit_code, 0) << words[0] << ": " << ran.text();
    return ran.json();
  }
  /// Runs `troupe`, which must succeed and complain of nothing, and gives what it printed.
  std::string out(const Words& words) {
    const Ran ran = cluster_.troupe(words);
    EXPECT_EQ(ran.exit_code, 0) << words[0] << ": " << ran.text();
    EXPECT_EQ(ran.err, "");
    return ran.out;
  }

  Cluster cluster_;
};

TEST_F(Commands, AskANamedActorFromEveryNode) {
  EXPECT_EQ(out({"spawn", "counter", "--name", "hits", "--node", "n2"}),
            "spawned hits (counter) on n2\n");
  EXPECT_EQ(out({"send", "hits", "Increment", R"({"by": 15})"}), "");
  EXPECT_EQ(out({"send", "hits", "Decrement", R"({"by": 3})"}), "");
  for (const std::string node : {"n1", "n2", "n3"}) {
    const Ran ran = cluster_.troupe_at(node, {"ask", "hits", "Get"});
    EXPECT_EQ(ran.out, "12\n") << "at " << node << ": " << ran.text();
    EXPECT_EQ(ran.exit_code, 0);
  }
  const cli::Value where = json({"where", "hits"});
  EXPECT_EQ(text_of(at(where, "name")), "hits");
  EXPECT_EQ(text_of(at(where, "kind")), "counter");
  EXPECT_EQ(text_of(at(where, "node")), "n2");
  EXPECT_EQ(text_of(at(where, "state")), "running");
  EXPECT_GT(number_of(at(where, "epoch")), 0);
  EXPECT_GT(number_of(at(where, "actor")), 0);
  const cli::Value why = json({"why", "hits"});
  EXPECT_EQ(text_of(at(why, "state")), "idle") << "asked of its node by another one";
  EXPECT_EQ(text_of(at(at(why, "where"), "node")), "n2");
  EXPECT_EQ(number_of(at(why, "mailbox_messages")), 0);
  EXPECT_EQ(out({"send", "hits", "Increment", "-o", "json"}),
            "{\n  \"outcome\": \"accepted\"\n}\n");
  EXPECT_EQ(out({"ask", "hits", "Get", "-o", "json"}), "13\n") << "the default of `by` is 1";

  const cli::Value names = json({"ls"});
  EXPECT_EQ(text_of(at(find_in(names, "name", "hits"), "node")), "n2");
  EXPECT_EQ(text_of(at(find_in(names, "name", "squares"), "kind")), "squares");
  EXPECT_EQ(out({"ls", "-o", "name"}), "hits\nsquares\n");
  EXPECT_EQ(out({"stop", "hits"}), "stopped hits on n2\n");
  EXPECT_EQ(cluster_.troupe({"ask", "hits", "Get"}).exit_code, 68);
}

TEST_F(Commands, KeepAUserDirectory) {
  out({"spawn", "users", "--name", "people"});
  const cli::Value ada = json({"ask", "people", "Create", R"({"name": "Ada", "email": "a@b.c"})"});
  const std::string id = text_of(at(ada, "id"));
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(text_of(at(ada, "name")), "Ada");
  const std::string with_id = R"({"id": ")" + id + R"("})";
  const cli::Value changed =
      json({"ask", "people", "Update", R"({"id": ")" + id + R"(", "email": "ada@b.c"})"});
  EXPECT_EQ(text_of(at(changed, "name")), "Ada") << "what is not given stays";
  EXPECT_EQ(text_of(at(changed, "email")), "ada@b.c");
  EXPECT_EQ(text_of(at(json({"ask", "people", "Get", with_id}), "email")), "ada@b.c");
  EXPECT_EQ(out({"ask", "people", "Delete", with_id}), "{\"deleted\":true}\n");
  for (const std::string message : {"Get", "Update", "Delete"}) {
    const Ran ran = cluster_.troupe({"ask", "people", message, with_id});
    EXPECT_EQ(ran.exit_code, 1) << message << ": " << ran.text();
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, StartsWith("error: user not found\n"));
  }
}

TEST_F(Commands, EchoAndSquare) {
  out({"spawn", "echo", "--name", "echo", "--node", "n3"});
  EXPECT_EQ(out({"ask", "echo", "Say", R"({"text": "Größe \"1\""})"}), "Größe \"1\"\n");
  const std::string lines = cluster_.write_file(
      "lines", "{\"number\": 1}\n{\"number\": -12}\n\n{\"number\": 3000000000}\n");
  EXPECT_EQ(out({"ask", "squares", "Square", "@" + lines, "--each-line"}),
            "1\n144\n9000000000000000000\n");
  const Ran too_big = cluster_.troupe({"ask", "squares", "Square", R"({"number": 4000000000})"});
  EXPECT_EQ(too_big.exit_code, 1) << too_big.text();
}

TEST_F(Commands, ShowTheCluster) {
  const cli::Value status = json({"status"});
  EXPECT_EQ(text_of(at(status, "cluster")), "troupe");
  EXPECT_EQ(at(status, "ready"), cli::Value{true});
  EXPECT_GT(number_of(at(status, "epoch")), 0);
  const cli::Value members = at(status, "members");
  ASSERT_EQ(size_of(members), 3U);
  for (const std::string name : {"n1", "n2", "n3"}) {
    const cli::Value member = find_in(members, "name", name);
    EXPECT_EQ(text_of(at(member, "state")), "up") << name;
    EXPECT_EQ(text_of(at(member, "address")), cluster_.address(name));
    EXPECT_GT(number_of(at(member, "incarnation")), 0);
    EXPECT_GE(number_of(at(member, "uptime_ms")), 0) << name << " did not tell its figures";
  }
  const std::string table = out({"status"});
  EXPECT_THAT(table, StartsWith("cluster troupe   ready   3/3 nodes   epoch "));
  EXPECT_THAT(table, HasSubstr("\nNODE  STATE  ADDRESS"));
  EXPECT_EQ(size_of(json({"node", "ls"})), 3U);
  EXPECT_EQ(out({"node", "ls", "-o", "name"}), "n1\nn2\nn3\n");

  EXPECT_EQ(out({"health"}), "ready\n");
  EXPECT_EQ(out({"health", "--live"}), "live\n");
  EXPECT_EQ(out({"health", "--ready", "-q"}), "");
  EXPECT_EQ(at(json({"health"}), "ready"), cli::Value{true});

  const cli::Value counter = at(json({"types", "counter"}), 0);
  const cli::Value get = find_in(at(counter, "messages"), "name", "Get");
  EXPECT_EQ(text_of(at(get, "reply")), "int");
  EXPECT_EQ(out({"types", "-o", "name"}), "counter\necho\nsquare\nsquares\nusers\n");
  EXPECT_THAT(out({"version"}), StartsWith("troupe "));
}

TEST_F(Commands, AccountForEveryMessage) {
  out({"spawn", "counter", "--name", "hits", "--node", "n1"});
  std::string lines;
  for (int i = 0; i < 200; ++i) {
    lines += "{}\n";
  }
  const std::string file = cluster_.write_file("lines", lines);
  EXPECT_EQ(
      cluster_.troupe_at("n3", {"send", "hits", "Increment", "@" + file, "--each-line"}).exit_code,
      0);
  EXPECT_EQ(cluster_.troupe_at("n2", {"ask", "hits", "Get"}).out, "200\n");
  const cli::Value ledger = json({"ledger"});
  EXPECT_EQ(at(ledger, "balanced"), cli::Value{true});
  ASSERT_EQ(size_of(at(ledger, "nodes")), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const cli::Value node = at(at(ledger, "nodes"), i);
    EXPECT_EQ(at(node, "balanced"), cli::Value{true}) << text_of(at(node, "node"));
    EXPECT_EQ(size_of(at(node, "dead")), 0U) << text_of(at(node, "node"));
  }
  EXPECT_GE(number_of(at(find_in(at(ledger, "nodes"), "node", "n1"), "delivered")), 200);
}

}  // namespace
}  // namespace troupe::cluster_tests
