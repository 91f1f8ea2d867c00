#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace troupe::cli {

/// Everything outside of the program, so that tests can bring their own. What it refers to outlives
/// run().
struct World {
  std::function<std::unique_ptr<Cluster>(const Settings&)> connect;
  /// Runs `troupe dev`; it starts programs and handles signals, so it stands for itself.
  std::function<Done(const DevCommand&, const Settings&, Output&)> dev;
  Environment environment;
  const base::Clock& clock;
  std::istream& input;
  std::ostream& data;
  std::ostream& notes;
  bool data_is_terminal = false;
  bool notes_are_terminal = false;
};

/// The whole program: reads the words of the command line, does it, and returns the exit code.
[[nodiscard]] ExitCode run(const std::vector<std::string>& words, const World& world);

}  // namespace troupe::cli
