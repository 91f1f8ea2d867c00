#pragma once

#include "cli/context.hpp"

namespace troupe::cli {

/// Each command prints its result and returns the exit code, or the problem that stood in the way.
using Done = Checked<ExitCode>;

[[nodiscard]] Done run_message(const MessageCommand& command, Context& context);
[[nodiscard]] Done run_spawn(const SpawnCommand& command, Context& context);
[[nodiscard]] Done run_stop(const StopCommand& command, Context& context);
[[nodiscard]] Done run_list(const ListCommand& command, Context& context);
[[nodiscard]] Done run_where(const WhereCommand& command, Context& context);
[[nodiscard]] Done run_why(const WhyCommand& command, Context& context);
[[nodiscard]] Done run_types(const TypesCommand& command, Context& context);
[[nodiscard]] Done run_status(const StatusCommand& command, Context& context);
[[nodiscard]] Done run_health(const HealthCommand& command, Context& context);
[[nodiscard]] Done run_wait(const WaitCommand& command, Context& context);
[[nodiscard]] Done run_node_list(const NodeListCommand& command, Context& context);
[[nodiscard]] Done run_drain(const DrainCommand& command, Context& context);
[[nodiscard]] Done run_ledger(const LedgerCommand& command, Context& context);

}  // namespace troupe::cli
