#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include <map>

namespace troupe::cli {
namespace {

using Variables = std::map<std::string, std::string>;

Checked<Arguments> parse(const std::vector<std::string>& words, const Variables& variables = {}) {
  return parse_arguments(words, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional{found->second};
  });
}

TEST(Arguments, HaveDefaults) {
  const auto arguments = parse({"status"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->settings.servers, std::vector<std::string>{"tcp://127.0.0.1:7400"});
  EXPECT_EQ(arguments->settings.timeout, std::chrono::seconds{5});
  EXPECT_FALSE(arguments->settings.timeout_given);
  EXPECT_EQ(arguments->settings.format, Format::table);
  EXPECT_TRUE(std::holds_alternative<StatusCommand>(arguments->command));
}

TEST(Arguments, TakeGlobalOptionsBeforeAndAfterTheCommand) {
  for (const auto& words :
       {std::vector<std::string>{"-s", "a:1,b:2", "-o", "json", "--timeout", "2s", "-q", "ls"},
        std::vector<std::string>{"ls", "-s", "tcp://a:1,tcp://b:2", "-o", "json", "--timeout", "2s",
                                 "--quiet"}}) {
    const auto arguments = parse(words);
    ASSERT_TRUE(arguments.ok()) << arguments.error().what;
    EXPECT_EQ(arguments->settings.servers, (std::vector<std::string>{"tcp://a:1", "tcp://b:2"}));
    EXPECT_EQ(arguments->settings.format, Format::json);
    EXPECT_EQ(arguments->settings.timeout, std::chrono::seconds{2});
    EXPECT_TRUE(arguments->settings.quiet);
  }
}

TEST(Arguments, PreferFlagsToVariables) {
  const Variables variables{{"TROUPE_SERVER", "x:9"},
                            {"TROUPE_CLUSTER", "shop"},
                            {"TROUPE_TIMEOUT", "9s"},
                            {"TROUPE_OUTPUT", "yaml"}};
  auto arguments = parse({"ls"}, variables);
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->settings.servers, std::vector<std::string>{"tcp://x:9"});
  EXPECT_EQ(arguments->settings.cluster, "shop");
  EXPECT_EQ(arguments->settings.timeout, std::chrono::seconds{9});
  EXPECT_EQ(arguments->settings.format, Format::yaml);
  arguments =
      parse({"ls", "-s", "y:1", "--cluster", "demo", "--timeout", "1s", "-o", "name"}, variables);
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->settings.servers, std::vector<std::string>{"tcp://y:1"});
  EXPECT_EQ(arguments->settings.cluster, "demo");
  EXPECT_EQ(arguments->settings.timeout, std::chrono::seconds{1});
  EXPECT_EQ(arguments->settings.format, Format::name);
}

TEST(Arguments, SayWhetherAFlagOrAVariableIsWrong) {
  const auto flag = parse({"ls", "--timeout", "soon"});
  ASSERT_FALSE(flag.ok());
  EXPECT_EQ(flag.error().code, ExitCode::usage);
  EXPECT_EQ(flag.error().what, "wrong value for --timeout");
  const auto variable = parse({"ls"}, {{"TROUPE_TIMEOUT", "soon"}});
  ASSERT_FALSE(variable.ok());
  EXPECT_EQ(variable.error().code, ExitCode::configuration);
  EXPECT_NE(variable.error().what.find("TROUPE_TIMEOUT"), std::string::npos);
  EXPECT_EQ(parse({"ls", "-o", "xml"}).error().code, ExitCode::usage);
  EXPECT_EQ(parse({"ls", "-s", "a:b"}).error().code, ExitCode::usage);
  EXPECT_EQ(parse({"ls"}, {{"TROUPE_SERVER", ":"}}).error().code, ExitCode::configuration);
}

TEST(Arguments, OfMessages) {
  const auto arguments = parse({"ask", "hits", "Get"});
  ASSERT_TRUE(arguments.ok());
  const auto& ask = std::get<MessageCommand>(arguments->command);
  EXPECT_TRUE(ask.wants_reply);
  EXPECT_EQ(ask.actor, "hits");
  EXPECT_EQ(ask.message, "Get");
  EXPECT_FALSE(ask.payload);
  const auto other = parse({"send", "hits", "Increment", "-", "--each-line"});
  ASSERT_TRUE(other.ok()) << other.error().what;
  const auto& send = std::get<MessageCommand>(other->command);
  EXPECT_FALSE(send.wants_reply);
  EXPECT_EQ(send.payload, "-");
  EXPECT_TRUE(send.each_line);
}

TEST(Arguments, TakeAPayloadAsItIs) {
  for (const char* payload : {R"({"by": 2})", "[1,2]", "@file", "-", "\"text\"", "", "{}", "5"}) {
    const auto arguments = parse({"send", "hits", "Increment", payload});
    ASSERT_TRUE(arguments.ok()) << payload << ": " << arguments.error().what;
    EXPECT_EQ(std::get<MessageCommand>(arguments->command).payload, payload);
  }
}

TEST(Arguments, AllowActorsThatAreCalledLikeCommands) {
  for (const char* name : {"ls", "node", "status", "ask", "dev"}) {
    const auto arguments = parse({"ask", name, "Get"});
    ASSERT_TRUE(arguments.ok()) << name << ": " << arguments.error().what;
    EXPECT_EQ(std::get<MessageCommand>(arguments->command).actor, name);
    const auto drain = parse({"node", "drain", name});
    ASSERT_TRUE(drain.ok()) << name << ": " << drain.error().what;
    EXPECT_EQ(std::get<DrainCommand>(drain->command).node, name);
  }
}

TEST(Arguments, OfSpawn) {
  const auto arguments =
      parse({"spawn", "counter", "--name", "hits", "--node", "n2", "--args", "{}", "--no-respawn"});
  ASSERT_TRUE(arguments.ok()) << arguments.error().what;
  const auto& spawn = std::get<SpawnCommand>(arguments->command);
  EXPECT_EQ(spawn.kind, "counter");
  EXPECT_EQ(spawn.name, "hits");
  EXPECT_EQ(spawn.node, "n2");
  EXPECT_EQ(spawn.args, "{}");
  EXPECT_FALSE(spawn.respawn);
  EXPECT_TRUE(std::get<SpawnCommand>(parse({"spawn", "counter", "--name", "x"})->command).respawn);
  EXPECT_EQ(parse({"spawn", "counter"}).error().code, ExitCode::usage);
}

TEST(Arguments, OfTheOthers) {
  EXPECT_EQ(std::get<StopCommand>(parse({"stop", "hits"})->command).name, "hits");
  EXPECT_EQ(std::get<WhereCommand>(parse({"where", "hits"})->command).name, "hits");
  EXPECT_EQ(std::get<TypesCommand>(parse({"types"})->command).kind, "");
  EXPECT_TRUE(std::get<HealthCommand>(parse({"health", "--ready", "-q"})->command).only_ready);
  EXPECT_TRUE(std::get<HealthCommand>(parse({"health", "--live"})->command).only_live);
  EXPECT_FALSE(parse({"health", "--live", "--ready"}).ok());
  EXPECT_EQ(std::get<WaitCommand>(
                parse({"wait", "--for", "nodes=3", "--for", "ready", "-s", "x"})->command)
                .conditions,
            (std::vector<std::string>{"nodes=3", "ready"}));
  EXPECT_TRUE(std::holds_alternative<NodeListCommand>(parse({"node", "ls"})->command));
  EXPECT_TRUE(std::holds_alternative<LedgerCommand>(parse({"ledger"})->command));
  EXPECT_EQ(std::get<DevCommand>(parse({"dev"})->command).nodes, 3);
  EXPECT_EQ(std::get<DevCommand>(parse({"dev", "--nodes", "5", "--port", "9000"})->command).port,
            9000);
  EXPECT_FALSE(parse({"dev", "--nodes", "0"}).ok());
}

TEST(Arguments, ThatAreWrongSayWhatToDo) {
  struct Case {
    std::vector<std::string> words;
    std::string part;
  };
  const Case cases[] = {
      {{}, "troupe --help"},
      {{"stauts"}, "did you mean 'status'?"},
      {{"-o", "json", "stauts"}, "did you mean 'status'?"},
      {{"xyzzy"}, "troupe --help"},
      {{"ask", "hits"}, "troupe ask --help"},
      {{"ask", "hits", "Get", "{}", "more"}, "troupe ask --help"},
      {{"ls", "--colour"}, "troupe ls --help"},
      {{"node"}, "troupe node --help"},
      {{"node", "fly"}, "troupe node --help"},
      {{"-s"}, "troupe --help"},
  };
  for (const auto& one : cases) {
    const auto arguments = parse(one.words);
    ASSERT_FALSE(arguments.ok()) << ::testing::PrintToString(one.words);
    EXPECT_EQ(arguments.error().code, ExitCode::usage);
    EXPECT_FALSE(arguments.error().what.empty());
    EXPECT_NE(arguments.error().todo.find(one.part), std::string::npos)
        << ::testing::PrintToString(one.words) << ": " << arguments.error().what << " / "
        << arguments.error().todo;
  }
}

TEST(Arguments, AskForHelp) {
  for (const auto& words : {std::vector<std::string>{"--help"}, std::vector<std::string>{"-h"}}) {
    const auto arguments = parse(words);
    ASSERT_TRUE(arguments.ok());
    const auto& text = std::get<HelpCommand>(arguments->command).text;
    EXPECT_NE(text.find("spawn"), std::string::npos) << text;
    EXPECT_NE(text.find("Exit codes"), std::string::npos) << text;
  }
  const auto sub = parse({"spawn", "--help"});
  ASSERT_TRUE(sub.ok());
  EXPECT_NE(std::get<HelpCommand>(sub->command).text.find("--no-respawn"), std::string::npos);
}

}  // namespace
}  // namespace troupe::cli
