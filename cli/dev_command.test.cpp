#include "cli/dev_command.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/dev_plan.hpp"
#include "cli/testing/fake_cluster.hpp"

namespace troupe::cli {
namespace {

using testing::FakeCluster;

TEST(DevPlan, GivesEachNodeAllSeedsAndItsOwnFolder) {
  const auto commands = plan_nodes(
      {.program = "/bin/trouped", .cluster = "demo", .data = "/d", .ports = {7400, 7401}});
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[1].name, "n2");
  EXPECT_EQ(
      commands[1].words,
      (std::vector<std::string>{"/bin/trouped", "--name", "n2", "--listen", "tcp://127.0.0.1:7401",
                                "--seeds", "tcp://127.0.0.1:7400,tcp://127.0.0.1:7401", "--cluster",
                                "demo", "--data", "/d/n2"}));
}

TEST(DevPlan, GreetsWithCommandsThatWorkAsTheyStand) {
  const std::string usual = dev_greeting("dev", {7400, 7401});
  EXPECT_NE(usual.find("\n  troupe ask hits Get\n"), std::string::npos) << usual;
  EXPECT_NE(usual.find("n2  tcp://127.0.0.1:7401"), std::string::npos) << usual;
  const std::string other = dev_greeting("shop", {9000});
  EXPECT_NE(other.find("\n  troupe -s 127.0.0.1:9000 status\n"), std::string::npos) << other;
}

/// A program that stands in for trouped, and a cluster that answers in its place.
class Dev : public ::testing::Test {
 protected:
  Dev() {
    folder_ =
        std::filesystem::temp_directory_path() / ("troupe-dev-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~Dev() override { std::filesystem::remove_all(folder_); }

  Done run(const std::string& script) {
    const auto program = folder_ / "trouped";
    std::ofstream{program} << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    Output output{data_, notes_, {}};
    const DevWorld world{program.string(), cluster_.clock, [this](const Settings& settings) {
                           servers_ = settings.servers;
                           return std::make_unique<Lent>(cluster_, on_spawn_);
                         }};
    return run_dev({.nodes = 3}, {}, output, world);
  }

  struct Lent final : Cluster {
    Lent(FakeCluster& lent, std::function<void()> spawned) : cluster(lent), on_spawn(spawned) {}
    base::Result<Answer> request(const Request& request) override {
      if (request.type == base::fnv1a("Spawn") && on_spawn) {
        on_spawn();
      }
      return cluster.request(request);
    }
    void pause(base::Duration duration) override { cluster.pause(duration); }
    FakeCluster& cluster;
    std::function<void()> on_spawn;
  };

  std::filesystem::path folder_;
  FakeCluster cluster_;
  std::function<void()> on_spawn_;
  std::vector<std::string> servers_;
  std::ostringstream data_;
  std::ostringstream notes_;
};

TEST_F(Dev, RunsUntilASignalComes) {
  on_spawn_ = [] { std::raise(SIGTERM); };
  const Done done = run("exec tail -f /dev/null");
  ASSERT_TRUE(done.ok()) << done.error().what;
  EXPECT_EQ(*done, ExitCode::done);
  EXPECT_EQ(servers_.size(), 3U);
  EXPECT_NE(data_.str().find("is ready"), std::string::npos) << data_.str();
  EXPECT_NE(notes_.str().find("n3 ended: signal "), std::string::npos) << notes_.str();
}

TEST_F(Dev, SpawnsTheDemoActorsAndTellsWhichAreMissing) {
  on_spawn_ = [] { std::raise(SIGTERM); };
  (void)run("exec tail -f /dev/null");
  EXPECT_NE(notes_.str().find("no demo actor 'echo'"), std::string::npos) << notes_.str();
  EXPECT_EQ(cluster_.spawned.at(0).name, "hits");
}

TEST_F(Dev, EndsWithTheNodesThatCannotStart) {
  cluster_.status.ready = false;
  cluster_.on_pause = [] { std::raise(SIGCHLD); };
  const Done done = run("exit 78");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ExitCode::configuration);
  EXPECT_NE(notes_.str().find("ended: exit code 78"), std::string::npos) << notes_.str();
}

TEST_F(Dev, GivesUpOnNodesThatDoNotMeet) {
  cluster_.status.members.resize(1);
  const Done done = run("exec tail -f /dev/null");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ExitCode::try_again);
  EXPECT_EQ(done.error().why, "1 of 3 nodes after 30 s");
}

TEST_F(Dev, WithoutTheNodeProgramSaysWhereItMustLie) {
  Output output{data_, notes_, {}};
  const DevWorld world{"/no/such/trouped", cluster_.clock, {}};
  const Done done = run_dev({.nodes = 1}, {}, output, world);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().todo, "trouped must lie beside troupe");
}

TEST_F(Dev, RefusesPortsThatAreTaken) {
  Output output{data_, notes_, {}};
  const DevWorld world{"/no/such/trouped", cluster_.clock, {}};
  EXPECT_EQ(run_dev({.nodes = 3, .port = 65534}, {}, output, world).error().code,
            ExitCode::configuration);
}

}  // namespace
}  // namespace troupe::cli
