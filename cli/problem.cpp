#include "cli/problem.hpp"

#include <optional>

namespace troupe::cli {

namespace {

using base::Errc;
using base::Outcome;

constexpr Errc all_codes[] = {Errc::invalid_argument, Errc::malformed,      Errc::limit_exceeded,
                              Errc::not_found,        Errc::already_exists, Errc::unavailable,
                              Errc::timed_out,        Errc::refused,        Errc::version_mismatch,
                              Errc::cluster_mismatch, Errc::address_in_use, Errc::closed,
                              Errc::internal};

std::optional<Errc> code_named(std::string_view name) {
  for (const Errc code : all_codes) {
    if (base::to_string(code) == name) {
      return code;
    }
  }
  return std::nullopt;
}

ExitCode exit_code_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return ExitCode::usage;
    case Errc::malformed: return ExitCode::payload;
    case Errc::not_found: return ExitCode::unknown;
    case Errc::already_exists: return ExitCode::negative;
    case Errc::unavailable: return ExitCode::unreachable;
    case Errc::limit_exceeded:
    case Errc::timed_out:
    case Errc::closed: return ExitCode::try_again;
    case Errc::refused: return ExitCode::not_allowed;
    case Errc::version_mismatch: return ExitCode::version;
    case Errc::cluster_mismatch:
    case Errc::address_in_use: return ExitCode::configuration;
    case Errc::internal: return ExitCode::internal;
  }
  return ExitCode::internal;
}

std::string todo_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "'troupe --help' shows how to call each command";
    case Errc::malformed: return "'troupe types' shows what each kind takes";
    case Errc::not_found: return "'troupe ls' and 'troupe node ls' list what there is";
    case Errc::already_exists: return "choose another name, or stop the holder: 'troupe stop NAME'";
    case Errc::unavailable: return "'troupe status' shows which nodes are up";
    case Errc::limit_exceeded:
    case Errc::timed_out:
    case Errc::closed: return "try again, or give more time with --timeout";
    case Errc::refused: return "ask whoever runs the cluster to allow it";
    case Errc::version_mismatch: return "use the troupe program of the cluster's release";
    case Errc::cluster_mismatch: return "name the cluster with --cluster or TROUPE_CLUSTER";
    case Errc::address_in_use: return "choose another address";
    case Errc::internal: return "this is a bug of Troupe; please report it with the node's log";
  }
  return {};
}

std::string quoted(std::string_view actor) {
  return "'" + std::string{actor} + "'";
}

struct OutcomeText {
  ExitCode code;
  const char* what;
  const char* todo;
};

OutcomeText text_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted: return {ExitCode::done, "accepted", ""};
    case Outcome::mailbox_full:
      return {ExitCode::try_again, "its mailbox is full", "try again when it has caught up"};
    case Outcome::no_such_actor:
      return {ExitCode::unknown, "nobody has this name", "'troupe ls' lists all names"};
    case Outcome::stopped:
      return {ExitCode::unknown, "the actor has stopped",
              "'troupe ls' shows whether it was started again"};
    case Outcome::node_lost:
      return {ExitCode::try_again, "its node was lost",
              "try again: the name comes back on another node"};
    case Outcome::expired:
      return {ExitCode::try_again, "the deadline passed", "try again, or give more with --timeout"};
    case Outcome::cancelled: return {ExitCode::try_again, "its asker gave it up", "try again"};
    case Outcome::refused:
      return {ExitCode::not_allowed, "the node or the actor does not take it",
              "'troupe types' shows what each kind takes"};
    case Outcome::undecodable:
      return {ExitCode::payload, "the message does not fit its fields",
              "'troupe types' shows what each kind takes"};
  }
  return {ExitCode::internal, "an outcome that this program does not know",
          "use the troupe program of the cluster's release"};
}

/// By the code at its beginning.
Problem problem_of_refusal(std::string_view text) {
  const auto colon = text.find(": ");
  const auto code = code_named(text.substr(0, colon));
  if (!code) {
    return {ExitCode::negative,
            text.empty() ? "the answer is no, without a reason" : std::string{text},
            "this is the node's answer",
            {}};
  }
  std::string_view what = colon == std::string_view::npos ? text : text.substr(colon + 2);
  std::string todo = todo_of(*code);
  const auto hint = what.rfind("; did you mean");
  if (hint != std::string_view::npos) {
    todo = what.substr(hint + 2);
    what = what.substr(0, hint);
  }
  return {exit_code_of(*code), std::string{what},
          "the node answers " + std::string{base::to_string(*code)}, std::move(todo)};
}

}  // namespace

Problem problem_of_connection(const base::Error& error, std::string_view servers) {
  const std::string where{servers};
  switch (error.code) {
    case Errc::unavailable:
    case Errc::timed_out:
    case Errc::closed:
      return {ExitCode::unreachable, "no node answers at " + where, error.context,
              "start one with 'trouped' or 'troupe dev', or name another with -s HOST:PORT"};
    case Errc::refused:
      return {ExitCode::not_allowed, "the node at " + where + " refused this client", error.context,
              todo_of(error.code)};
    case Errc::version_mismatch:
      return {ExitCode::version, "the node at " + where + " speaks another protocol version",
              error.context, todo_of(error.code)};
    case Errc::cluster_mismatch:
      return {ExitCode::configuration, "the node at " + where + " belongs to another cluster",
              error.context, todo_of(error.code)};
    case Errc::invalid_argument:
      return {ExitCode::usage, "cannot use the server list " + where, error.context,
              "write it as -s HOST:PORT,HOST:PORT"};
    default: break;
  }
  return {exit_code_of(error.code), "the connection to " + where + " failed", error.text(),
          todo_of(error.code)};
}

Problem problem_of_failure(const Failure& failure, std::string_view actor) {
  if (failure.kind == FailureKind::refusal) {
    return {ExitCode::negative,
            failure.text.empty() ? "the answer is no, without a reason" : failure.text,
            "this is the answer of " + quoted(actor),
            {}};
  }
  const OutcomeText text = text_of(failure.outcome);
  std::string why = failure.text.empty() ? std::string{text.what} : failure.text;
  if (failure.kind == FailureKind::not_run) {
    return {text.code, "the request to " + quoted(actor) + " was not run", std::move(why),
            text.todo};
  }
  return {failure.outcome == Outcome::undecodable ? ExitCode::internal : ExitCode::try_again,
          "the request to " + quoted(actor) + " may have run; no reply came", std::move(why),
          "find out what it did before you repeat it"};
}

Problem problem_of_control_failure(const Failure& failure, std::string_view servers) {
  if (failure.kind == FailureKind::refusal) {
    return problem_of_refusal(failure.text);
  }
  const bool has_stopped =
      failure.outcome == Outcome::stopped || failure.outcome == Outcome::no_such_actor;
  if (failure.kind == FailureKind::not_run && has_stopped) {
    return {ExitCode::unreachable, "the node at " + std::string{servers} + " is leaving",
            "it was not run: the control service of the node has stopped",
            "ask another node with -s HOST:PORT, or several with commas"};
  }
  return problem_of_failure(failure, "system/control");
}

Problem problem_of_outcome(Outcome outcome, std::string_view actor) {
  const OutcomeText text = text_of(outcome);
  return {text.code, quoted(actor) + " did not take the message: " + text.what,
          "the outcome is " + std::string{base::to_string(outcome)}, text.todo};
}

}  // namespace troupe::cli
