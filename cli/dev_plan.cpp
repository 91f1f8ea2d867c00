#include "cli/dev_plan.hpp"

#include <fmt/format.h>

#include "cli/arguments.hpp"

namespace troupe::cli {

std::vector<std::string> dev_addresses(const std::vector<std::uint16_t>& ports) {
  std::vector<std::string> addresses;
  for (const auto port : ports) {
    addresses.push_back(fmt::format("tcp://127.0.0.1:{}", port));
  }
  return addresses;
}

std::vector<ChildCommand> plan_nodes(const DevSetup& setup) {
  const auto addresses = dev_addresses(setup.ports);
  std::string seeds;
  for (const auto& address : addresses) {
    seeds += (seeds.empty() ? "" : ",") + address;
  }
  std::vector<ChildCommand> commands;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string name = fmt::format("n{}", i + 1);
    commands.push_back({name,
                        {setup.program, "--name", name, "--listen", addresses[i], "--seeds", seeds,
                         "--cluster", setup.cluster, "--data", setup.data + "/" + name}});
  }
  return commands;
}

std::string dev_greeting(const std::string& cluster, const std::vector<std::uint16_t>& ports) {
  std::string text = fmt::format("cluster {} is ready:", cluster);
  const auto addresses = dev_addresses(ports);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    text += fmt::format("\n  n{}  {}", i + 1, addresses[i]);
  }
  std::string call = "troupe";
  if (ports.front() != default_port) {
    call += fmt::format(" -s 127.0.0.1:{}", ports.front());
  }
  text += "\n\ntry in another terminal:";
  for (const char* words :
       {"status", "ls", "send hits Increment '{\"by\": 2}'", "ask hits Get",
        "ask people Create '{\"name\": \"Ada\", \"email\": \"ada@example.org\"}'",
        "ask squares Square '{\"number\": 12}'", "where hits"}) {
    text += "\n  " + call + " " + words;
  }
  return text + "\n\nctrl-c ends it\n";
}

}  // namespace troupe::cli
