#include "node/config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "node/detail/config_sources.hpp"

namespace troupe::node {
namespace {

using namespace std::chrono_literals;
using Arguments = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

Config::Parsed parse(const Arguments& arguments, const Variables& variables = {}) {
  return Config::parse(arguments, [&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Config good(const Arguments& arguments, const Variables& variables = {}) {
  auto parsed = parse(arguments, variables);
  EXPECT_TRUE(parsed.config.has_value()) << parsed.text;
  return parsed.config.value_or(Config{});
}

/// A file for the time of a test.
class File {
 public:
  explicit File(const std::string& text)
      : path_(testing::TempDir() + "troupe-config-" + std::to_string(::getpid()) + ".toml") {
    std::ofstream{path_} << text;
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Config, RunsOneNodeOnLoopbackWithoutAnySetting) {
  const Config config = good({});
  EXPECT_EQ(config.cluster, "troupe");
  EXPECT_EQ(config.listen, "tcp://127.0.0.1:7400");
  EXPECT_FALSE(config.name.empty());
  EXPECT_TRUE(config.seeds.empty());
  EXPECT_TRUE(config.demo);
  EXPECT_FALSE(config.insecure);
  EXPECT_EQ(config.drain_timeout, 20s);
  EXPECT_FALSE(config.log_format.has_value());
  EXPECT_EQ(config.origins.at("listen"), "default");
}

void expect_all_set(const Config& config) {
  EXPECT_EQ(config.name, "n1");
  EXPECT_EQ(config.listen, "tcp://0.0.0.0:7401");
  EXPECT_EQ(config.advertise, "tcp://10.0.0.7:7401");
  EXPECT_EQ(config.seeds, (Arguments{"tcp://a:1", "dns://b:2", "file:///c"}));
  EXPECT_EQ(config.data, "/d");
  EXPECT_EQ(config.cluster, "shop");
  EXPECT_TRUE(config.insecure);
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.http, "127.0.0.1:9100");
  EXPECT_EQ(config.log_level, base::LogLevel::warn);
  EXPECT_EQ(config.log_format, base::LogFormat::json);
  EXPECT_EQ(config.plugins, (Arguments{"a.so", "b.so"}));
  EXPECT_EQ(config.labels, (Variables{{"zone", "a"}, {"disk", "ssd"}}));
  EXPECT_FALSE(config.demo);
  EXPECT_EQ(config.drain_timeout, 1500ms);
  EXPECT_EQ(config.seed, 42U);
}

TEST(Config, TakesEverythingFromFlags) {
  const Config config = good({"--name",
                              "n1",
                              "--listen=tcp://0.0.0.0:7401",
                              "--advertise",
                              "tcp://10.0.0.7:7401",
                              "--seeds",
                              "tcp://a:1,dns://b:2",
                              "--seeds",
                              "file:///c",
                              "--data",
                              "/d",
                              "--cluster",
                              "shop",
                              "--insecure",
                              "--workers",
                              "3",
                              "--http",
                              "127.0.0.1:9100",
                              "--log-level",
                              "warn",
                              "--log-format",
                              "json",
                              "--load",
                              "a.so",
                              "--load",
                              "b.so",
                              "--label",
                              "zone=a",
                              "--label",
                              "disk=ssd",
                              "--no-demo",
                              "--drain-timeout",
                              "1500ms",
                              "--seed",
                              "42"});
  expect_all_set(config);
  for (const auto& key : detail::setting_keys()) {
    EXPECT_EQ(config.origins.at(key), "flag") << key;
  }
}

TEST(Config, TakesEverythingFromTheEnvironment) {
  const Config config = good({}, {{"TROUPE_NAME", "n1"},
                                  {"TROUPE_LISTEN", "tcp://0.0.0.0:7401"},
                                  {"TROUPE_ADVERTISE", "tcp://10.0.0.7:7401"},
                                  {"TROUPE_SEEDS", "tcp://a:1, dns://b:2,file:///c,"},
                                  {"TROUPE_DATA", "/d"},
                                  {"TROUPE_CLUSTER", "shop"},
                                  {"TROUPE_INSECURE", "true"},
                                  {"TROUPE_WORKERS", "3"},
                                  {"TROUPE_HTTP", "127.0.0.1:9100"},
                                  {"TROUPE_LOG_LEVEL", "warn"},
                                  {"TROUPE_LOG_FORMAT", "json"},
                                  {"TROUPE_LOAD", "a.so,b.so"},
                                  {"TROUPE_LABEL", "zone=a,disk=ssd"},
                                  {"TROUPE_DEMO", "false"},
                                  {"TROUPE_DRAIN_TIMEOUT", "1500ms"},
                                  {"TROUPE_SEED", "42"}});
  expect_all_set(config);
  for (const auto& key : detail::setting_keys()) {
    EXPECT_EQ(config.origins.at(key), "environment") << key;
  }
}

constexpr const char* whole_file = R"(
name = "n1"
listen = "tcp://0.0.0.0:7401"
advertise = "tcp://10.0.0.7:7401"
seeds = ["tcp://a:1", "dns://b:2", "file:///c"]
data = "/d"
cluster = "shop"
insecure = true
workers = 3
http = "127.0.0.1:9100"
log-level = "warn"
log_format = "json"
load = ["a.so", "b.so"]
label = ["zone=a", "disk=ssd"]
demo = false
drain-timeout = "1500ms"
seed = 42
)";

constexpr const char* grouped_file = R"(
[node]
name = "n1"
listen = "tcp://0.0.0.0:7401"
advertise = "tcp://10.0.0.7:7401"
seeds = "tcp://a:1,dns://b:2,file:///c"
data = "/d"
cluster = "shop"
insecure = true
workers = 3
load = ["a.so", "b.so"]
demo = false
seed = 42

[http]
listen = "127.0.0.1:9100"

[log]
level = "warn"
format = "json"

[drain]
timeout = "1500ms"

[labels]
zone = "a"
disk = "ssd"
)";

TEST(Config, TakesEverythingFromAFile) {
  for (const char* text : {whole_file, grouped_file}) {
    const File file{text};
    for (const Config& config :
         {good({"--config", file.path()}), good({}, {{"TROUPE_CONFIG", file.path()}})}) {
      expect_all_set(config);
      EXPECT_EQ(config.origins.at("label"), "file " + file.path());
    }
  }
}

TEST(Config, PrefersFlagToEnvironmentToFileToDefault) {
  const File file{"name = 'from-file'\ncluster = 'from-file'\ndata = 'from-file'\n"};
  const Config config =
      good({"--config", file.path(), "--name", "from-flag"},
           {{"TROUPE_NAME", "from-environment"}, {"TROUPE_CLUSTER", "from-environment"}});
  EXPECT_EQ(config.name, "from-flag");
  EXPECT_EQ(config.origins.at("name"), "flag");
  EXPECT_EQ(config.cluster, "from-environment");
  EXPECT_EQ(config.origins.at("cluster"), "environment");
  EXPECT_EQ(config.data, "from-file");
  EXPECT_EQ(config.origins.at("data"), "file " + file.path());
  EXPECT_EQ(config.origins.at("seed"), "default");
}

TEST(Config, TakesAnEmptyVariableAsNotSet) {
  EXPECT_EQ(good({}, {{"TROUPE_LISTEN", ""}}).origins.at("listen"), "default");
}

TEST(Config, RefusesBadFlagsAsUsage) {
  struct Case {
    Arguments arguments;
    std::string says;
  };
  for (const Case& wrong : {
           Case{{"--nmae", "n1"}, "did you mean '--name'?"},
           Case{{"--lisetn=tcp://127.0.0.1:1"}, "did you mean '--listen'?"},
           Case{{"--frobnicate"}, "there is no flag of this name"},
           Case{{"start"}, "unexpected argument 'start'"},
           Case{{"--name"}, "--name"},
           Case{{"--name", "a", "--name", "b"}, "--name"},
           Case{{"--name", "a b"},
                "--name: 'a b' is not allowed\n  why: a name is 1 to 64 letters"},
           Case{{"--name", ""}, "--name: '' is not allowed"},
           Case{{"--name", std::string(65, 'a')}, "1 to 64"},
           Case{{"--cluster", "ä"}, "--cluster"},
           Case{{"--listen", "127.0.0.1:7400"}, "does not begin with tcp://"},
           Case{{"--listen", "tcp://127.0.0.1"}, "has no port"},
           Case{{"--listen", "tcp://127.0.0.1:70000"}, "try: --listen tcp://127.0.0.1:7400"},
           Case{{"--advertise", "tcp://0.0.0.0:7400"}, "nobody can connect to that"},
           Case{{"--advertise", "tcp://10.0.0.1:0"}, "port 0"},
           Case{{"--seeds", "tcp://a:1,b:2"}, "--seeds: 'b:2' is not allowed"},
           Case{{"--seeds", "dns://b"}, "has no port"},
           Case{{"--seeds", "file://"}, "needs the path"},
           Case{{"--workers", "two"}, "workers must be a whole number from 0 to 1024"},
           Case{{"--workers", "1025"}, "try: --workers 4"},
           Case{{"--http", "example.org:80"}, "numeric address"},
           Case{{"--http", "127.0.0.1:x"}, "from 0 to 65535"},
           Case{{"--log-level", "loud"}, "debug, info, warn, error or off"},
           Case{{"--log-format", "xml"}, "text or json"},
           Case{{"--label", "zone"}, "a label is KEY=VALUE"},
           Case{{"--label", "a b=c"}, "a label's key"},
           Case{{"--label", "zone="}, "a label's value"},
           Case{{"--drain-timeout", "20"}, "with its unit"},
           Case{{"--drain-timeout", "61m"}, "up to an hour"},
           Case{{"--seed", "18446744073709551616"}, "64 bits"},
       }) {
    const auto parsed = parse(wrong.arguments);
    EXPECT_FALSE(parsed.config.has_value()) << wrong.says;
    EXPECT_EQ(parsed.exit_code, 64) << parsed.text;
    EXPECT_NE(parsed.text.find(wrong.says), std::string::npos)
        << "expected: " << wrong.says << "\ngot: " << parsed.text;
    EXPECT_EQ(std::count(parsed.text.begin(), parsed.text.end(), '\n'), 3) << parsed.text;
  }
}

TEST(Config, RefusesBadVariablesByTheirName) {
  const auto parsed = parse({}, {{"TROUPE_WORKERS", "two"}});
  EXPECT_EQ(parsed.exit_code, 78);
  EXPECT_EQ(parsed.text,
            "trouped: TROUPE_WORKERS: 'two' is not allowed\n"
            "  why: workers must be a whole number from 0 to 1024 (0: one a core)\n"
            "  try: TROUPE_WORKERS=4\n");
}

TEST(Config, RefusesBadFilesByTheirLine) {
  struct Case {
    std::string text;
    std::string says;
  };
  for (const Case& wrong : {
           Case{"name = 'n1'\nlisetn = 'x'\n", ":2: there is no setting 'lisetn'"},
           Case{"name = 'n1'\nlisetn = 'x'\n", "did you mean 'listen'?"},
           Case{"\n[nodes]\nname = 'n1'\n", ":2: there is no section 'nodes'"},
           Case{"\n[nodes]\nname = 'n1'\n", "did you mean 'node'?"},
           Case{"\n\nworkers = 'two'\n", ":3: workers: a string is not allowed here"},
           Case{"workers = 5000\n", "workers must be a whole number from 0 to 1024"},
           Case{"workers = -1\n", "try: workers = 4"},
           Case{"insecure = 'yes'\n", "try: insecure = true"},
           Case{"name = 5\n", ":1: name: an integer is not allowed here"},
           Case{"name = ['a', 'b']\n", "this array is not allowed here"},
           Case{"seeds = [['tcp://a:1']]\n", "this array is not allowed here"},
           Case{"data = 2020-01-01\n", "a date or time is not allowed here"},
           Case{"log = 'info'\n", "there is no setting 'log'"},
           Case{"[log]\nlevle = 'info'\n", "did you mean 'log-level'?"},
           Case{"[log]\nlevel = 'loud'\n", ":2: log-level: 'loud' is not allowed"},
           Case{"name = 'a'\n[node]\nname = 'b'\n", "name: given twice"},
           Case{"[labels]\nzone = 1\n", ":2: zone: an integer is not allowed here"},
           Case{"[labels]\n'a b' = 'c'\n", "a label's key"},
           Case{"name = \n", ":1: this is not TOML"},
           Case{std::string("name = '\0'\n", 11), "this is not TOML"},
           Case{"# " + std::string(detail::file_bytes_max, 'x'), "is too large"},
       }) {
    const File file{wrong.text};
    const auto parsed = parse({"--config", file.path()});
    EXPECT_FALSE(parsed.config.has_value()) << wrong.says;
    EXPECT_EQ(parsed.exit_code, 78) << parsed.text;
    EXPECT_NE(parsed.text.find(wrong.says), std::string::npos)
        << "expected: " << wrong.says << "\ngot: " << parsed.text;
    EXPECT_NE(parsed.text.find(file.path()), std::string::npos) << parsed.text;
    EXPECT_EQ(std::count(parsed.text.begin(), parsed.text.end(), '\n'), 3) << parsed.text;
  }
}

TEST(Config, SaysThatAFileIsMissing) {
  for (const char* path : {"/no/such/file.toml", "/tmp"}) {
    const auto parsed = parse({"--config", path});
    EXPECT_EQ(parsed.exit_code, 78) << parsed.text;
    EXPECT_NE(parsed.text.find("cannot be read"), std::string::npos) << parsed.text;
  }
}

TEST(Config, RefusesToListenBeyondLoopbackUnlessTold) {
  for (const char* listen :
       {"tcp://0.0.0.0:7400", "tcp://*:7400", "tcp://10.0.0.7:7400", "tcp://node:7400"}) {
    const auto refused = parse({"--listen", listen});
    EXPECT_EQ(refused.exit_code, 78);
    EXPECT_NE(refused.text.find("--insecure"), std::string::npos) << refused.text;
    EXPECT_EQ(good({"--listen", listen, "--insecure"}).listen, listen);
  }
  for (const char* listen : {"tcp://127.0.0.1:0", "tcp://localhost:7400", "tcp://127.1.2.3:7400"}) {
    EXPECT_EQ(good({"--listen", listen}).listen, listen);
  }
}

TEST(Config, IsCheckedToWhenAProgramFillsItIn) {
  Config config;
  EXPECT_TRUE(config.complete().ok());
  EXPECT_FALSE(config.name.empty());
  EXPECT_TRUE(config.complete().ok());
  config.seeds = {"nowhere"};
  const auto refused = config.complete();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::Errc::invalid_argument);
  EXPECT_NE(refused.error().context.find("a seed begins with tcp://"), std::string::npos);
}

TEST(Config, ExplainsItself) {
  const auto help = parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const auto& key : detail::setting_keys()) {
    EXPECT_NE(help.text.find("--" + key), std::string::npos) << key;
  }
  EXPECT_TRUE(parse({"--version"}).text.starts_with("trouped "));
  EXPECT_EQ(parse({"--version"}).exit_code, 0);
}

TEST(Config, GivesExamplesThatAreAllowed) {
  for (const auto& setting : detail::settings()) {
    Config config;
    const auto applied = detail::apply(
        setting, {{std::string{setting.example}}, detail::Source::environment, "here"}, config);
    EXPECT_TRUE(applied.ok()) << setting.key;
  }
}

}  // namespace
}  // namespace troupe::node
