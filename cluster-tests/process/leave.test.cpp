// Nodes that leave in order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "cluster-tests/process/cluster.hpp"

namespace troupe::cluster_tests {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

/// The answers of an echo to said_words(): a number a line.
std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += "word " + std::to_string(i) + "\n";
  }
  return text;
}

std::string said_words(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += "{\"text\": \"word " + std::to_string(i) + "\"}\n";
  }
  return lines;
}

class Leave : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.start_nodes(3);
    for (const std::string name : {"echo", "echo2"}) {
      const Ran ran = cluster_.troupe({"spawn", "echo", "--name", name, "--node", "n3"});
      ASSERT_EQ(ran.exit_code, 0) << ran.text();
    }
  }

  Cluster cluster_;
};

TEST_F(Leave, ATerminatedNodeHandsOverWithoutLosingAnAsk) {
  constexpr int count = 1200;
  const std::string file = cluster_.write_file("lines", said_words(count));
  std::vector<std::unique_ptr<Process>> streams;
  for (const std::string node : {"n1", "n2"}) {
    streams.push_back(cluster_.begin({"-s", cluster_.address(node), "ask", "echo", "Say",
                                      "@" + file, "--each-line", "--timeout", "20s"}));
  }
  for (const auto& stream : streams) {
    ASSERT_TRUE(stream->wait_for_text(Stream::output, "word 100\n", seconds{20}));
  }
  cluster_.node("n3").signal(SIGTERM);
  EXPECT_EQ(cluster_.node("n3").wait(seconds{20}), 0);
  for (const auto& stream : streams) {
    const Ran ran = Cluster::finish(*stream);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_TRUE(ran.out == words(count)) << "an answer is missing, doubled or out of order";
  }
  for (const std::string name : {"echo", "echo2"}) {
    EXPECT_NE(cluster_.node_of(name), "n3");
    EXPECT_EQ(cluster_.troupe({"ask", name, "Say", R"({"text": "here"})"}).out, "here\n");
  }
  const Ran status = cluster_.troupe_at("n1", {"status", "-o", "json"});
  EXPECT_EQ(size_of(at(status.json(), "members")), 2U) << status.text();
  EXPECT_EQ(cluster_.troupe({"ledger"}).exit_code, 0);
}

TEST_F(Leave, ASecondSignalStopsAtOnce) {
  Process& node = cluster_.node("n3");
  // Two different ones, delivered together: none of its threads runs in between.
  node.signal(SIGSTOP);
  node.signal(SIGTERM);
  node.signal(SIGINT);
  const base::TimePoint start = now();
  node.signal(SIGCONT);
  const auto ended = node.wait(seconds{10});
  EXPECT_THAT(ended.value_or(-1), testing::AnyOf(128 + SIGTERM, 128 + SIGINT));
  EXPECT_LT(now() - start, seconds{3});
}

TEST_F(Leave, DrainingTellsWhatMovedAndEndsTheNode) {
  const Ran ran = cluster_.troupe_at("n1", {"node", "drain", "n3"});
  EXPECT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, testing::ContainsRegex("^drained n3 in .*: 2 moved, 0 lost\n$"));
  EXPECT_EQ(cluster_.node("n3").wait(seconds{20}), 0);
  EXPECT_NE(cluster_.node_of("echo"), "n3");
  EXPECT_NE(cluster_.node_of("echo2"), "n3");

  // A node that is asked to drain itself answers before it goes.
  const Ran own = cluster_.troupe_at("n2", {"node", "drain", "n2", "-o", "json"});
  EXPECT_EQ(own.exit_code, 0) << own.text();
  EXPECT_EQ(text_of(at(own.json(), "node")), "n2");
  EXPECT_EQ(number_of(at(own.json(), "lost")), 0);
  EXPECT_EQ(cluster_.node("n2").wait(seconds{20}), 0);
  EXPECT_EQ(cluster_.troupe({"ask", "echo", "Say", R"({"text": "still here"})"}).out,
            "still here\n");
  EXPECT_EQ(cluster_.node_of("echo2"), "n1");
}

TEST_F(Leave, ADrainedNodeComesBackUnderItsName) {
  ASSERT_EQ(cluster_.troupe({"node", "drain", "n3"}).exit_code, 0);
  ASSERT_EQ(cluster_.node("n3").wait(seconds{20}), 0);
  cluster_.start("n3");
  cluster_.wait_for_nodes(3);
  const Ran spawned =
      cluster_.troupe_at("n1", {"spawn", "counter", "--name", "hits", "--node", "n3"});
  EXPECT_EQ(spawned.exit_code, 0) << spawned.text();
  EXPECT_EQ(cluster_.troupe_at("n2", {"ask", "hits", "Get"}).out, "0\n");
}

TEST_F(Leave, TwoNodesThatLeaveTogetherHandOverToTheThird) {
  ASSERT_EQ(cluster_.troupe({"spawn", "echo", "--name", "echo3", "--node", "n2"}).exit_code, 0);
  cluster_.node("n2").signal(SIGTERM);
  cluster_.node("n3").signal(SIGTERM);
  EXPECT_EQ(cluster_.node("n2").wait(seconds{25}), 0);
  EXPECT_EQ(cluster_.node("n3").wait(seconds{25}), 0);
  for (const std::string name : {"echo", "echo2", "echo3"}) {
    EXPECT_EQ(cluster_.troupe({"ask", name, "Say", R"({"text": "here"})"}).out, "here\n") << name;
    EXPECT_EQ(cluster_.node_of(name), "n1");
  }
  EXPECT_EQ(cluster_.troupe({"ask", "squares", "Square", R"({"number": 12})"}).out, "144\n");
}

TEST_F(Leave, AllNodesCanBeEndedAtOnce) {
  const base::TimePoint start = now();
  for (const std::string name : {"n1", "n2", "n3"}) {
    cluster_.node(name).signal(SIGTERM);
  }
  for (const std::string name : {"n1", "n2", "n3"}) {
    EXPECT_THAT(cluster_.node(name).wait(seconds{30}).value_or(-1), testing::AnyOf(0, 2)) << name;
  }
  EXPECT_LT(now() - start, seconds{15}) << "nobody waits until the drain timeout";
}

TEST_F(Leave, ARollingRestartLosesNoAsk) {
  constexpr int count = 4000;
  const std::string file = cluster_.write_file("lines", said_words(count));
  const auto stream = cluster_.begin({"-s", cluster_.address("n1"), "ask", "echo", "Say",
                                      "@" + file, "--each-line", "--timeout", "20s"});
  ASSERT_TRUE(stream->wait_for_text(Stream::output, "word 50\n", seconds{20}));
  for (const std::string name : {"n3", "n2"}) {
    cluster_.node(name).signal(SIGTERM);
    ASSERT_EQ(cluster_.node(name).wait(seconds{25}), 0);
    cluster_.start(name);
    const Ran joined = cluster_.troupe_at(
        name, {"wait", "--for", "ready", "--for", "nodes=3", "--timeout", "30s"});
    ASSERT_EQ(joined.exit_code, 0) << joined.text();
  }
  const Ran ran = Cluster::finish(*stream);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(ran.out == words(count)) << "an answer is missing, doubled or out of order";
}

}  // namespace
}  // namespace troupe::cluster_tests
