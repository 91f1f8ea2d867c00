// Mistakes of whoever uses the programs: each ends with its exit code, says what, why and what to
// do, and leaves the cluster as it was.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "cluster-tests/process/cluster.hpp"

namespace troupe::cluster_tests {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

struct Mistake {
  Words words;
  ExitCode exit_code;
  std::vector<std::string> says;  ///< all of it, on standard error
};

void expect_mistake(const Ran& ran, const Mistake& mistake) {
  std::string command;
  for (const auto& word : mistake.words) {
    command += " " + word;
  }
  EXPECT_EQ(ran.exit_code, mistake.exit_code) << command << "\n" << ran.text();
  EXPECT_EQ(ran.out, "") << command;
  for (const auto& text : mistake.says) {
    EXPECT_THAT(ran.err, HasSubstr(text)) << command;
  }
}

class BadInput : public testing::Test {
 protected:
  void SetUp() override { cluster_.start_nodes(2); }

  /// The cluster has the same two lives, and its counter answers.
  void expect_undisturbed() {
    EXPECT_EQ(cluster_.running(), (Words{"n1", "n2"}));
    const Ran status = cluster_.troupe_at("n2", {"status", "-o", "json"});
    const cli::Value members = at(status.json(), "members");
    EXPECT_EQ(size_of(members), 2U) << status.text();
    EXPECT_EQ(text_of(at(find_in(members, "name", "n1"), "state")), "up") << status.text();
  }

  Cluster cluster_;
};

TEST_F(BadInput, OfTheCommandLineIsToldWithItsExitCode) {
  ASSERT_EQ(cluster_.troupe({"spawn", "counter", "--name", "hits", "--node", "n2"}).exit_code, 0);
  const std::string missing = cluster_.folder() + "/missing.json";
  const std::vector<Mistake> mistakes{
      {{"ask", "hist", "Get"},
       68,
       {"no actor 'hist' in the cluster (2 nodes asked)", "did you mean 'hits'?"}},
      {{"send", "nobody", "Get"}, 68, {"no actor 'nobody'", "troupe ls"}},
      {{"where", "hitz"}, 68, {"no actor 'hitz'", "did you mean 'hits'?"}},
      {{"why", "hitz"}, 68, {"no actor 'hitz'", "did you mean 'hits'?"}},
      {{"stop", "nobody"}, 68, {"no actor 'nobody'"}},
      {{"ask", "hits", "Git"},
       68,
       {"'hits' does not understand 'Git'", "Increment", "did you mean 'Get'?"}},
      {{"ask", "hits", "Increment"}, 64, {"has no reply", "troupe send hits Increment"}},
      {{"send", "hits", "Increment", R"({"bye": 2})"}, 65, {"/bye", "nothing was sent"}},
      {{"send", "hits", "Increment", R"({"by": "two"})"},
       65,
       {R"(/by: expected int, got "two")", "nothing was sent"}},
      {{"send", "hits", "Increment", R"({"by": 99999999999999999999})"}, 65, {"error: "}},
      {{"send", "hits", "Increment", "{by: 2}"}, 65, {"not JSON"}},
      {{"ask", "hits", "Get", "@" + missing}, 66, {missing, "No such file"}},
      {{"spawn", "conter", "--name", "x"}, 68, {"no kind 'conter'", "did you mean 'counter'?"}},
      {{"spawn", "counter", "--name", "x", "--node", "n9"}, 68, {"no node 'n9'"}},
      {{"spawn", "counter", "--name", "x", "--args", R"({"a": 1})"}, 65, {"takes no arguments"}},
      {{"spawn", "counter", "--name", "hits"}, 1, {"'hits' is held by n2", "another name"}},
      {{"spawn", "counter", "--name", "system/mine"}, 64, {"system/"}},
      {{"node", "drain", "n9"}, 68, {"no node 'n9'"}},
      {{"types", "conter"}, 68, {"did you mean 'counter'?"}},
      {{"--cluster", "other", "status"},
       78,
       {"belongs to another cluster", "cluster name is 'troupe', you said 'other'"}},
      {{"-s", cluster_.host() + ":1", "status"}, 69, {"no node answers at", "trouped"}},
      {{"-s", "host:port", "status"}, 64, {"--server", "127.0.0.1:7400"}},
      {{"statsu"}, 64, {"no command 'statsu'", "did you mean 'status'?"}},
      {{"status", "--colour"}, 64, {"--colour"}},
      {{"wait", "--for", "weather"}, 64, {"cannot wait for 'weather'"}},
      {{"wait", "--for", "name=nobody", "--timeout", "300ms"}, 75, {"gave up waiting"}},
  };
  for (const Mistake& mistake : mistakes) {
    expect_mistake(cluster_.troupe(mistake.words), mistake);
  }
  EXPECT_EQ(cluster_.troupe_at("n1", {"ask", "hits", "Get"}).out, "0\n");
  expect_undisturbed();
}

TEST_F(BadInput, OfANodesSettingsIsToldWithItsExitCode) {
  const auto configuration = cluster_.write_file(
      "wrong.toml", "name = \"n7\"\nlisten = \"tcp://127.0.0.1:17999\"\nworkers = \"many\"\n");
  const auto broken = cluster_.write_file("broken.toml", "name = \"n7\"\nlisten = tcp\n");
  const auto unknown = cluster_.write_file("unknown.toml", "\nlisen = \"tcp://127.0.0.1:1\"\n");
  const auto no_plugin = cluster_.write_file("plugin.so", "this is no library");
  const std::string listen = "tcp://" + cluster_.host() + ":17999";
  const std::vector<Mistake> mistakes{
      {{"--name", "n7", "--listen", cluster_.address("n1")},
       69,
       {"in use", cluster_.address("n1"), "why: ", "try: "}},
      {{"--listen", listen, "--http", cluster_.host() + ":" + std::to_string(cluster_.port("n1"))},
       69,
       {"in use", "why: ", "try: "}},
      {{"--config", configuration}, 78, {configuration + ":3", "workers", "why: ", "try: "}},
      {{"--config", broken}, 78, {broken + ":2", "why: ", "try: "}},
      {{"--config", unknown}, 78, {unknown + ":2", "lisen", "listen"}},
      {{"--config", cluster_.folder() + "/none.toml"}, 78, {"none.toml", "try: "}},
      {{"--listen", listen, "--load", no_plugin}, 78, {no_plugin, "why: ", "try: "}},
      {{"--listen", listen, "--load", "/no/such.so"}, 78, {"/no/such.so", "why: ", "try: "}},
      {{"--listne", listen}, 64, {"--listne", "--listen"}},
      {{"--workers", "many"}, 64, {"--workers", "many", "why: ", "try: "}},
      {{"--name", "a b"}, 64, {"a b", "why: ", "try: "}},
      {{"--listen", "tcp://0.0.0.0:17999"}, 78, {"tcp://0.0.0.0:17999", "--insecure"}},
  };
  for (const Mistake& mistake : mistakes) {
    expect_mistake(cluster_.trouped(mistake.words), mistake);
  }
  expect_mistake(cluster_.trouped({}, {"TROUPE_LOG_LEVEL=loud"}),
                 {{"TROUPE_LOG_LEVEL=loud"}, 78, {"TROUPE_LOG_LEVEL", "loud", "try: "}});
  expect_undisturbed();
}

TEST_F(BadInput, ANodeOfAnotherClusterIsToldAndNeverReady) {
  Process& stranger = cluster_.start("n3", {"--cluster", "other"});
  EXPECT_TRUE(stranger.wait_for_text(Stream::errors, "cluster name is 'troupe', you said 'other'",
                                     seconds{20}))
      << stranger.text(Stream::errors);
  const Ran ready = cluster_.troupe_at("n3", {"health", "--ready"});
  EXPECT_EQ(ready.exit_code, 1) << ready.text();
  EXPECT_EQ(cluster_.troupe_at("n3", {"health", "--live"}).exit_code, 0);
  stranger.signal(SIGTERM);
  EXPECT_TRUE(stranger.wait(seconds{25}).has_value()) << "a lone node can be ended";
  expect_undisturbed();
}

TEST_F(BadInput, ANodeWhoseSeedsAreUnreachableKeepsTrying) {
  const std::string nowhere = "tcp://" + cluster_.host() + ":1";
  Process& lonely = cluster_.start("n3", {"--seeds", nowhere});
  EXPECT_TRUE(lonely.wait_for_text(Stream::errors, nowhere + " cannot be reached, trying again",
                                   seconds{20}))
      << lonely.text(Stream::errors);
  const Ran ready = cluster_.troupe_at("n3", {"health", "--ready"});
  EXPECT_EQ(ready.exit_code, 1) << ready.text();
  EXPECT_THAT(ready.out, HasSubstr("not ready: ")) << "it says why";
  lonely.signal(SIGTERM);
  EXPECT_EQ(lonely.wait(seconds{25}), 0) << lonely.text(Stream::errors);
  expect_undisturbed();
}

}  // namespace
}  // namespace troupe::cluster_tests
