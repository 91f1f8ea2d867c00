#include <gtest/gtest.h>

#include "cli/json.hpp"
#include "cli/testing/session.hpp"

namespace troupe::cli {
namespace {

using testing::Session;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Value parsed(const std::string& text) {
  const auto value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.value_or(Value{});
}

TEST(Status, IsATable) {
  Session session;
  EXPECT_EQ(session.run({"status"}), ExitCode::done);
  EXPECT_EQ(session.out,
            "cluster demo   ready   2/3 nodes   epoch 41\n"
            "NODE  STATE    ADDRESS               ACTORS  MSG/S  MBOX     UP\n"
            "n1    up       tcp://127.0.0.1:7401     412   8.1k     3  2h13m\n"
            "n2    up       tcp://127.0.0.1:7402     398   7.9k     0  2h13m\n"
            "n3    leaving  tcp://127.0.0.1:7403       -      -     -      -\n");
  EXPECT_EQ(session.err, "");
}

TEST(Status, HasTheFieldsThatScriptsRead) {
  Session session;
  EXPECT_EQ(session.run({"status", "-o", "json"}), ExitCode::done);
  const Value status = parsed(session.out);
  for (const char* field : {"cluster", "node", "ready", "epoch", "members"}) {
    EXPECT_NE(status.find(field), nullptr) << field;
  }
  const auto& member = status.find("members")->list()->at(0);
  EXPECT_EQ(*member.find("name"), Value{"n1"});
  EXPECT_EQ(*member.find("state"), Value{"up"});
  EXPECT_EQ(*member.find("address"), Value{"tcp://127.0.0.1:7401"});
}

TEST(Status, PrintsOneLinePerNodeByName) {
  Session session;
  session.run({"node", "ls", "-o", "name"});
  EXPECT_EQ(session.out, "n1\nn2\nn3\n");
  session.run({"node", "ls", "-o", "jsonl"});
  EXPECT_EQ(std::count(session.out.begin(), session.out.end(), '\n'), 3);
  EXPECT_EQ(*parsed(session.out.substr(0, session.out.find('\n'))).find("name"), Value{"n1"});
}

TEST(Table, KeepsOthersFromSteeringTheTerminal) {
  Session session;
  session.cluster.names = {{"evil\033[2J", "counter", "n1", 1, 1, "running"}};
  session.run({"ls"});
  EXPECT_FALSE(contains(session.out, "\033"));
  session.is_terminal = true;
  session.run({"ls"});
  EXPECT_TRUE(contains(session.out, "\033[1mNAME"));
  session.run({"where", "nobody"});
  EXPECT_TRUE(session.err.starts_with("\033[31merror: ")) << session.err;
  session.environment["NO_COLOR"] = "1";
  session.run({"ls"});
  EXPECT_FALSE(contains(session.out, "\033"));
}

TEST(List, IsATableOrAnArray) {
  Session session;
  EXPECT_EQ(session.run({"ls"}), ExitCode::done);
  EXPECT_TRUE(contains(session.out, "NAME    KIND     NODE  EPOCH  STATE\n")) << session.out;
  EXPECT_TRUE(contains(session.out, "hits    counter  n2        3  running\n")) << session.out;
  session.run({"ls", "-o", "wide"});
  EXPECT_TRUE(contains(session.out, "12884901889")) << session.out;
  session.run({"ls", "-o", "json"});
  EXPECT_EQ(parsed(session.out).list()->size(), 3U);
  session.run({"ls", "-o", "name"});
  EXPECT_EQ(session.out, "grid\nhits\npeople\n");
}

TEST(Where, HasTheFieldsThatScriptsRead) {
  Session session;
  EXPECT_EQ(session.run({"where", "hits", "-o", "json"}), ExitCode::done);
  const Value row = parsed(session.out);
  EXPECT_EQ(row, (Value{Value::Object{{"name", "hits"},
                                      {"kind", "counter"},
                                      {"node", "n2"},
                                      {"epoch", 3},
                                      {"actor", std::int64_t{12884901889}},
                                      {"state", "running"}}}));
}

TEST(Where, OfNobodyIsUnknown) {
  Session session;
  EXPECT_EQ(session.run({"where", "nobody"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "no actor 'nobody' in the cluster")) << session.err;
}

TEST(Why, TellsWhatIsKnownOfAnActorThatDoesNotAnswer) {
  Session session;
  session.cluster.why = {.state = "stuck",
                         .verdict = "its handler has not returned for 2100 ms",
                         .type = "Counter",
                         .mailbox_messages = 3,
                         .mailbox_messages_max = 10000,
                         .held_ms = 2100,
                         .workers = 2,
                         .held_workers = {{0, 12884901889, "hits", "Counter", 2100},
                                          {1, 17, "", "Crawler", 61000}},
                         .dead_letters = {{"Get", 5, "mailbox_full", ""},
                                          {"Increment", 5, "refused", "it crashed three times"}}};
  EXPECT_EQ(session.run({"why", "hits"}), ExitCode::done);
  EXPECT_EQ(session.out,
            "hits is stuck: its handler has not returned for 2100 ms\n"
            "ABOUT        KNOWN\n"
            "holder       n2, epoch 3, actor 12884901889\n"
            "class        Counter\n"
            "mailbox      3 of 10000 messages\n"
            "worker       0 of 2 kept by 'hits' (Counter) for 2.1 s\n"
            "worker       1 of 2 kept by an actor of class Crawler for 61 s\n"
            "dead letter  Get: mailbox_full\n"
            "dead letter  Increment: refused: it crashed three times\n");
  EXPECT_EQ(session.err, "");
}

TEST(Why, HasTheFieldsThatScriptsRead) {
  Session session;
  session.cluster.why = {.state = "waiting", .type = "Counter", .waits_for = "people"};
  EXPECT_EQ(session.run({"why", "hits", "-o", "json"}), ExitCode::done);
  const Value why = parsed(session.out);
  EXPECT_EQ(*why.find("state"), Value{"waiting"});
  EXPECT_EQ(*why.find("waits_for"), Value{"people"});
  EXPECT_EQ(*why.find("held_ms"), Value{-1});
  EXPECT_EQ(*why.find("where")->find("node"), Value{"n2"});
  session.run({"why", "hits", "-o", "name"});
  EXPECT_EQ(session.out, "hits\n");
}

TEST(Why, OfNobodyIsUnknownAndOfASilentNodeMayBeTriedAgain) {
  Session session;
  EXPECT_EQ(session.run({"why", "nobody"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "no actor 'nobody' in the cluster")) << session.err;
  session.cluster.holder_is_silent = true;
  EXPECT_EQ(session.run({"why", "hits"}), ExitCode::try_again);
  EXPECT_TRUE(contains(session.err, "node 'n2', which holds 'hits', does not answer"))
      << session.err;
}

TEST(Spawn, SendsKindNameNodeAndArguments) {
  Session session;
  EXPECT_EQ(session.run({"spawn", "counter", "--name", "views", "--node", "n2", "--args",
                         R"({"start": 5})", "--no-respawn"}),
            ExitCode::done);
  EXPECT_EQ(session.out, "spawned views (counter) on n2\n");
  const auto& spawn = session.cluster.spawned.at(0);
  EXPECT_EQ(spawn.kind, "counter");
  EXPECT_EQ(spawn.name, "views");
  EXPECT_EQ(spawn.node, "n2");
  EXPECT_FALSE(spawn.respawn);
  EXPECT_EQ(spawn.args.size(), 8U);
}

TEST(Spawn, RespawnsAndHasNoArgumentsUnlessTold) {
  Session session;
  EXPECT_EQ(session.run({"spawn", "users", "--name", "staff", "-q"}), ExitCode::done);
  EXPECT_EQ(session.out, "");
  EXPECT_TRUE(session.cluster.spawned.at(0).respawn);
  EXPECT_TRUE(session.cluster.spawned.at(0).args.empty());
  EXPECT_EQ(session.cluster.spawned.at(0).node, "");
}

TEST(Spawn, ChecksItsArguments) {
  Session session;
  EXPECT_EQ(session.run({"spawn", "counter", "--name", "v", "--args", R"({"strat": 5})"}),
            ExitCode::payload);
  EXPECT_TRUE(contains(session.err, "did you mean 'start'?")) << session.err;
  EXPECT_TRUE(contains(session.err, R"(counter takes {"start": int})")) << session.err;
  EXPECT_EQ(session.run({"spawn", "users", "--name", "v", "--args", R"({"x": 1})"}),
            ExitCode::payload);
  EXPECT_TRUE(contains(session.err, "takes no arguments")) << session.err;
  EXPECT_TRUE(session.cluster.spawned.empty());
}

TEST(Spawn, OfAnUnknownKindSuggestsOne) {
  Session session;
  EXPECT_EQ(session.run({"spawn", "conuter", "--name", "v"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "did you mean 'counter'?")) << session.err;
}

TEST(Spawn, UnderATakenNameIsANegativeAnswer) {
  Session session;
  EXPECT_EQ(session.run({"spawn", "counter", "--name", "hits"}), ExitCode::negative);
  EXPECT_TRUE(contains(session.err, "the name 'hits' is taken")) << session.err;
}

TEST(Stop, FreesTheName) {
  Session session;
  EXPECT_EQ(session.run({"stop", "hits"}), ExitCode::done);
  EXPECT_EQ(session.out, "stopped hits on n2\n");
  EXPECT_EQ(session.run({"stop", "hits"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "did you mean 'hits'?")) << session.err;
}

TEST(Types, ShowsMessagesWithTheirFields) {
  Session session;
  EXPECT_EQ(session.run({"types", "counter"}), ExitCode::done);
  EXPECT_EQ(session.out,
            "KIND     MESSAGE      FIELDS          REPLY\n"
            "counter  (arguments)  {\"start\": int}  -\n"
            "counter  Increment    {\"by\": int}     -\n"
            "counter  Get          {}              int\n");
  session.run({"types", "-o", "name"});
  EXPECT_EQ(session.out, "counter\nusers\nmatrix\n");
  EXPECT_EQ(session.run({"types", "countr"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "did you mean 'counter'?")) << session.err;
}

TEST(Health, IsTheExitCode) {
  Session session;
  EXPECT_EQ(session.run({"health"}), ExitCode::done);
  EXPECT_EQ(session.out, "ready\n");
  session.cluster.health = {.live = true, .ready = false, .reason = "joining"};
  EXPECT_EQ(session.run({"health", "--ready"}), ExitCode::negative);
  EXPECT_EQ(session.out, "not ready: joining\n");
  EXPECT_EQ(session.run({"health", "--ready", "-q"}), ExitCode::negative);
  EXPECT_EQ(session.out + session.err, "");
  EXPECT_EQ(session.run({"health", "--live"}), ExitCode::done);
  EXPECT_EQ(session.run({"health"}), ExitCode::negative);
  session.cluster.connection_errors = {{base::Errc::unavailable, "refused"}};
  EXPECT_EQ(session.run({"health"}), ExitCode::unreachable);
}

TEST(Drain, TellsWhatMoved) {
  Session session;
  session.cluster.drained = {"n3", 398, 0, 12800};
  EXPECT_EQ(session.run({"node", "drain", "n3"}), ExitCode::done);
  EXPECT_EQ(session.out, "drained n3 in 12.8 s: 398 moved, 0 lost\n");
  EXPECT_TRUE(contains(session.err, "draining n3")) << session.err;
  EXPECT_GT(session.cluster.drain_timeouts.at(0), std::chrono::minutes{1});
  session.cluster.drained.lost = 2;
  EXPECT_EQ(session.run({"node", "drain", "n3", "--timeout", "9s"}), ExitCode::partly_done);
  EXPECT_EQ(session.cluster.drain_timeouts.at(1), std::chrono::seconds{9});
}

TEST(Ledger, SaysWhetherItBalances) {
  Session session;
  session.cluster.ledger.nodes = {{"n1", 10, 7, 1, {{"stopped", 2}, {"expired", 0}}, true}};
  EXPECT_EQ(session.run({"ledger"}), ExitCode::done);
  EXPECT_TRUE(contains(session.out, "every message is accounted for\n")) << session.out;
  EXPECT_TRUE(contains(session.out, "2 stopped")) << session.out;
  EXPECT_FALSE(contains(session.out, "expired")) << session.out;
  session.cluster.ledger.nodes.push_back({"n2", 10, 7, 1, {}, false});
  EXPECT_EQ(session.run({"ledger", "-o", "json"}), ExitCode::negative);
  const Value ledger = parsed(session.out);
  EXPECT_EQ(*ledger.find("balanced"), Value{false});
  EXPECT_EQ(ledger.find("nodes")->list()->size(), 2U);
}

TEST(Wait, EndsAtOnceWhenItHolds) {
  Session session;
  EXPECT_EQ(session.run({"wait", "--for", "nodes=2", "--for", "ready", "--for", "name=hits"}),
            ExitCode::done);
  EXPECT_EQ(session.out + session.err, "");
}

TEST(Wait, AsksAgainUntilItHolds) {
  Session session;
  int pauses = 0;
  session.cluster.on_pause = [&] {
    if (++pauses == 5) {
      session.cluster.status.members[2].state = "up";
    }
  };
  EXPECT_EQ(session.run({"wait", "--for", "nodes=3"}), ExitCode::done);
  EXPECT_EQ(pauses, 5);
}

TEST(Wait, GoesOnWhileNobodyAnswers) {
  Session session;
  session.cluster.connection_errors.assign(7, {base::Errc::unavailable, "connection refused"});
  EXPECT_EQ(session.run({"wait", "--for", "ready"}), ExitCode::done);
}

TEST(Wait, GivesUpAfterItsTimeoutAndSaysWhatIsMissing) {
  Session session;
  EXPECT_EQ(session.run({"wait", "--for", "nodes=3", "--timeout", "2s"}), ExitCode::try_again);
  EXPECT_TRUE(contains(session.err, "gave up waiting for nodes=3 after 2 s: 2 of 3 nodes are up"))
      << session.err;
  EXPECT_EQ(session.run({"wait", "--for", "name=nobody"}), ExitCode::try_again);
  EXPECT_TRUE(contains(session.err, "after 30 s: no actor 'nobody'")) << session.err;
}

TEST(Wait, GivesUpAsUnreachableIfNobodyEverAnswers) {
  Session session;
  session.cluster.connection_errors.assign(1000, {base::Errc::unavailable, "connection refused"});
  EXPECT_EQ(session.run({"wait", "--for", "ready", "--timeout", "1s"}), ExitCode::unreachable);
  EXPECT_TRUE(contains(session.err, "connection refused")) << session.err;
}

TEST(Wait, DoesNotGoOnWhereTimeCannotHelp) {
  Session session;
  session.cluster.connection_errors = {{base::Errc::cluster_mismatch, "it is 'shop'"}};
  EXPECT_EQ(session.run({"wait", "--for", "ready"}), ExitCode::configuration);
  EXPECT_EQ(session.run({"wait", "--for", "nodes=x"}), ExitCode::usage);
  EXPECT_EQ(session.run({"wait", "--for", "nodes=0"}), ExitCode::usage);
  EXPECT_EQ(session.run({"wait", "--for", "rain"}), ExitCode::usage);
}

TEST(Output, ThatCannotBeWrittenIsNotHidden) {
  Session session;
  session.is_disk_full = true;
  EXPECT_EQ(session.run({"ls"}), ExitCode::partly_done);
  EXPECT_TRUE(contains(session.err, "could not be written")) << session.err;
}

TEST(DevCommand, IsLeftToTheWorld) {
  Session session;
  EXPECT_EQ(session.run({"dev", "--nodes", "5"}), ExitCode::done);
  EXPECT_EQ(session.dev_nodes, 5);
}

TEST(Help, IsDataAndSucceeds) {
  Session session;
  EXPECT_EQ(session.run({"--help"}), ExitCode::done);
  EXPECT_TRUE(contains(session.out, "spawn"));
  EXPECT_EQ(session.err, "");
  EXPECT_EQ(session.run({}), ExitCode::usage);
  EXPECT_EQ(session.out, "");
}

TEST(Version, NamesTheProtocolToo) {
  Session session;
  EXPECT_EQ(session.run({"version"}), ExitCode::done);
  EXPECT_TRUE(session.out.starts_with("troupe ")) << session.out;
  const std::string version = session.out;
  EXPECT_EQ(session.run({"--version"}), ExitCode::done);
  EXPECT_EQ(session.out, version);
  session.run({"version", "-o", "json"});
  EXPECT_EQ(*parsed(session.out).find("protocol"), Value{1});
}

}  // namespace
}  // namespace troupe::cli
