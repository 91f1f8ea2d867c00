#include "cli/problem.hpp"

#include <gtest/gtest.h>

namespace troupe::cli {
namespace {

using base::Errc;
using base::Outcome;

Problem problem_of_control_refusal(const std::string& text) {
  return problem_of_control_failure({FailureKind::refusal, Outcome::refused, text}, "a:1");
}

TEST(Problem, OfAConnectionHasTheCodeThatScriptsExpect) {
  const std::pair<Errc, ExitCode> cases[] = {
      {Errc::unavailable, ExitCode::unreachable},
      {Errc::timed_out, ExitCode::unreachable},
      {Errc::closed, ExitCode::unreachable},
      {Errc::refused, ExitCode::not_allowed},
      {Errc::version_mismatch, ExitCode::version},
      {Errc::cluster_mismatch, ExitCode::configuration},
      {Errc::invalid_argument, ExitCode::usage},
      {Errc::limit_exceeded, ExitCode::try_again},
      {Errc::internal, ExitCode::internal},
  };
  for (const auto& [code, exit] : cases) {
    const Problem problem = problem_of_connection({code, "context"}, "a:1, b:2");
    EXPECT_EQ(problem.code, exit) << base::to_string(code);
    EXPECT_NE(problem.what.find("a:1, b:2"), std::string::npos);
    EXPECT_NE(problem.why.find("context"), std::string::npos);
    EXPECT_FALSE(problem.todo.empty());
  }
}

TEST(Problem, OfARefusalIsItsTextAndANegativeAnswer) {
  const Problem problem =
      problem_of_failure({FailureKind::refusal, Outcome::refused, "user not found"}, "people");
  EXPECT_EQ(problem.code, ExitCode::negative);
  EXPECT_EQ(problem.what, "user not found");
  EXPECT_FALSE(problem_of_failure({FailureKind::refusal, Outcome::refused, ""}, "p").what.empty());
  EXPECT_FALSE(problem_of_control_refusal("").what.empty());
}

TEST(Problem, SaysWhetherARequestMayHaveRun) {
  struct Case {
    FailureKind kind;
    Outcome outcome;
    ExitCode code;
  };
  const Case cases[] = {
      {FailureKind::not_run, Outcome::mailbox_full, ExitCode::try_again},
      {FailureKind::not_run, Outcome::no_such_actor, ExitCode::unknown},
      {FailureKind::not_run, Outcome::stopped, ExitCode::unknown},
      {FailureKind::not_run, Outcome::node_lost, ExitCode::try_again},
      {FailureKind::not_run, Outcome::expired, ExitCode::try_again},
      {FailureKind::not_run, Outcome::refused, ExitCode::not_allowed},
      {FailureKind::not_run, Outcome::undecodable, ExitCode::payload},
      {FailureKind::may_have_run, Outcome::node_lost, ExitCode::try_again},
      {FailureKind::may_have_run, Outcome::expired, ExitCode::try_again},
      {FailureKind::may_have_run, Outcome::stopped, ExitCode::try_again},
  };
  for (const auto& one : cases) {
    const Problem problem = problem_of_failure({one.kind, one.outcome, ""}, "hits");
    EXPECT_EQ(problem.code, one.code) << base::to_string(one.outcome);
    const char* said = one.kind == FailureKind::not_run ? "was not run" : "may have run";
    EXPECT_NE(problem.what.find(said), std::string::npos) << problem.what;
    EXPECT_NE(problem.what.find("'hits'"), std::string::npos) << problem.what;
    EXPECT_FALSE(problem.why.empty());
    EXPECT_FALSE(problem.todo.empty());
  }
}

TEST(Problem, OfAControlRefusalReadsCodeTextAndHint) {
  const Problem problem = problem_of_control_refusal(
      "not_found: no actor 'hist' in the cluster (3 nodes asked); did you mean 'hits'?");
  EXPECT_EQ(problem.code, ExitCode::unknown);
  EXPECT_EQ(problem.what, "no actor 'hist' in the cluster (3 nodes asked)");
  EXPECT_EQ(problem.todo, "did you mean 'hits'?");
}

TEST(Problem, OfAControlRefusalMapsEveryCode) {
  const std::pair<const char*, ExitCode> cases[] = {
      {"invalid_argument: x", ExitCode::usage},
      {"malformed: x", ExitCode::payload},
      {"limit_exceeded: x", ExitCode::try_again},
      {"not_found: x", ExitCode::unknown},
      {"already_exists: x", ExitCode::negative},
      {"unavailable: x", ExitCode::unreachable},
      {"timed_out: x", ExitCode::try_again},
      {"refused: x", ExitCode::not_allowed},
      {"version_mismatch: x", ExitCode::version},
      {"cluster_mismatch: x", ExitCode::configuration},
      {"address_in_use: x", ExitCode::configuration},
      {"closed: x", ExitCode::try_again},
      {"internal: x", ExitCode::internal},
      {"something else", ExitCode::negative},
      {"", ExitCode::negative},
  };
  for (const auto& [text, code] : cases) {
    EXPECT_EQ(problem_of_control_refusal(text).code, code) << text;
  }
  EXPECT_EQ(problem_of_control_refusal("not_found").what, "not_found");
}

TEST(Problem, OfANodeThatIsLeavingNamesTheNode) {
  const Problem leaving =
      problem_of_control_failure({FailureKind::not_run, Outcome::stopped, ""}, "a:1");
  EXPECT_EQ(leaving.code, ExitCode::unreachable);
  EXPECT_EQ(leaving.what, "the node at a:1 is leaving");
  const Problem silent =
      problem_of_control_failure({FailureKind::may_have_run, Outcome::expired, ""}, "a:1");
  EXPECT_EQ(silent.code, ExitCode::try_again);
}

TEST(Problem, OfASendNamesItsOutcome) {
  EXPECT_EQ(problem_of_outcome(Outcome::mailbox_full, "hits").code, ExitCode::try_again);
  EXPECT_EQ(problem_of_outcome(Outcome::no_such_actor, "hits").code, ExitCode::unknown);
  EXPECT_EQ(problem_of_outcome(Outcome::undecodable, "hits").code, ExitCode::payload);
  EXPECT_EQ(problem_of_outcome(Outcome::mailbox_full, "hits").why, "the outcome is mailbox_full");
  EXPECT_EQ(problem_of_outcome(static_cast<Outcome>(99), "hits").code, ExitCode::internal);
}

}  // namespace
}  // namespace troupe::cli
