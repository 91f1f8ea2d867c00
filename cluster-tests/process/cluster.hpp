#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/value.hpp"
#include "cluster-tests/process/process.hpp"

namespace troupe::cluster_tests {

/// What a run of `troupe` came to.
struct Ran {
  ExitCode exit_code = -1;
  std::string out;
  std::string err;
  base::Duration took{};

  /// Standard output as JSON; null if it is none.
  [[nodiscard]] cli::Value json() const;
  /// For the message of a failed expectation.
  [[nodiscard]] std::string text() const;
};

/// Real nodes on this machine, each in a folder of one temporary one, and the command line to talk
/// to them. Every test process has a loopback address of its own, so that tests run side by side.
///
/// Owned by one thread. Whatever still runs is killed at the end; after a failed test the logs are
/// printed.
class Cluster {
 public:
  Cluster();
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Starts n1, n2, … and waits until each sees all of them and the demo's pool is there. The first
  /// two are the seeds.
  void start_nodes(std::size_t count, const Words& flags = {});
  /// Starts a node under its name, also one that has run before, and does not wait for it.
  Process& start(const std::string& name, const Words& flags = {});
  /// Waits until each node that runs sees at least `count` that are up.
  void wait_for_nodes(std::size_t count);
  /// Waits until `observer` has declared `name` down; `since` is a mark of its log.
  bool wait_for_down(const std::string& observer, const std::string& name, std::size_t since,
                     base::Duration timeout = std::chrono::seconds{15});
  [[nodiscard]] std::size_t log_mark(const std::string& name);

  /// A node that was started.
  Process& node(const std::string& name);
  [[nodiscard]] std::vector<std::string> running();
  /// tcp://HOST:PORT of a node, whether it runs or not: names end in their number.
  [[nodiscard]] std::string address(const std::string& name) const;
  [[nodiscard]] std::uint16_t port(const std::string& name) const;
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  /// `troupe` with all nodes that run as its servers, or those that -s in `words` names.
  Ran troupe(const Words& words);
  /// The same asked of one node.
  Ran troupe_at(const std::string& node, Words words);
  /// The same, not waited for.
  std::unique_ptr<Process> begin(const Words& words);
  static Ran finish(Process& command, base::Duration timeout = std::chrono::seconds{60});
  /// `trouped` with exactly these words, run to its end.
  Ran trouped(const Words& words, const Words& environment = {});

  /// The node that `troupe where NAME` tells, or "" and a failure of the test.
  std::string node_of(const std::string& actor);
  /// Writes a file into the folder; its path.
  std::string write_file(const std::string& name, const std::string& content) const;

 private:
  [[nodiscard]] std::string servers();
  Words command_words(const Words& words);

  std::string folder_;
  std::string host_;
  std::map<std::string, std::unique_ptr<Process>> nodes_;
  int commands_ = 0;
};

/// A field of an object, or an element of a list; null if it is not there.
[[nodiscard]] cli::Value at(const cli::Value& value, std::string_view name);
[[nodiscard]] cli::Value at(const cli::Value& value, std::size_t index);
[[nodiscard]] std::size_t size_of(const cli::Value& value);
[[nodiscard]] std::string text_of(const cli::Value& value);
[[nodiscard]] std::int64_t number_of(const cli::Value& value);
/// The element of a list whose field `name` is `text`; null if there is none.
[[nodiscard]] cli::Value find_in(const cli::Value& list, std::string_view name,
                                 std::string_view text);

}  // namespace troupe::cluster_tests
