#include "node/plugin.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "actors/step_scheduler.hpp"

// The build defines TROUPE_TEST_PLUGINS: the folder of the modules made for these tests.

namespace troupe::node {
namespace {

std::string module(const std::string& name) {
  return std::string{TROUPE_TEST_PLUGINS} + "/" + name + ".so";
}

struct Greet {
  using Reply = std::string;
  std::string name;
  TROUPE_MESSAGE(Greet, name)
};

TEST(Plugin, RegistersKindsWhoseActorsRun) {
  Kinds kinds;
  const auto loaded = load_plugin(module("greeter"), kinds);
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  const auto greeter = kinds.find("greeter");
  ASSERT_NE(greeter, nullptr);
  EXPECT_EQ(greeter->description.args, "GreeterArgs");

  base::ManualClock clock;
  actors::StepScheduler scheduler{base::Random{1}};
  actors::ActorSystem system{{}, clock, scheduler};
  const auto run = [&] {
    while (scheduler.step()) {
    }
  };
  const actors::ActorRef<actors::Protocol<Greet>> polite{
      system.spawn_any(*greeter->type, greeter->prepare({}).value(), {}, nullptr).value()};
  auto reply = polite.ask(Greet{.name = "Ada"});
  run();
  EXPECT_EQ(reply.get().value(), "Hello, Ada!");
  EXPECT_TRUE(system.ledger().is_balanced());
  system.stop_all([] {});
  run();
}

TEST(Plugin, IsLoadedByAPathWithoutASlashToo) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(TROUPE_TEST_PLUGINS);
  Kinds kinds;
  const auto loaded = load_plugin("greeter.so", kinds);
  std::filesystem::current_path(before);
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
}

TEST(Plugin, SaysWhatIsWrongWithAFile) {
  const auto text_file = std::filesystem::path{testing::TempDir()} / "troupe-not-a-plugin.so";
  std::ofstream{text_file} << "hello\n";
  struct Case {
    std::string path;
    base::Errc code;
    std::string says;
  };
  for (const Case& wrong : {
           Case{"/no/such/plugin.so", base::Errc::not_found, "there is no such file"},
           Case{"", base::Errc::not_found, "there is no such file"},
           Case{text_file.string(), base::Errc::malformed, "is not a plugin"},
           Case{module("empty_library"), base::Errc::malformed, "troupe_plugin_abi"},
           Case{module("old_plugin"), base::Errc::version_mismatch, "build the plugin again"},
           Case{module("throwing_plugin"), base::Errc::refused, "no licence among 0 kinds"},
       }) {
    Kinds kinds;
    const auto loaded = load_plugin(wrong.path, kinds);
    ASSERT_FALSE(loaded.ok()) << wrong.path;
    EXPECT_EQ(loaded.error().code, wrong.code) << wrong.path;
    EXPECT_NE(loaded.error().context.find(wrong.says), std::string::npos) << loaded.error().context;
    EXPECT_TRUE(kinds.all().empty());
  }
  std::filesystem::remove(text_file);
}

}  // namespace
}  // namespace troupe::node
