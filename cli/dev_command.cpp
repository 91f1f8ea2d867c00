#include "cli/dev_command.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <istream>

#include "cli/children.hpp"
#include "cli/dev_plan.hpp"
#include "cli/duration.hpp"
#include "cli/free_ports.hpp"

namespace troupe::cli {

namespace {

constexpr const char* default_cluster = "dev";
constexpr base::Duration start_max = std::chrono::seconds{30};
constexpr base::Duration request_max = std::chrono::seconds{1};
constexpr base::Duration pause_between = std::chrono::milliseconds{100};

/// A folder that lives as long as this object; its path is empty if it could not be made.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code ignored;
    std::string pattern = std::filesystem::temp_directory_path(ignored) / "troupe-dev-XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) {
      path_ = pattern;
    }
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
      std::filesystem::remove_all(path_, ignored);
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Checked<std::vector<std::uint16_t>> choose_ports(const DevCommand& command) {
  const auto count = static_cast<std::size_t>(command.nodes);
  if (command.port == 0) {
    auto ports = free_ports(count, default_port);
    if (!ports.empty()) {
      return ports;
    }
    return Problem{ExitCode::configuration,
                   "there are no free ports on this machine",
                   {},
                   "end programs that listen on 127.0.0.1"};
  }
  auto ports = ports_from(count, static_cast<std::uint16_t>(command.port));
  if (ports.empty()) {
    return Problem{ExitCode::configuration,
                   "ports from " + std::to_string(command.port) + " on are not free",
                   std::to_string(count) + " ports in a row are needed",
                   "choose another --port, or leave it out"};
  }
  return ports;
}

void tell_ended(Children& children, Output& output) {
  for (const auto& end : children.take_ended()) {
    output.note(end.name + " ended: " + end.how);
  }
}

/// Until all nodes are up; false if a signal or the end of the nodes came first.
Checked<bool> wait_until_up(std::size_t nodes, Children& children, Context& context) {
  Asking asking = context.asking();
  asking.timeout = request_max;
  const base::TimePoint deadline = context.clock.now() + start_max;
  Problem last{ExitCode::try_again, "the nodes do not see each other", {}, {}};
  while (context.clock.now() < deadline) {
    children.poll();
    if (children.stop_requested() || children.running() < nodes) {
      return false;
    }
    const auto status = ask_control(asking, control::Status{});
    if (!status.ok()) {
      last = status.error();
    } else if (status->ready && status->members.size() >= nodes) {
      return true;
    } else {
      last.why = std::to_string(status->members.size()) + " of " + std::to_string(nodes) +
                 " nodes after " + duration_text(start_max);
    }
    context.cluster.pause(pause_between);
  }
  return last;
}

struct DemoActor {
  const char* kind;
  const char* name;
};
// The nodes keep the pool `squares` themselves.
constexpr DemoActor demo_actors[] = {{"counter", "hits"}, {"users", "people"}, {"echo", "echo"}};

/// A demo actor that cannot be had is told and left out: the cluster is of use without it.
void spawn_demo_actors(Context& context) {
  for (const auto& actor : demo_actors) {
    const auto row =
        ask_control(context.asking(), control::Spawn{.kind = actor.kind, .name = actor.name});
    if (!row.ok() && row.error().code != ExitCode::negative) {
      context.output.note(std::string{"no demo actor '"} + actor.name + "': " + row.error().what);
    }
  }
}

/// Until no node runs any more; whether that was without being told to stop.
bool stay(Children& children, Output& output) {
  tell_ended(children, output);
  while (children.running() > 0) {
    children.wait();
    tell_ended(children, output);
  }
  return !children.stop_requested();
}

}  // namespace

Done run_dev(const DevCommand& command, const Settings& settings, Output& output,
             const DevWorld& world) {
  Settings own = settings;
  own.cluster = settings.cluster.empty() ? default_cluster : settings.cluster;
  const auto ports = choose_ports(command);
  if (!ports.ok()) {
    return ports.error();
  }
  const TemporaryFolder folder;
  if (folder.path().empty()) {
    return Problem{ExitCode::configuration, "cannot make a folder for the nodes' data",
                   std::strerror(errno), "set TMPDIR to a folder that can be written"};
  }
  Children children;
  for (const auto& node : plan_nodes({world.program, own.cluster, folder.path(), *ports})) {
    const auto started = children.start(node);
    if (!started.ok()) {
      return Problem{ExitCode::configuration, "cannot start a node", started.error().context,
                     "trouped must lie beside troupe"};
    }
  }
  own.servers = dev_addresses(*ports);
  const auto cluster = world.connect(own);
  std::istream no_input{nullptr};
  Context context{*cluster, world.clock, output, no_input, own};
  const auto up = wait_until_up(ports->size(), children, context);
  const bool interrupted = children.stop_requested();
  if (up.ok() && *up) {
    spawn_demo_actors(context);
    output.text(dev_greeting(own.cluster, *ports));
    output.flush();
  } else if (!interrupted) {
    children.stop();
  }
  const bool all_ended_alone = stay(children, output);
  if (!up.ok()) {
    return up.error();
  }
  if (!*up && !interrupted) {
    return Problem{ExitCode::configuration,
                   "a node ended while it was starting",
                   {},
                   "its log above says why"};
  }
  if (all_ended_alone) {
    return Problem{ExitCode::unreachable, "all nodes have ended", {}, "their logs above say why"};
  }
  return ExitCode::done;
}

}  // namespace troupe::cli
