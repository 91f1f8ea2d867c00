#include "cli/payload_source.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>
#include <utility>

#include "cli/json.hpp"

namespace troupe::cli {

namespace {

Checked<std::string> read_all(std::istream& from, const std::string& name) {
  std::string text;
  char buffer[4096];
  while (from.read(buffer, sizeof buffer) || from.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(from.gcount()));
    if (text.size() > payload_bytes_max) {
      return Problem{ExitCode::payload, "the payload in " + name + " is too large",
                     "a message has at most 16 MiB", "send less"};
    }
  }
  if (from.bad()) {
    return Problem{ExitCode::input_file, "cannot read " + name, std::strerror(errno), {}};
  }
  return text;
}

}  // namespace

Checked<std::string> read_payload(const std::optional<std::string>& argument, std::istream& input) {
  if (!argument) {
    return std::string{"{}"};
  }
  if (*argument == "-") {
    return read_all(input, "standard input");
  }
  if (!argument->starts_with('@')) {
    return *argument;
  }
  const std::string path = argument->substr(1);
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    return Problem{ExitCode::input_file, "cannot open '" + path + "'", std::strerror(errno),
                   "after @ comes the path of a file that holds the JSON"};
  }
  return read_all(file, "'" + path + "'");
}

Checked<Value> parse_payload(std::string_view text, const std::string& name,
                             const std::string& fits) {
  auto value = parse_json(text);
  if (value.ok()) {
    return std::move(*value);
  }
  if (value.error().code == base::Errc::malformed) {
    return Problem{ExitCode::payload, name + " is not JSON: " + value.error().context, fits,
                   "put it between single quotes for the shell"};
  }
  return Problem{ExitCode::payload, value.error().context, fits, "nothing was sent"};
}

}  // namespace troupe::cli
