#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/duration.hpp"

namespace troupe::cli {

namespace {

constexpr std::string_view state_up = "up";
constexpr base::Duration drain_default = std::chrono::minutes{2};

Report member_report(const control::StatusReply& status) {
  Report report;
  report.columns = {{"NODE"},        {"STATE"},      {"ADDRESS"},  {"ACTORS", true},
                    {"MSG/S", true}, {"MBOX", true}, {"UP", true}, {"INCARNATION", true, true}};
  for (const auto& member : status.members) {
    report.rows.push_back({member.name, member.state, member.address, figure_text(member.actors),
                           figure_text(member.messages_per_second),
                           figure_text(member.mailbox_messages), uptime_text(member.uptime_ms),
                           std::to_string(member.incarnation)});
    report.names.push_back(member.name);
  }
  report.value = to_value(status);
  return report;
}

std::size_t up_count(const control::StatusReply& status) {
  return static_cast<std::size_t>(
      std::count_if(status.members.begin(), status.members.end(),
                    [](const auto& member) { return member.state == state_up; }));
}

}  // namespace

Done run_status(const StatusCommand&, Context& context) {
  const auto status = ask_control(context.asking(), control::Status{});
  if (!status.ok()) {
    return status.error();
  }
  Report report = member_report(*status);
  report.headline = fmt::format("cluster {}   {}   {}/{} nodes   epoch {}", status->cluster,
                                status->ready ? "ready" : "not ready", up_count(*status),
                                status->members.size(), status->epoch);
  context.output.report(report);
  return ExitCode::done;
}

Done run_node_list(const NodeListCommand&, Context& context) {
  const auto status = ask_control(context.asking(), control::Status{});
  if (!status.ok()) {
    return status.error();
  }
  Report report = member_report(*status);
  report.value = Value{*report.value.find("members")};
  context.output.report(report);
  return ExitCode::done;
}

Done run_health(const HealthCommand& command, Context& context) {
  const auto health = ask_control(context.asking(), control::Health{});
  if (!health.ok()) {
    return health.error();
  }
  const bool wants_live = !command.only_ready;
  const bool wants_ready = !command.only_live;
  const bool good = (!wants_live || health->live) && (!wants_ready || health->ready);
  const std::string state = !health->live ? "not live" : health->ready ? "ready" : "not ready";
  const std::string reason = health->reason.empty() ? "" : ": " + health->reason;
  context.output.done(good ? (wants_ready ? "ready" : "live") : state + reason,
                      good ? "ok" : "not-ok", to_value(*health));
  return good ? ExitCode::done : ExitCode::negative;
}

Done run_drain(const DrainCommand& command, Context& context) {
  context.output.note("draining " + command.node + " …");
  Asking asking = context.asking();
  asking.timeout = context.settings.timeout_given ? context.settings.timeout : drain_default;
  const auto drained = ask_control(asking, control::Drain{.node = command.node});
  if (!drained.ok()) {
    return drained.error();
  }
  context.output.done(fmt::format("drained {} in {}: {} moved, {} lost", drained->node,
                                  duration_text(std::chrono::milliseconds{drained->duration_ms}),
                                  drained->moved, drained->lost),
                      drained->node, to_value(*drained));
  return drained->lost == 0 ? ExitCode::done : ExitCode::partly_done;
}

Done run_ledger(const LedgerCommand&, Context& context) {
  const auto ledger = ask_control(context.asking(), control::Ledger{.cluster_wide = true});
  if (!ledger.ok()) {
    return ledger.error();
  }
  bool balanced = true;
  Report report;
  report.columns = {{"NODE"},       {"SENT", true}, {"DELIVERED", true}, {"IN FLIGHT", true},
                    {"DEAD", true}, {"BALANCED"},   {"REASONS"}};
  for (const auto& node : ledger->nodes) {
    std::uint64_t dead = 0;
    std::string reasons;
    for (const auto& one : node.dead) {
      dead += one.count;
      if (one.count > 0) {
        reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", one.count, one.reason);
      }
    }
    balanced = balanced && node.balanced;
    report.names.push_back(node.node);
    report.rows.push_back({node.node, std::to_string(node.sent), std::to_string(node.delivered),
                           std::to_string(node.in_flight), std::to_string(dead),
                           node.balanced ? "yes" : "NO", reasons.empty() ? "-" : reasons});
  }
  report.headline = balanced ? "every message is accounted for" : "the ledger does NOT balance";
  report.value = Value::Object{{"nodes", *to_value(*ledger).find("nodes")}, {"balanced", balanced}};
  context.output.report(report);
  return balanced ? ExitCode::done : ExitCode::negative;
}

}  // namespace troupe::cli
