#include <algorithm>
#include <charconv>

#include "cli/commands.hpp"
#include "cli/duration.hpp"

namespace troupe::cli {

namespace {

constexpr base::Duration wait_default = std::chrono::seconds{30};
constexpr base::Duration request_max = std::chrono::seconds{1};
constexpr base::Duration pause_between = std::chrono::milliseconds{100};

struct Condition {
  enum class Kind { nodes, ready, name };
  Kind kind = Kind::ready;
  std::size_t nodes = 0;
  std::string name;
};

Checked<Condition> parse_condition(std::string_view text) {
  const auto equals = text.find('=');
  const std::string_view key = text.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  if (text == "ready") {
    return Condition{};
  }
  if (key == "name" && !value.empty()) {
    return Condition{.kind = Condition::Kind::name, .name = std::string{value}};
  }
  std::size_t nodes = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), nodes);
  if (key == "nodes" && error == std::errc{} && end == value.data() + value.size() && nodes > 0) {
    return Condition{.kind = Condition::Kind::nodes, .nodes = nodes};
  }
  return Problem{ExitCode::usage,
                 "cannot wait for '" + std::string{text} + "'",
                 {},
                 "use --for nodes=COUNT, --for ready or --for name=NAME"};
}

/// Empty if it holds, else what is missing.
Checked<std::string> missing(const Condition& condition, const Asking& asking) {
  if (condition.kind == Condition::Kind::name) {
    const auto where = ask_control(asking, control::Describe{.name = condition.name});
    if (where.ok()) {
      return where->where.state == "running" ? std::string{}
                                             : "'" + condition.name + "' is " + where->where.state;
    }
    if (where.error().code == ExitCode::unknown) {
      return where.error().what;
    }
    return where.error();
  }
  if (condition.kind == Condition::Kind::ready) {
    const auto health = ask_control(asking, control::Health{});
    if (!health.ok()) {
      return health.error();
    }
    return health->ready ? std::string{}
                         : "not ready" + (health->reason.empty() ? "" : ": " + health->reason);
  }
  const auto status = ask_control(asking, control::Status{});
  if (!status.ok()) {
    return status.error();
  }
  const auto up = static_cast<std::size_t>(
      std::count_if(status->members.begin(), status->members.end(),
                    [](const auto& member) { return member.state == "up"; }));
  return up >= condition.nodes
             ? std::string{}
             : std::to_string(up) + " of " + std::to_string(condition.nodes) + " nodes are up";
}

/// Whether asking again can help.
bool is_passing(ExitCode code) {
  return code == ExitCode::unreachable || code == ExitCode::try_again;
}

}  // namespace

Done run_wait(const WaitCommand& command, Context& context) {
  std::vector<Condition> conditions;
  for (const auto& text : command.conditions) {
    auto condition = parse_condition(text);
    if (!condition.ok()) {
      return condition.error();
    }
    conditions.push_back(std::move(*condition));
  }
  const base::Duration timeout =
      context.settings.timeout_given ? context.settings.timeout : wait_default;
  const base::TimePoint deadline = context.clock.now() + timeout;
  Asking asking = context.asking();
  std::size_t at = 0;
  Problem last{ExitCode::try_again, {}, {}, {}};
  while (at < conditions.size()) {
    const base::Duration left = deadline - context.clock.now();
    if (left <= base::Duration::zero()) {
      last.what = "gave up waiting for " + command.conditions[at] + " after " +
                  duration_text(timeout) + (last.what.empty() ? "" : ": " + last.what);
      last.todo = "'troupe status' shows the cluster; --timeout gives more time";
      return last;
    }
    asking.timeout = std::min(left, request_max);
    const auto lacks = missing(conditions[at], asking);
    if (!lacks.ok() && !is_passing(lacks.error().code)) {
      return lacks.error();
    }
    if (lacks.ok() && lacks->empty()) {
      ++at;
      continue;
    }
    last = lacks.ok() ? Problem{ExitCode::try_again, *lacks, {}, {}} : lacks.error();
    context.cluster.pause(std::min(pause_between, left));
  }
  return ExitCode::done;
}

}  // namespace troupe::cli
