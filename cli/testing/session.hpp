#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/run.hpp"
#include "cli/testing/fake_cluster.hpp"

namespace troupe::cli::testing {

/// One terminal at a fake cluster: calls the program and keeps what it printed.
class Session {
 public:
  /// Runs `troupe words…`; `out` and `err` hold what this call printed.
  ExitCode run(const std::vector<std::string>& words, const std::string& input = "") {
    std::istringstream in{input};
    std::ostringstream data;
    std::ostringstream notes;
    if (is_disk_full) {
      data.setstate(std::ios::badbit);
    }
    World world{.connect = [this](const Settings& settings) -> std::unique_ptr<Cluster> {
                  seen = settings;
                  return std::make_unique<Lent>(cluster);
                },
                .dev = [this](const DevCommand& command, const Settings&, Output&) -> Done {
                  dev_nodes = command.nodes;
                  return ExitCode::done;
                },
                .environment = [this](const std::string& name) -> std::optional<std::string> {
                  const auto found = environment.find(name);
                  return found == environment.end() ? std::nullopt : std::optional{found->second};
                },
                .clock = cluster.clock,
                .input = in,
                .data = data,
                .notes = notes,
                .data_is_terminal = is_terminal,
                .notes_are_terminal = is_terminal};
    const ExitCode code = cli::run(words, world);
    out = data.str();
    err = notes.str();
    return code;
  }

  FakeCluster cluster;
  std::map<std::string, std::string> environment;
  bool is_terminal = false;
  bool is_disk_full = false;
  Settings seen;
  int dev_nodes = 0;
  std::string out;
  std::string err;

 private:
  struct Lent final : Cluster {
    explicit Lent(FakeCluster& lent) : cluster(lent) {}
    base::Result<Answer> request(const Request& request) override {
      return cluster.request(request);
    }
    void pause(base::Duration duration) override { cluster.pause(duration); }
    FakeCluster& cluster;
  };
};

}  // namespace troupe::cli::testing
