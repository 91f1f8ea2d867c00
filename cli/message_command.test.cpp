#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/json.hpp"
#include "cli/json_payload.hpp"
#include "cli/testing/session.hpp"

namespace troupe::cli {
namespace {

using testing::reply_with;
using testing::Session;

std::string sent_json(const Session& session, std::size_t at = 0) {
  return to_json(*decode_value(session.cluster.messages.at(at).body));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Ask, PrintsJustTheNumber) {
  Session session;
  session.cluster.on_message = [](const Request&) { return reply_with(std::int64_t{12}); };
  EXPECT_EQ(session.run({"ask", "hits", "Get"}), ExitCode::done);
  EXPECT_EQ(session.out, "12\n");
  EXPECT_EQ(session.err, "");
  const Request& request = session.cluster.messages.at(0);
  EXPECT_EQ(request.target, "hits");
  EXPECT_EQ(request.type, base::fnv1a("Get"));
  EXPECT_FALSE(request.wants_receipt);
  EXPECT_EQ(request.timeout, std::chrono::seconds{5});
}

TEST(Ask, PrintsTextsBareAndStructsAsJson) {
  Session session;
  session.cluster.on_message = [](const Request&) { return reply_with(std::string{"hello you"}); };
  session.run({"ask", "people", "Create", R"({"name": "Ada"})"});
  EXPECT_EQ(session.out, "hello you\n");
  session.run({"ask", "people", "Create", R"({"name": "Ada"})", "-o", "json"});
  EXPECT_EQ(session.out, "\"hello you\"\n");
  session.cluster.on_message = [](const Request&) {
    return Answer{encode_untyped(Value::Object{{"id", "1"}, {"name", "Ada"}})};
  };
  session.run({"ask", "people", "Create"});
  EXPECT_EQ(session.out, "{\"id\":\"1\",\"name\":\"Ada\"}\n");
  session.run({"ask", "people", "Create", "-o", "yaml"});
  EXPECT_EQ(session.out, "id: \"1\"\nname: Ada\n");
}

TEST(Ask, CarriesItsTimeout) {
  Session session;
  session.run({"ask", "hits", "Get", "--timeout", "250ms"});
  EXPECT_EQ(session.cluster.messages.at(0).timeout, std::chrono::milliseconds{250});
}

TEST(Ask, OfWhatHasNoReplySaysHowToSendIt) {
  Session session;
  EXPECT_EQ(session.run({"ask", "hits", "Increment"}), ExitCode::usage);
  EXPECT_TRUE(contains(session.err, "troupe send hits Increment")) << session.err;
  EXPECT_TRUE(session.cluster.messages.empty());
}

TEST(Ask, PrintsARefusalAndAnswersNegatively) {
  Session session;
  session.cluster.on_message = [](const Request&) { return testing::refusal("user not found"); };
  EXPECT_EQ(session.run({"ask", "people", "Create"}), ExitCode::negative);
  EXPECT_EQ(session.out, "");
  EXPECT_TRUE(session.err.starts_with("error: user not found\n")) << session.err;
}

TEST(Ask, SaysThatItMayHaveRun) {
  Session session;
  session.cluster.on_message = [](const Request&) -> base::Result<Answer> {
    return Answer{Failure{FailureKind::may_have_run, base::Outcome::expired, "no reply in 5 s"}};
  };
  EXPECT_EQ(session.run({"ask", "hits", "Get"}), ExitCode::try_again);
  EXPECT_TRUE(contains(session.err, "may have run")) << session.err;
  EXPECT_TRUE(contains(session.err, "no reply in 5 s")) << session.err;
}

TEST(Ask, OfARelyThatCannotBeReadIsOurBug) {
  Session session;
  session.cluster.on_message = [](const Request&) { return Answer{base::Bytes{std::byte{0xC1}}}; };
  EXPECT_EQ(session.run({"ask", "hits", "Get"}), ExitCode::internal);
}

TEST(Send, WantsAReceiptAndPrintsNothing) {
  Session session;
  EXPECT_EQ(session.run({"send", "hits", "Increment", R"({"by": 2})"}), ExitCode::done);
  EXPECT_EQ(session.out + session.err, "");
  EXPECT_TRUE(session.cluster.messages.at(0).wants_receipt);
  EXPECT_EQ(sent_json(session), R"({"by":2})");
  session.run({"send", "hits", "Increment", "-o", "jsonl"});
  EXPECT_EQ(session.out, "{\"outcome\":\"accepted\"}\n");
}

TEST(Send, TellsTheOutcomeByTheExitCode) {
  const std::pair<base::Outcome, ExitCode> cases[] = {
      {base::Outcome::mailbox_full, ExitCode::try_again},
      {base::Outcome::no_such_actor, ExitCode::unknown},
      {base::Outcome::undecodable, ExitCode::payload}};
  for (const auto& [outcome, code] : cases) {
    Session session;
    session.cluster.on_message = [outcome = outcome](const Request&) { return Answer{outcome}; };
    EXPECT_EQ(session.run({"send", "hits", "Increment"}), code);
    EXPECT_TRUE(contains(session.err, std::string{base::to_string(outcome)})) << session.err;
  }
}

TEST(Send, ChecksThePayloadBeforeItSends) {
  Session session;
  EXPECT_EQ(session.run({"send", "hits", "Increment", R"({"by": "two"})"}), ExitCode::payload);
  EXPECT_EQ(session.err,
            "error: /by: expected int, got \"two\"\n"
            "  why: Increment takes {\"by\": int}\n"
            "  try: nothing was sent\n");
  EXPECT_EQ(session.run({"send", "hits", "Increment", "{by: 2}"}), ExitCode::payload);
  EXPECT_TRUE(contains(session.err, "not JSON")) << session.err;
  EXPECT_EQ(session.run({"send", "hits", "Increment", R"({"by": 99999999999999999999})"}),
            ExitCode::payload);
  EXPECT_TRUE(session.err.starts_with("error: /by: expected an int of at most 64 bits"))
      << session.err;
  EXPECT_TRUE(session.cluster.messages.empty());
}

TEST(Send, SuggestsMessagesAndActors) {
  Session session;
  EXPECT_EQ(session.run({"send", "hits", "Incremnt"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "did you mean 'Increment'?")) << session.err;
  EXPECT_TRUE(contains(session.err, "takes Increment, Get")) << session.err;
  EXPECT_EQ(session.run({"send", "hist", "Increment"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "did you mean 'hits'?")) << session.err;
  EXPECT_EQ(session.run({"send", "nobody-at-all", "Increment"}), ExitCode::unknown);
  EXPECT_TRUE(contains(session.err, "troupe ls")) << session.err;
}

TEST(Send, ToTheSystemNeedsNoDescription) {
  Session session;
  EXPECT_EQ(session.run({"ask", "system/control", "Health"}), ExitCode::done);
  EXPECT_EQ(session.out, "{\"live\":true,\"ready\":true,\"reason\":\"\"}\n");
  EXPECT_EQ(session.run({"ask", "system/control", "Describe", R"({"name": "x"})"}),
            ExitCode::unknown);
}

TEST(Send, ToWhatCannotBeDescribedLeavesTheCheckToTheReceiver) {
  Session session;
  session.cluster.types.kinds.push_back({"", "", {}, {}});
  session.cluster.names.push_back({"far", "", "n3", 1, 1, "running"});
  EXPECT_EQ(session.run({"send", "far", "Anything", R"({"x": [1, "y"]})"}), ExitCode::done);
  EXPECT_EQ(sent_json(session), R"({"x":[1,"y"]})");
}

TEST(Send, ReadsThePayloadFromAFileOrTheInput) {
  Session session;
  const auto path = std::filesystem::temp_directory_path() /
                    ("troupe-cli-test-" +
                     std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + ".json");
  std::ofstream{path} << R"({"by": 7})";
  EXPECT_EQ(session.run({"send", "hits", "Increment", "@" + path.string()}), ExitCode::done);
  std::filesystem::remove(path);
  EXPECT_EQ(session.run({"send", "hits", "Increment", "-"}, "{\"by\": 8}\n"), ExitCode::done);
  EXPECT_EQ(sent_json(session, 0), R"({"by":7})");
  EXPECT_EQ(sent_json(session, 1), R"({"by":8})");
}

TEST(Send, FromAFileThatIsMissingSaysSo) {
  Session session;
  EXPECT_EQ(session.run({"send", "hits", "Increment", "@/no/such/file"}), ExitCode::input_file);
  EXPECT_TRUE(contains(session.err, "/no/such/file")) << session.err;
  EXPECT_TRUE(contains(session.err, "No such file")) << session.err;
}

TEST(Send, TakesOneMessageALine) {
  Session session;
  EXPECT_EQ(
      session.run({"send", "hits", "Increment", "--each-line"}, "{\"by\": 1}\n\n{\"by\": 2}\n{}"),
      ExitCode::done);
  ASSERT_EQ(session.cluster.messages.size(), 3U);
  EXPECT_EQ(sent_json(session, 1), R"({"by":2})");
}

TEST(Send, GoesOnAfterALineThatFailed) {
  Session session;
  EXPECT_EQ(session.run({"send", "hits", "Increment", "-", "--each-line"},
                        "{\"by\": 1}\n{\"by\": \"x\"}\n{\"by\": 3}\n"),
            ExitCode::partly_done);
  EXPECT_EQ(session.cluster.messages.size(), 2U);
  EXPECT_TRUE(contains(session.err, "error: line 2: /by: expected int")) << session.err;
  EXPECT_EQ(session.run({"send", "hits", "Increment", "--each-line"}, "x\ny\n"), ExitCode::payload);
}

TEST(Send, EndsWhenTheConnectionIsGone) {
  Session session;
  session.cluster.on_message = [&](const Request&) -> base::Result<Answer> {
    session.cluster.connection_errors.push_back({base::Errc::unavailable, "gone"});
    return Answer{base::Outcome::accepted};
  };
  EXPECT_EQ(session.run({"send", "hits", "Increment", "--each-line"}, "{}\n{}\n{}\n{}\n"),
            ExitCode::partly_done);
  EXPECT_EQ(session.cluster.messages.size(), 1U);
}

TEST(Send, WithoutAClusterIsUnreachable) {
  Session session;
  session.cluster.connection_errors.push_back({base::Errc::unavailable, "connection refused"});
  EXPECT_EQ(session.run({"-s", "a:1,b:2", "send", "hits", "Increment"}), ExitCode::unreachable);
  EXPECT_EQ(session.err,
            "error: no node answers at a:1, b:2\n"
            "  why: connection refused\n"
            "  try: start one with 'trouped' or 'troupe dev', or name another with -s HOST:PORT\n");
}

}  // namespace
}  // namespace troupe::cli
