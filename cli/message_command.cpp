#include <algorithm>
#include <istream>
#include <sstream>

#include "base/message.hpp"
#include "base/suggest.hpp"
#include "cli/commands.hpp"
#include "cli/json_payload.hpp"
#include "cli/payload_source.hpp"

namespace troupe::cli {

namespace {

constexpr std::string_view system_prefix = "system/";

/// What is known of the receiver. Not described are hidden actors of the system, and actors of a
/// kind that only their own node knows while that node does not answer.
struct Receiver {
  bool is_described = false;
  Structs structs;
};

Problem unknown_message(const MessageCommand& command, const control::KindRow& kind) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& message : kind.messages) {
    names.push_back(message.name);
    list += (list.empty() ? "" : ", ") + message.name;
  }
  const std::string hint = base::did_you_mean(command.message, names);
  return {ExitCode::unknown,
          "'" + command.actor + "' does not understand '" + command.message + "'",
          "its kind, " + kind.kind + ", takes " + (list.empty() ? "nothing" : list),
          hint.empty() ? "'troupe types " + kind.kind + "' shows the fields of each" : hint};
}

/// Adds the name that was probably meant, if the node did not.
Problem unknown_actor(Problem problem, const std::string& actor, const Asking& asking) {
  if (problem.code != ExitCode::unknown || problem.todo.starts_with("did you mean")) {
    return problem;
  }
  const auto list = ask_control(asking, control::List{});
  if (list.ok()) {
    std::vector<std::string> names;
    for (const auto& row : list->names) {
      names.push_back(row.name);
    }
    const std::string hint = base::did_you_mean(actor, names);
    problem.todo = hint.empty() ? problem.todo : hint;
  }
  return problem;
}

Checked<Receiver> find_receiver(const MessageCommand& command, const Context& context) {
  auto described = ask_control(context.asking(), control::Describe{.name = command.actor});
  if (!described.ok()) {
    const bool is_system = command.actor.starts_with(system_prefix);
    if (is_system && described.error().code == ExitCode::unknown) {
      return Receiver{};
    }
    return unknown_actor(described.error(), command.actor, context.asking());
  }
  if (described->kind.kind.empty()) {
    return Receiver{};
  }
  const auto& kind = described->kind;
  const auto message = std::find_if(kind.messages.begin(), kind.messages.end(),
                                    [&](const auto& one) { return one.name == command.message; });
  if (message == kind.messages.end()) {
    return unknown_message(command, kind);
  }
  if (command.wants_reply && message->reply.empty()) {
    return Problem{ExitCode::usage,
                   "'" + command.message + "' has no reply, so it cannot be asked",
                   {},
                   "send it: troupe send " + command.actor + " " + command.message};
  }
  return Receiver{true, std::move(described->kind.structs)};
}

Checked<base::Bytes> encode(const MessageCommand& command, const Receiver& receiver,
                            std::string_view text) {
  const std::string fits =
      receiver.is_described
          ? command.message + " takes " + describe_struct(receiver.structs, command.message)
          : "write it as a JSON object";
  const auto payload = parse_payload(text, "the payload", fits);
  if (!payload.ok()) {
    return payload.error();
  }
  if (!receiver.is_described) {
    return encode_untyped(*payload);
  }
  auto body = encode_payload(receiver.structs, command.message, *payload);
  if (!body.ok()) {
    const bool broken = body.error().code == base::Errc::internal;
    return Problem{broken ? ExitCode::internal : ExitCode::payload, body.error().context, fits,
                   broken ? "report this with the actor's kind" : "nothing was sent"};
  }
  return std::move(*body);
}

/// Sends one payload and prints what comes back.
Done deliver(const MessageCommand& command, const Receiver& receiver, std::string_view text,
             Context& context) {
  auto body = encode(command, receiver, text);
  if (!body.ok()) {
    return body.error();
  }
  const auto answer = context.cluster.request({.target = command.actor,
                                               .type = base::fnv1a(command.message),
                                               .body = std::move(*body),
                                               .wants_receipt = !command.wants_reply,
                                               .timeout = context.settings.timeout});
  if (!answer.ok()) {
    return problem_of_connection(answer.error(), context.asking().servers);
  }
  if (const auto* failure = std::get_if<Failure>(&*answer)) {
    const bool is_control = command.actor == control::actor_name;
    return is_control ? problem_of_control_failure(*failure, context.asking().servers)
                      : problem_of_failure(*failure, command.actor);
  }
  if (const auto* outcome = std::get_if<base::Outcome>(&*answer)) {
    if (*outcome != base::Outcome::accepted) {
      return problem_of_outcome(*outcome, command.actor);
    }
    const Format format = context.output.options().format;
    if (format != Format::table && format != Format::wide && format != Format::name) {
      context.output.reply(Value::Object{{"outcome", "accepted"}});
    }
    return ExitCode::done;
  }
  const auto reply = decode_value(std::get<base::Bytes>(*answer));
  if (!reply.ok()) {
    return Problem{ExitCode::internal, "the reply of '" + command.actor + "' cannot be read",
                   reply.error().context, "report this with the actor's kind"};
  }
  context.output.reply(*reply);
  return ExitCode::done;
}

/// One message a line; goes on after a line that failed, but not without a connection.
Done deliver_lines(const MessageCommand& command, const Receiver& receiver, std::istream& lines,
                   Context& context) {
  std::size_t number = 0;
  std::size_t delivered = 0;
  ExitCode failed = ExitCode::done;
  std::string line;
  while (std::getline(lines, line)) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    const Done done = deliver(command, receiver, line, context);
    if (done.ok()) {
      ++delivered;
      context.output.flush();
      continue;
    }
    context.output.problem(done.error(), "line " + std::to_string(number));
    failed = done.error().code;
    if (failed == ExitCode::unreachable) {
      break;
    }
  }
  if (lines.bad()) {
    return Problem{ExitCode::input_file, "cannot read line " + std::to_string(number + 1), {}, {}};
  }
  return failed == ExitCode::done || delivered == 0 ? failed : ExitCode::partly_done;
}

}  // namespace

Done run_message(const MessageCommand& command, Context& context) {
  const bool streams = command.each_line && command.payload.value_or("-") == "-";
  auto text =
      streams ? Checked<std::string>{std::string{}} : read_payload(command.payload, context.input);
  if (!text.ok()) {
    return text.error();
  }
  const auto receiver = find_receiver(command, context);
  if (!receiver.ok()) {
    return receiver.error();
  }
  if (!command.each_line) {
    return deliver(command, *receiver, *text, context);
  }
  if (streams) {
    return deliver_lines(command, *receiver, context.input, context);
  }
  std::istringstream lines{*text};
  return deliver_lines(command, *receiver, lines, context);
}

}  // namespace troupe::cli
