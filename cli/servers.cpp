#include "cli/servers.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace troupe::cli {

namespace {

constexpr std::string_view scheme = "tcp://";
constexpr std::string_view standard_port = "7400";

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
      return std::isxdigit(c) != 0 || c == ':' || c == '.';
    });
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
}

base::Result<std::string> parse_server(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with(scheme)) {
    rest.remove_prefix(scheme.size());
  }
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && !rest.ends_with(']');
  const std::string_view host = has_port ? rest.substr(0, colon) : rest;
  const std::string_view port = has_port ? rest.substr(colon + 1) : standard_port;
  if (!is_host(host) || !is_port(port)) {
    return base::Error{base::Errc::invalid_argument,
                       "'" + std::string{text} + "' is not HOST or HOST:PORT"};
  }
  return std::string{scheme} + std::string{host} + ":" + std::string{port};
}

}  // namespace

base::Result<std::vector<std::string>> parse_servers(std::string_view list) {
  std::vector<std::string> servers;
  while (true) {
    const auto comma = list.find(',');
    const auto server = parse_server(list.substr(0, comma));
    if (!server.ok()) {
      return server.error();
    }
    servers.push_back(*server);
    if (comma == std::string_view::npos) {
      return servers;
    }
    list.remove_prefix(comma + 1);
  }
}

std::string servers_text(const std::vector<std::string>& servers) {
  std::string text;
  for (const auto& server : servers) {
    text += text.empty() ? "" : ", ";
    text += server.starts_with(scheme) ? server.substr(scheme.size()) : server;
  }
  return text;
}

}  // namespace troupe::cli
