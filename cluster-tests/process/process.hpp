#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace troupe::cluster_tests {

using Words = std::vector<std::string>;

/// How a program ended: its exit code, or 128 and the number of the signal that killed it.
using ExitCode = int;

enum class Stream { output, errors };

/// A program that this test started, with both its outputs in files.
///
/// Owned by one thread. Killed and reaped when it is destroyed, and by the kernel if this process
/// dies first. Aborts if it cannot be started.
class Process {
 public:
  struct Start {
    Words words;            ///< the first one is the program's path
    std::string files;      ///< its outputs go to FILES.out and FILES.err, appended
    std::string directory;  ///< to run in; empty: this one's
    Words environment;      ///< NAME=VALUE; no other TROUPE_… variables are passed on
  };

  explicit Process(const Start& start);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number);
  /// Empty if it still runs after `timeout`.
  std::optional<ExitCode> wait(base::Duration timeout);
  [[nodiscard]] bool is_running() { return !wait(base::Duration::zero()); }
  [[nodiscard]] pid_t id() const { return id_; }

  /// What it wrote since it was started.
  [[nodiscard]] std::string text(Stream stream) const;
  /// Waits until `wanted` stands behind the first `from` bytes of what it wrote; false after
  /// `timeout`, or when it has ended without it.
  bool wait_for_text(Stream stream, const std::string& wanted, base::Duration timeout,
                     std::size_t from = 0);

 private:
  [[nodiscard]] std::string path(Stream stream) const;
  void run_child(const Start& start) const;

  std::string files_;
  std::size_t skipped_[2] = {0, 0};  ///< bytes of earlier programs in the same files
  pid_t id_ = -1;
  int handle_ = -1;  ///< pidfd: readable when the program has ended
  std::optional<ExitCode> exit_code_;
};

/// The time left until `deadline` for poll(), in milliseconds, rounded up.
[[nodiscard]] int poll_timeout(base::TimePoint deadline);
[[nodiscard]] base::TimePoint now();

}  // namespace troupe::cluster_tests
