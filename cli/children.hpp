#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/errors.hpp"

namespace troupe::cli {

/// A program to start; the first word is its path.
struct ChildCommand {
  std::string name;
  std::vector<std::string> words;
};

struct ChildEnd {
  std::string name;
  std::string how;  ///< "exit code 3", "signal 9"
};

/// Programs that run as long as this one: interrupt and termination (SIGINT, SIGTERM, SIGHUP) are
/// passed on to them as SIGTERM, a second one as SIGKILL, and none outlives this process.
///
/// Not thread-safe; one at a time in a process, since signals are. Kills what still runs when it is
/// destroyed.
class Children {
 public:
  Children();
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// not_found if the program cannot be executed; unavailable if no process can be made.
  base::Result<void> start(const ChildCommand& command);
  /// Handles signals that have come, without waiting.
  void poll();
  /// Waits for at least one signal and handles it.
  void wait();
  /// The same as a signal from outside.
  void stop();

  /// Whether a signal asked for the end.
  [[nodiscard]] bool stop_requested() const;
  [[nodiscard]] std::size_t running() const;
  /// Those that ended since the last call.
  [[nodiscard]] std::vector<ChildEnd> take_ended();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::cli
