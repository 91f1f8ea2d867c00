#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli/client_channel.hpp"
#include "cli/dev_command.hpp"
#include "cli/run.hpp"

namespace {

using namespace troupe;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>{value} : std::nullopt;
}

std::string node_program() {
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "trouped")
      .string();
}

}  // namespace

int main(int argc, char** argv) try {
  const base::SteadyClock clock;
  const auto connect = [&](const cli::Settings& settings) {
    return cli::connect_cluster(settings, clock);
  };
  const auto dev = [&](const cli::DevCommand& command, const cli::Settings& settings,
                       cli::Output& output) {
    return cli::run_dev(command, settings, output, {node_program(), clock, connect});
  };
  const cli::World world{.connect = connect,
                         .dev = dev,
                         .environment = variable,
                         .clock = clock,
                         .input = std::cin,
                         .data = std::cout,
                         .notes = std::cerr,
                         .data_is_terminal = isatty(STDOUT_FILENO) != 0,
                         .notes_are_terminal = isatty(STDERR_FILENO) != 0};
  return static_cast<int>(cli::run({argv + 1, argv + argc}, world));
} catch (const std::exception& error) {
  std::cerr << "error: troupe itself failed\n  why: " << error.what()
            << "\n  try: this is a bug of Troupe; please report it with the command\n";
  return static_cast<int>(troupe::cli::ExitCode::internal);
}
