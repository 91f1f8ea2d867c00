#include "node/config.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "node/detail/config_sources.hpp"
#include "transport/address.hpp"

namespace troupe::node {

namespace {

constexpr int exit_usage = 64;
constexpr int exit_configuration = 78;

using detail::Given;
using detail::Mistake;
using detail::Source;

/// An empty variable counts as not set: composing tools pass them on.
std::optional<std::string> variable(const Config::Environment& environment,
                                    const std::string& name) {
  const char* value = environment(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>{value};
}

Config::Parsed failed(const std::string& program, int exit_code, const Mistake& mistake) {
  return {.exit_code = exit_code, .text = program + ": " + mistake.text() + "\n"};
}

/// The host's name with the characters that a node's name may have.
std::string host_name() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0 || buffer[0] == '\0') {
    return "node";
  }
  std::string name{buffer.data()};
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        return !transport::is_valid_name(std::string_view{&c, 1});
      },
      '-');
  return name.substr(0, 64);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.");
}

Config::Parsed parse_as(const std::string& program, const std::vector<std::string>& arguments,
                        const Config::Environment& environment) {
  auto flags = detail::read_flags(program, arguments);
  if (!flags.ok()) {
    return failed(program, exit_usage, flags.error());
  }
  if (flags->text) {
    return {.text = *flags->text};
  }
  detail::GivenSettings in_file;
  const auto path = flags->file ? flags->file : variable(environment, "TROUPE_CONFIG");
  if (path) {
    auto read = detail::read_file(*path);
    if (!read.ok()) {
      return failed(program, exit_configuration, read.error());
    }
    in_file = std::move(read).value();
  }

  Config config;
  for (const auto& setting : detail::settings()) {
    const std::string key{setting.key};
    std::string& origin = config.origins[key] = "default";
    const auto take = [&](const Given& given) { return detail::apply(setting, given, config); };
    base::Result<void, Mistake> taken;
    int exit_code = exit_configuration;
    if (const auto flag = flags->given.find(key); flag != flags->given.end()) {
      origin = "flag";
      exit_code = exit_usage;
      taken = take(flag->second);
    } else if (const auto value = variable(environment, detail::variable_of(key))) {
      origin = "environment";
      taken = take({{*value}, Source::environment, detail::variable_of(key)});
    } else if (const auto line = in_file.find(key); line != in_file.end()) {
      origin = "file " + *path;
      taken = take(line->second);
    }
    if (!taken.ok()) {
      return failed(program, exit_code, taken.error());
    }
  }
  if (auto completed = config.complete(); !completed.ok()) {
    return {.exit_code = exit_configuration,
            .text = program + ": " + completed.error().context + "\n"};
  }
  return {.config = std::move(config)};
}

}  // namespace

Config Config::from_command_line(int argc, const char* const* argv) {
  std::string program = argc > 0 ? argv[0] : "trouped";
  program = program.substr(program.find_last_of('/') + 1);
  const std::vector<std::string> arguments{argv + std::min(argc, 1), argv + argc};
  Parsed parsed = parse_as(program, arguments, [](const std::string& name) {
    return static_cast<const char*>(std::getenv(name.c_str()));
  });
  if (!parsed.config) {
    std::fputs(parsed.text.c_str(), parsed.exit_code == 0 ? stdout : stderr);
    std::exit(parsed.exit_code);
  }
  return *std::move(parsed.config);
}

Config::Parsed Config::parse(const std::vector<std::string>& arguments,
                             const Environment& environment) {
  return parse_as("trouped", arguments, environment);
}

base::Result<void> Config::complete() {
  if (name.empty()) {
    name = host_name();
  }
  const auto refuse = [](const Mistake& mistake) {
    return base::Error{base::Errc::invalid_argument, mistake.text()};
  };
  const auto check = [&](std::string_view key, const std::string& value, const std::string& why) {
    const auto* setting = detail::find_setting(key);
    return why.empty() ? base::Result<void>{}
                       : refuse({fmt::format("{}: '{}' is not allowed", key, value), why,
                                 fmt::format("{} {}", key, setting->example)});
  };
  std::vector<base::Result<void>> checks{
      check("name", name, detail::why_not_name(name)),
      check("cluster", cluster, detail::why_not_name(cluster)),
      check("listen", listen, detail::why_not_listen(listen)),
      check("advertise", advertise, advertise.empty() ? "" : detail::why_not_advertise(advertise)),
      check("http", http, http.empty() ? "" : detail::why_not_http(http))};
  for (const auto& seed_address : seeds) {
    checks.push_back(check("seeds", seed_address, detail::why_not_seed(seed_address)));
  }
  for (const auto& [key, value] : labels) {
    const std::string pair = key + "=" + value;
    checks.push_back(check("label", pair, detail::why_not_label(pair)));
  }
  for (auto& result : checks) {
    if (!result.ok()) {
      return result;
    }
  }
  if (!insecure && !is_loopback(transport::parse_address(listen)->host)) {
    return refuse({fmt::format("listen: {} is reachable from other machines", listen),
                   "whoever reaches this node can command it, and there are no keys yet that would "
                   "keep strangers out",
                   "add --insecure if the network is yours alone, or listen on "
                   "tcp://127.0.0.1:7400"});
  }
  return {};
}

}  // namespace troupe::node
