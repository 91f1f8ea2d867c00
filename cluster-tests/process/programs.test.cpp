// What the programs offer besides messages: plugins, HTTP, logs, and the cluster for trying out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>

#include "cli/json.hpp"
#include "cluster-tests/process/cluster.hpp"
#include "cluster-tests/process/tcp.hpp"

namespace troupe::cluster_tests {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

TEST(Plugin, BringsAKindThatOtherNodesCanSpawnAndAsk) {
  Cluster cluster;
  cluster.start("n1");
  cluster.start("n2", {"--load", TROUPE_TEST_PLUGIN});
  cluster.wait_for_nodes(2);
  const Ran spawned = cluster.troupe_at("n1", {"spawn", "greeter", "--name", "hello", "--node",
                                               "n2", "--args", R"({"greeting": "Good morning"})"});
  ASSERT_EQ(spawned.exit_code, 0) << spawned.text();
  for (const std::string node : {"n1", "n2"}) {
    const Ran ran = cluster.troupe_at(node, {"ask", "hello", "Greet", R"({"name": "Ada"})"});
    EXPECT_EQ(ran.out, "Good morning, Ada!\n") << "at " << node << ": " << ran.text();
  }
  const Ran refused = cluster.troupe_at("n1", {"ask", "hello", "Greet", R"({"name": ""})"});
  EXPECT_EQ(refused.exit_code, 1) << refused.text();
  EXPECT_THAT(refused.err, HasSubstr("whom shall I greet?"));
  const Ran wrong = cluster.troupe_at("n1", {"ask", "hello", "Greet", R"({"nam": "Ada"})"});
  EXPECT_EQ(wrong.exit_code, 65) << "its fields are known where its kind is not\n" << wrong.text();
  EXPECT_THAT(wrong.err, HasSubstr("/nam"));
}

TEST(Http, ServesHealthAndMetrics) {
  Cluster cluster;
  const std::uint16_t port = 18'400;
  const std::string address = cluster.host() + ":" + std::to_string(port);
  cluster.start("n1", {"--http", address});
  const Ran ready = cluster.troupe({"wait", "--for", "ready"});
  ASSERT_EQ(ready.exit_code, 0) << ready.text();
  const auto get = [&](const std::string& path) {
    return http_get(cluster.host(), port, path, address);
  };
  EXPECT_EQ(get("/livez").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(get("/").status, 404);
  const HttpReply metrics = get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, testing::ContainsRegex("# TYPE troupe_[a-z_]+_total counter"));
  EXPECT_EQ(http_get(cluster.host(), port, "/metrics", "evil.example.org").status, 403)
      << "a web page must not read it through a browser";

  const std::string other = cluster.host() + ":" + std::to_string(port + 1);
  cluster.start("n3", {"--http", other, "--seeds", "tcp://" + cluster.host() + ":1"});
  ASSERT_TRUE(cluster.node("n3").wait_for_text(Stream::errors, " listens on ", seconds{20}));
  EXPECT_EQ(http_get(cluster.host(), port + 1, "/livez", other).status, 200);
  const HttpReply alone = http_get(cluster.host(), port + 1, "/readyz", other);
  EXPECT_EQ(alone.status, 503);
  EXPECT_NE(alone.body, "\n") << "it says why";
}

TEST(Log, IsJsonLinesOffATerminalAndTextIfAskedFor) {
  Cluster cluster;
  cluster.start_nodes(1);
  std::istringstream lines{cluster.node("n1").text(Stream::errors)};
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto event = cli::parse_json(line);
    ASSERT_TRUE(event.ok()) << line;
    EXPECT_EQ(text_of(at(*event, "node")), "n1");
    EXPECT_NE(text_of(at(*event, "message")), "");
  }
  EXPECT_GT(count, 0);
  EXPECT_EQ(cluster.node("n1").text(Stream::output), "");
  cluster.start("n2", {"--log-format", "text"});
  ASSERT_TRUE(cluster.node("n2").wait_for_text(Stream::errors, " listens on ", seconds{20}));
  EXPECT_NE(cluster.node("n2").text(Stream::errors)[0], '{');
}

std::vector<pid_t> children_of(pid_t process) {
  const std::string id = std::to_string(process);
  std::ifstream file{"/proc/" + id + "/task/" + id + "/children"};
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) {
    children.push_back(child);
  }
  return children;
}

TEST(Dev, RunsAClusterUntilItIsInterrupted) {
  Cluster cluster;
  Process dev{{.words = {TROUPE_TEST_TROUPE, "dev", "--nodes", "3"},
               .files = cluster.folder() + "/dev",
               .directory = cluster.folder()}};
  ASSERT_TRUE(dev.wait_for_text(Stream::output, "ctrl-c ends it", seconds{40}))
      << dev.text(Stream::output) << dev.text(Stream::errors);
  const std::string greeting = dev.text(Stream::output);
  std::smatch first;
  ASSERT_TRUE(std::regex_search(greeting, first, std::regex{"n1  (tcp://[0-9.]+:[0-9]+)"}))
      << greeting;
  const std::string server = first[1];
  EXPECT_EQ(cluster.troupe({"-s", server, "send", "hits", "Increment", R"({"by": 2})"}).exit_code,
            0);
  EXPECT_EQ(cluster.troupe({"-s", server, "ask", "hits", "Get"}).out, "2\n");
  EXPECT_EQ(size_of(cluster.troupe({"-s", server, "node", "ls", "-o", "json"}).json()), 3U);

  const std::vector<pid_t> nodes = children_of(dev.id());
  EXPECT_EQ(nodes.size(), 3U);
  dev.signal(SIGINT);
  EXPECT_EQ(dev.wait(seconds{40}), 0) << dev.text(Stream::errors);
  for (const pid_t node : nodes) {
    EXPECT_NE(::kill(node, 0), 0) << "a node outlived its cluster";
  }
}

}  // namespace
}  // namespace troupe::cluster_tests
