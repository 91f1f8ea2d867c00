#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.hpp"
#include "cli/commands.hpp"
#include "cli/duration.hpp"
#include "cli/json.hpp"
#include "cli/json_payload.hpp"
#include "cli/payload_source.hpp"

namespace troupe::cli {

namespace {

Report name_report(const std::vector<control::NameRow>& rows, Value value) {
  Report report;
  report.columns = {{"NAME"},        {"KIND"},  {"NODE"},
                    {"EPOCH", true}, {"STATE"}, {"ACTOR", true, true}};
  for (const auto& row : rows) {
    report.rows.push_back({row.name, row.kind, row.node, std::to_string(row.epoch), row.state,
                           row.actor == 0 ? "-" : std::to_string(row.actor)});
    report.names.push_back(row.name);
  }
  report.value = std::move(value);
  return report;
}

/// "'people' (Users)", or who it is without a name.
std::string holder_text(const control::HeldWorker& held) {
  return held.name.empty() ? fmt::format("an actor of class {}", held.type)
                           : fmt::format("'{}' ({})", held.name, held.type);
}

Report why_report(const control::WhyReply& why) {
  const control::NameRow& where = why.where;
  Report report;
  report.headline = fmt::format("{} is {}: {}", where.name, why.state, why.verdict);
  report.columns = {{"ABOUT"}, {"KNOWN"}};
  const auto add = [&](const char* about, std::string known) {
    report.rows.push_back({about, std::move(known)});
  };
  add("holder", where.actor == 0
                    ? fmt::format("not yet, epoch {}", where.epoch)
                    : fmt::format("{}, epoch {}, actor {}", where.node, where.epoch, where.actor));
  if (!why.type.empty()) {
    add("class", why.type);
    add("mailbox",
        fmt::format("{} of {} messages", why.mailbox_messages, why.mailbox_messages_max));
  }
  if (!why.waits_for.empty()) {
    add("waits for", fmt::format("a reply of '{}'", why.waits_for));
  }
  for (const auto& held : why.held_workers) {
    add("worker",
        fmt::format("{} of {} kept by {} for {}", held.worker, why.workers, holder_text(held),
                    duration_text(std::chrono::milliseconds{held.held_ms})));
  }
  for (const auto& letter : why.dead_letters) {
    add("dead letter", fmt::format("{}: {}{}{}", letter.message, letter.reason,
                                   letter.cause.empty() ? "" : ": ", letter.cause));
  }
  report.names = {where.name};
  report.value = to_value(why);
  return report;
}

const control::KindRow* find_kind(const control::TypesReply& types, const std::string& kind) {
  const auto found = std::find_if(types.kinds.begin(), types.kinds.end(),
                                  [&](const auto& one) { return one.kind == kind; });
  return found == types.kinds.end() ? nullptr : &*found;
}

std::string kind_hint(const control::TypesReply& types, const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& one : types.kinds) {
    names.push_back(one.kind);
  }
  const std::string hint = base::did_you_mean(kind, names);
  return hint.empty() ? "'troupe types' lists the kinds" : hint;
}

/// The arguments as the kind wants them; without a known kind as they are.
Checked<base::Bytes> encode_args(const SpawnCommand& command, const control::KindRow* kind,
                                 const std::string& text) {
  if (!command.args) {
    return base::Bytes{};
  }
  const bool is_described = kind != nullptr && !kind->args.empty();
  const std::string fits =
      is_described ? command.kind + " takes " + describe_struct(kind->structs, kind->args)
                   : "arguments are a JSON object";
  const auto payload = parse_payload(text, "--args", fits);
  if (!payload.ok()) {
    return payload.error();
  }
  if (kind == nullptr) {
    return encode_untyped(*payload);
  }
  if (!is_described) {
    const auto* fields = payload->object();
    if (fields != nullptr && fields->empty()) {
      return base::Bytes{};
    }
    return Problem{ExitCode::payload, "'" + command.kind + "' takes no arguments",
                   "--args was " + to_json(*payload), "leave --args out"};
  }
  auto bytes = encode_payload(kind->structs, kind->args, *payload);
  if (!bytes.ok()) {
    const bool broken = bytes.error().code == base::Errc::internal;
    return Problem{broken ? ExitCode::internal : ExitCode::payload,
                   "--args: " + bytes.error().context, fits,
                   broken ? "report this with the actor's kind" : "nothing was spawned"};
  }
  return std::move(*bytes);
}

}  // namespace

Done run_spawn(const SpawnCommand& command, Context& context) {
  const auto text = read_payload(command.args, context.input);
  if (!text.ok()) {
    return text.error();
  }
  const auto types = ask_control(context.asking(), control::Types{});
  if (!types.ok()) {
    return types.error();
  }
  // A kind that is unknown here may be known on the node where it shall run.
  const auto* kind = find_kind(*types, command.kind);
  auto args = encode_args(command, kind, *text);
  if (!args.ok()) {
    return args.error();
  }
  const auto row = ask_control(context.asking(), control::Spawn{.kind = command.kind,
                                                                .name = command.name,
                                                                .node = command.node,
                                                                .args = std::move(*args),
                                                                .respawn = command.respawn});
  if (!row.ok()) {
    Problem problem = row.error();
    const bool has_hint = problem.todo.starts_with("did you mean");
    if (problem.code == ExitCode::unknown && kind == nullptr && !has_hint) {
      problem.todo = kind_hint(*types, command.kind);
    }
    return problem;
  }
  context.output.done("spawned " + row->name + " (" + row->kind + ") on " + row->node, row->name,
                      to_value(*row));
  return ExitCode::done;
}

Done run_stop(const StopCommand& command, Context& context) {
  const auto row = ask_control(context.asking(), control::Stop{.name = command.name});
  if (!row.ok()) {
    return row.error();
  }
  context.output.done("stopped " + row->name + " on " + row->node, row->name, to_value(*row));
  return ExitCode::done;
}

Done run_list(const ListCommand&, Context& context) {
  const auto list = ask_control(context.asking(), control::List{});
  if (!list.ok()) {
    return list.error();
  }
  context.output.report(name_report(list->names, *to_value(*list).find("names")));
  return ExitCode::done;
}

Done run_where(const WhereCommand& command, Context& context) {
  const auto described = ask_control(context.asking(), control::Describe{.name = command.name});
  if (!described.ok()) {
    return described.error();
  }
  context.output.report(name_report({described->where}, to_value(described->where)));
  return ExitCode::done;
}

Done run_why(const WhyCommand& command, Context& context) {
  const auto why = ask_control(context.asking(), control::Why{.name = command.name});
  if (!why.ok()) {
    return why.error();
  }
  context.output.report(why_report(*why));
  return ExitCode::done;
}

Done run_types(const TypesCommand& command, Context& context) {
  auto types = ask_control(context.asking(), control::Types{});
  if (!types.ok()) {
    return types.error();
  }
  if (!command.kind.empty()) {
    const auto* kind = find_kind(*types, command.kind);
    if (kind == nullptr) {
      return Problem{
          ExitCode::unknown, "there is no kind '" + command.kind + "'",
          "the connected node can spawn " + std::to_string(types->kinds.size()) + " kinds",
          kind_hint(*types, command.kind)};
    }
    types->kinds = {control::KindRow{*kind}};
  }
  Report report;
  report.columns = {{"KIND"}, {"MESSAGE"}, {"FIELDS"}, {"REPLY"}};
  for (const auto& kind : types->kinds) {
    report.names.push_back(kind.kind);
    if (!kind.args.empty()) {
      report.rows.push_back(
          {kind.kind, "(arguments)", describe_struct(kind.structs, kind.args), "-"});
    }
    for (const auto& message : kind.messages) {
      report.rows.push_back({kind.kind, message.name, describe_struct(kind.structs, message.name),
                             message.reply.empty() ? "-" : message.reply});
    }
  }
  report.value = *to_value(*types).find("kinds");
  context.output.report(report);
  return ExitCode::done;
}

}  // namespace troupe::cli
