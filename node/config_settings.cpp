#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "node/detail/config_sources.hpp"
#include "transport/address.hpp"

namespace troupe::node::detail {

namespace {

constexpr std::uint32_t workers_max = 1024;
constexpr base::Duration drain_timeout_max = std::chrono::hours{1};
constexpr std::size_t label_bytes_max = 255;

using std::string_view_literals::operator""sv;

base::Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || stop != text.data() + text.size() || number > max) {
    return base::Error{base::Errc::invalid_argument, ""};
  }
  return number;
}

/// "1500ms", "20s", "2m".
base::Result<base::Duration> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view suffix;
    base::Duration length;
  };
  static constexpr Unit units[] = {{"ms", std::chrono::milliseconds{1}},
                                   {"s", std::chrono::seconds{1}},
                                   {"m", std::chrono::minutes{1}}};
  for (const Unit& unit : units) {
    if (text.ends_with(unit.suffix)) {
      const auto most = static_cast<std::uint64_t>(drain_timeout_max / unit.length);
      const auto count = parse_number(text.substr(0, text.size() - unit.suffix.size()), most);
      if (count.ok()) {
        return unit.length * static_cast<base::Duration::rep>(count.value());
      }
      return count.error();
    }
  }
  return base::Error{base::Errc::invalid_argument, ""};
}

/// Takes one checked value over; the returned text says why it is not allowed, or is empty where
/// the setting's own sentence says it.
struct Refused {
  std::string why;
};
using Taken = std::optional<Refused>;

Taken take_checked(std::string why, std::string& to, const std::string& value) {
  if (!why.empty()) {
    return Refused{std::move(why)};
  }
  to = value;
  return {};
}

template <class T>
struct Word {
  std::string_view text;
  T value;
};

template <class T, std::size_t N>
Taken take_word(const Word<T> (&words)[N], auto& to, const std::string& value) {
  for (const auto& word : words) {
    if (word.text == value) {
      to = word.value;
      return {};
    }
  }
  return Refused{};
}

constexpr Word<base::LogLevel> log_levels[] = {{"debug", base::LogLevel::debug},
                                               {"info", base::LogLevel::info},
                                               {"warn", base::LogLevel::warn},
                                               {"error", base::LogLevel::error},
                                               {"off", base::LogLevel::off}};
constexpr Word<base::LogFormat> log_formats[] = {{"text", base::LogFormat::text},
                                                 {"json", base::LogFormat::json}};
constexpr Word<bool> booleans[] = {{"true", true},   {"1", true},  {"yes", true},
                                   {"false", false}, {"0", false}, {"no", false}};

template <class Number>
Taken take_number(Number& to, const std::string& value, std::uint64_t max) {
  const auto number = parse_number(value, max);
  if (!number.ok()) {
    return Refused{};
  }
  to = static_cast<Number>(number.value());
  return {};
}

Taken take(std::string_view key, const std::string& value, Config& config) {
  if (key == "name") return take_checked(why_not_name(value), config.name, value);
  if (key == "cluster") return take_checked(why_not_name(value), config.cluster, value);
  if (key == "listen") return take_checked(why_not_listen(value), config.listen, value);
  if (key == "advertise") return take_checked(why_not_advertise(value), config.advertise, value);
  if (key == "seeds") return take_checked(why_not_seed(value), config.seeds.emplace_back(), value);
  if (key == "data") return take_checked({}, config.data, value);
  if (key == "insecure") return take_word(booleans, config.insecure, value);
  if (key == "workers") return take_number(config.workers, value, workers_max);
  if (key == "http") return take_checked(why_not_http(value), config.http, value);
  if (key == "log-level") return take_word(log_levels, config.log_level, value);
  if (key == "log-format") return take_word(log_formats, config.log_format, value);
  if (key == "load") return take_checked({}, config.plugins.emplace_back(), value);
  if (key == "demo") return take_word(booleans, config.demo, value);
  if (key == "seed") {
    return take_number(config.seed, value, std::numeric_limits<std::uint64_t>::max());
  }
  if (key == "label") {
    const std::size_t sign = value.find('=');
    if (std::string why = why_not_label(value); !why.empty()) {
      return Refused{std::move(why)};
    }
    config.labels[value.substr(0, sign)] = value.substr(sign + 1);
    return {};
  }
  TROUPE_CHECK(key == "drain-timeout", "a setting without a place in the configuration");
  const auto duration = parse_duration(value);
  if (!duration.ok()) {
    return Refused{};
  }
  config.drain_timeout = duration.value();
  return {};
}

std::string why_not_address(const std::string& address, bool is_for_connecting) {
  const auto parsed = transport::parse_address(address);
  if (!parsed.ok()) {
    return parsed.error().context;
  }
  if (is_for_connecting && parsed->is_wildcard()) {
    return fmt::format("{} means all interfaces of a machine, and nobody can connect to that",
                       parsed->host);
  }
  if (is_for_connecting && parsed->port == 0) {
    return "nobody can connect to port 0";
  }
  return {};
}

}  // namespace

const std::vector<Setting>& settings() {
  using Kind = ValueKind;
  static const std::vector<Setting> all{
      {"name", Kind::text, "NAME", "1 to 64 letters, digits, '.', '_' or '-'", "n1",
       "this node's name, unique in the cluster [the host's name]"},
      {"listen", Kind::text, "ADDRESS", "tcp://HOST:PORT of this machine (* for all interfaces)",
       "tcp://127.0.0.1:7400", "where nodes and clients connect [tcp://127.0.0.1:7400]"},
      {"advertise", Kind::text, "ADDRESS", "tcp://HOST:PORT that the other nodes reach",
       "tcp://10.0.0.7:7400", "where others reach this node [derived from --listen]"},
      {"seeds", Kind::list, "ADDRESSES",
       "a list with commas of tcp://HOST:PORT, dns://HOST:PORT or file://PATH",
       "tcp://127.0.0.1:7401,tcp://127.0.0.1:7402",
       "first contacts: tcp://HOST:PORT, dns://HOST:PORT (all its addresses), file://PATH (one a "
       "line)"},
      {"data", Kind::text, "DIR", "a folder", "/var/lib/troupe",
       "what must survive a restart is kept here [nowhere]"},
      {"cluster", Kind::text, "NAME", "1 to 64 letters, digits, '.', '_' or '-'", "troupe",
       "nodes of different clusters refuse each other [troupe]"},
      {"insecure", Kind::flag, "", "true or false", "true", "listen beyond loopback without keys"},
      {"workers", Kind::number, "N", "a whole number from 0 to 1024 (0: one a core)", "4",
       "threads that run actors, 0 for one a core [0]"},
      {"http", Kind::text, "HOST:PORT", "HOST:PORT, where HOST is a numeric address or localhost",
       "127.0.0.1:9100", "serve /livez, /readyz and /metrics here [nowhere]"},
      {"log-level", Kind::text, "LEVEL", "debug, info, warn, error or off", "info",
       "debug, info, warn, error or off [info]"},
      {"log-format", Kind::text, "FORMAT", "text or json", "json",
       "text or json [text on a terminal, else json]"},
      {"load", Kind::list, "FILE", "the path of a plugin (.so)", "./greeter.so",
       "a plugin with actor kinds; may be repeated"},
      {"label", Kind::pairs, "KEY=VALUE", "KEY=VALUE", "zone=a",
       "what placement can ask for; may be repeated"},
      {"demo", Kind::flag, "", "true or false", "true",
       "bring the kinds counter, users, echo, square and the pool squares [on]"},
      {"drain-timeout", Kind::text, "TIME", "a time up to an hour with its unit: ms, s or m", "20s",
       "how long leaving may take [20s]"},
      {"seed", Kind::number, "N", "a whole number of at most 64 bits (0: a new one each start)",
       "42", "of all that is random here, 0 for a new one each start [0]"},
  };
  return all;
}

const Setting* find_setting(std::string_view key) {
  const auto& all = settings();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Setting& s) { return s.key == key; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> setting_keys() {
  std::vector<std::string> keys;
  for (const auto& setting : settings()) {
    keys.emplace_back(setting.key);
  }
  return keys;
}

std::string variable_of(std::string_view key) {
  std::string name = "TROUPE_";
  for (const char c : key) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

std::string example(const Setting& setting, Source source) {
  const bool is_flag = setting.kind == ValueKind::flag;
  const bool is_bare = setting.kind == ValueKind::number || is_flag;
  switch (source) {
    case Source::flag:
      return is_flag ? fmt::format("--{}", setting.key)
                     : fmt::format("--{} {}", setting.key, setting.example);
    case Source::environment:
      return fmt::format("{}={}", variable_of(setting.key), setting.example);
    case Source::file: break;
  }
  const std::string quote = is_bare ? "" : "\"";
  return fmt::format("{} = {}{}{}", setting.key, quote, setting.example, quote);
}

std::string Mistake::text() const {
  return what + "\n  why: " + why + "\n  try: " + todo;
}

base::Result<void, Mistake> apply(const Setting& setting, const Given& given, Config& config) {
  std::vector<std::string> values;
  for (const auto& value : given.values) {
    const bool is_split = setting.kind == ValueKind::list || setting.kind == ValueKind::pairs;
    for (auto& part : is_split ? split(value) : std::vector<std::string>{value}) {
      values.push_back(std::move(part));
    }
  }
  for (const auto& value : values) {
    const Taken refused = take(setting.key, value, config);
    if (refused) {
      return Mistake{fmt::format("{}: '{}' is not allowed", given.place, value),
                     refused->why.empty()
                         ? fmt::format("{} must be {}", setting.key, setting.allowed)
                         : refused->why,
                     example(setting, given.source)};
    }
  }
  return {};
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view part = list.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) {
      parts.emplace_back(part);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

std::string why_not_name(const std::string& name) {
  return transport::is_valid_name(name) ? std::string{}
                                        : "a name is 1 to 64 letters, digits, '.', '_' or '-'";
}

std::string why_not_listen(const std::string& address) {
  return why_not_address(address, false);
}
std::string why_not_advertise(const std::string& address) {
  return why_not_address(address, true);
}

std::string why_not_seed(const std::string& seed) {
  if (seed.starts_with("file://")) {
    return seed.size() > "file://"sv.size() ? "" : "file:// needs the path of a file";
  }
  if (seed.starts_with("dns://")) {
    return why_not_address("tcp://" + seed.substr("dns://"sv.size()), true);
  }
  if (seed.starts_with("tcp://")) {
    return why_not_address(seed, true);
  }
  return "a seed begins with tcp://, dns:// or file://";
}

std::string why_not_http(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return "it must be HOST:PORT";
  }
  const std::string host = address.substr(0, colon);
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const bool is_numeric =
      !host.empty() && host.find_first_not_of("0123456789.") == std::string::npos;
  if (!is_bracketed && !is_numeric && host != "localhost") {
    return "the host must be a numeric address of this machine, or localhost";
  }
  return parse_number(std::string_view{address}.substr(colon + 1), 65'535).ok()
             ? ""
             : "the port must be a number from 0 to 65535";
}

std::string why_not_label(const std::string& pair) {
  const std::size_t sign = pair.find('=');
  if (sign == std::string::npos) {
    return "a label is KEY=VALUE";
  }
  if (!transport::is_valid_name(pair.substr(0, sign))) {
    return "a label's key is 1 to 64 letters, digits, '.', '_' or '-'";
  }
  const std::size_t value_bytes = pair.size() - sign - 1;
  return value_bytes >= 1 && value_bytes <= label_bytes_max
             ? ""
             : fmt::format("a label's value has 1 to {} bytes", label_bytes_max);
}

}  // namespace troupe::node::detail
