#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/errors.hpp"
#include "base/outcome.hpp"
#include "cli/exit_code.hpp"

namespace troupe::cli {

/// Why a command ends without its result, in the three lines that a person reads.
struct Problem {
  ExitCode code = ExitCode::internal;
  std::string what;
  std::string why;   ///< may be empty
  std::string todo;  ///< may be empty
};

template <class T>
using Checked = base::Result<T, Problem>;

/// How a request failed, as the record kind "failure" says it.
enum class FailureKind : std::uint8_t { not_run = 1, may_have_run = 2, refusal = 3 };

struct Failure {
  FailureKind kind = FailureKind::may_have_run;
  base::Outcome outcome = base::Outcome::refused;
  std::string text;
};

/// A request that could not even be sent. `servers` is what -s said.
[[nodiscard]] Problem problem_of_connection(const base::Error& error, std::string_view servers);

/// A request to `actor` that failed, as far as it can be said honestly.
[[nodiscard]] Problem problem_of_failure(const Failure& failure, std::string_view actor);

/// A request to the control service that failed. Its refusals begin with a code: "not_found: no
/// actor 'hist' …; did you mean 'hits'?". That it has stopped means that its node is leaving.
[[nodiscard]] Problem problem_of_control_failure(const Failure& failure, std::string_view servers);

/// A send that ended in another outcome than accepted.
[[nodiscard]] Problem problem_of_outcome(base::Outcome outcome, std::string_view actor);

}  // namespace troupe::cli
