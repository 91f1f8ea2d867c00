#include "cli/run.hpp"

#include <ostream>

namespace troupe::cli {

namespace {

/// Calls the command's function.
struct Runner {
  const World& world;
  const Settings& settings;
  Output& output;

  Done operator()(const HelpCommand& command) const {
    output.text(command.text);
    return ExitCode::done;
  }
  Done operator()(const VersionCommand&) const {
    output.done("troupe " TROUPE_VERSION " (wire protocol 1)", TROUPE_VERSION,
                Value::Object{{"version", TROUPE_VERSION}, {"protocol", 1}});
    return ExitCode::done;
  }
  Done operator()(const DevCommand& command) const { return world.dev(command, settings, output); }
  Done operator()(const MessageCommand& command) const { return with(run_message, command); }
  Done operator()(const SpawnCommand& command) const { return with(run_spawn, command); }
  Done operator()(const StopCommand& command) const { return with(run_stop, command); }
  Done operator()(const ListCommand& command) const { return with(run_list, command); }
  Done operator()(const WhereCommand& command) const { return with(run_where, command); }
  Done operator()(const WhyCommand& command) const { return with(run_why, command); }
  Done operator()(const TypesCommand& command) const { return with(run_types, command); }
  Done operator()(const StatusCommand& command) const { return with(run_status, command); }
  Done operator()(const HealthCommand& command) const { return with(run_health, command); }
  Done operator()(const WaitCommand& command) const { return with(run_wait, command); }
  Done operator()(const NodeListCommand& command) const { return with(run_node_list, command); }
  Done operator()(const DrainCommand& command) const { return with(run_drain, command); }
  Done operator()(const LedgerCommand& command) const { return with(run_ledger, command); }

  template <class Held>
  Done with(Done (*function)(const Held&, Context&), const Held& command) const {
    const auto cluster = world.connect(settings);
    Context context{*cluster, world.clock, output, world.input, settings};
    return function(command, context);
  }
};

OutputOptions output_options(const World& world, const Settings& settings) {
  const bool no_color = !world.environment("NO_COLOR").value_or("").empty();
  return {settings.format, settings.quiet, world.data_is_terminal && !no_color,
          world.notes_are_terminal && !no_color};
}

}  // namespace

ExitCode run(const std::vector<std::string>& words, const World& world) {
  const auto arguments = parse_arguments(words, world.environment);
  const Settings settings = arguments.ok() ? arguments->settings : Settings{};
  Output output{world.data, world.notes, output_options(world, settings)};
  const Done done = arguments.ok() ? std::visit(Runner{world, settings, output}, arguments->command)
                                   : Done{arguments.error()};
  if (!done.ok()) {
    output.problem(done.error());
  }
  output.flush();
  if (!world.data) {
    output.problem({ExitCode::partly_done, "the result could not be written",
                    "standard output is closed or full", "what was asked for may have been done"});
    return ExitCode::partly_done;
  }
  return done.ok() ? *done : done.error().code;
}

}  // namespace troupe::cli
