#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/suggest.hpp"
#include "node/detail/config_sources.hpp"

namespace troupe::node::detail {

namespace {

/// Reads one parsed file. Tables may group the settings: [node] adds nothing to the names inside
/// it, [log] level is log-level, [drain] timeout is drain-timeout, [http] listen is http, and each
/// key of [labels] is a label.
class FileReader {
 public:
  explicit FileReader(std::string path) : path_(std::move(path)) {}

  std::optional<Mistake> read(const toml::table& table, const std::string& prefix = {}) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + with_dashes(std::string{name.str()});
      const auto line = name.source().begin.line;
      auto mistake = read_one(key, node, line);
      if (mistake) {
        return mistake;
      }
    }
    return {};
  }

  GivenSettings take() { return std::move(given_); }

 private:
  static std::string with_dashes(std::string key) {
    std::replace(key.begin(), key.end(), '_', '-');
    return key;
  }

  std::optional<Mistake> read_one(const std::string& key, const toml::node& node, unsigned line) {
    if (const toml::table* section = node.as_table()) {
      if (key == "labels" || key == "label" || key == "node-labels") {
        return read_labels(*section);
      }
      if (key == "node") {
        return read(*section);
      }
      if (key == "log" || key == "drain" || key == "http") {
        return read(*section, key + "-");
      }
      return unknown(key, line, true);
    }
    const Setting* setting = find_setting(key == "http-listen" ? "http" : key);
    if (setting == nullptr) {
      return unknown(key, line, false);
    }
    Given given{{}, Source::file, place(line, key)};
    if (!read_values(*setting, node, given.values)) {
      return Mistake{fmt::format("{}: {} is not allowed here", given.place, type_of(node)),
                     fmt::format("{} must be {}", setting->key, setting->allowed),
                     example(*setting, Source::file)};
    }
    if (!given_.emplace(setting->key, given).second) {
      return Mistake{fmt::format("{}: given twice", given.place),
                     fmt::format("the file sets {} in another place too", setting->key),
                     "remove one of the two"};
    }
    return {};
  }

  std::optional<Mistake> read_labels(const toml::table& labels) {
    for (const auto& [name, node] : labels) {
      const auto value = node.value<std::string>();
      const unsigned line = name.source().begin.line;
      const std::string key{name.str()};
      if (!node.is_string() || !value) {
        return Mistake{fmt::format("{}: {} is not allowed here", place(line, key), type_of(node)),
                       "a label's value is a string", fmt::format("{} = \"a\"", key)};
      }
      Given& given =
          given_.try_emplace("label", Given{{}, Source::file, place(line, "labels")}).first->second;
      given.values.push_back(key + "=" + *value);
    }
    return {};
  }

  static bool read_values(const Setting& setting, const toml::node& node,
                          std::vector<std::string>& values) {
    if (const toml::array* array = node.as_array()) {
      const bool takes_many = setting.kind == ValueKind::list || setting.kind == ValueKind::pairs;
      return takes_many && std::all_of(array->begin(), array->end(), [&](const toml::node& one) {
               return !one.is_array() && read_values(setting, one, values);
             });
    }
    if (node.is_string() && setting.kind != ValueKind::number && setting.kind != ValueKind::flag) {
      values.push_back(*node.value<std::string>());
      return true;
    }
    if (node.is_integer() && setting.kind == ValueKind::number) {
      values.push_back(std::to_string(*node.value<std::int64_t>()));
      return true;
    }
    if (node.is_boolean() && setting.kind == ValueKind::flag) {
      values.push_back(*node.value<bool>() ? "true" : "false");
      return true;
    }
    return false;
  }

  static std::string_view type_of(const toml::node& node) {
    switch (node.type()) {
      case toml::node_type::string: return "a string";
      case toml::node_type::integer: return "an integer";
      case toml::node_type::floating_point: return "a float";
      case toml::node_type::boolean: return "a boolean";
      case toml::node_type::array: return "this array";
      case toml::node_type::table: return "a table";
      default: return "a date or time";
    }
  }

  Mistake unknown(const std::string& key, unsigned line, bool is_section) const {
    std::vector<std::string> known = setting_keys();
    if (is_section) {
      known = {"node", "log", "drain", "http", "labels"};
    }
    const std::string closest = base::closest(key, known);
    return {fmt::format("{}: there is no {} '{}'", place(line), is_section ? "section" : "setting",
                        key),
            fmt::format("known are {}", fmt::join(known, ", ")),
            closest.empty() ? "remove it" : fmt::format("did you mean '{}'?", closest)};
  }

  [[nodiscard]] std::string place(unsigned line, const std::string& key = {}) const {
    return fmt::format("{}:{}", path_, line) + (key.empty() ? "" : ": " + key);
  }

  std::string path_;
  GivenSettings given_;
};

}  // namespace

base::Result<GivenSettings, Mistake> read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::string text(file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && in.fail()) {
    return Mistake{fmt::format("the configuration file '{}' cannot be read", path),
                   "there is no such file, or this user may not read it",
                   "--config or TROUPE_CONFIG with the path of a TOML file"};
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > file_bytes_max) {
    return Mistake{fmt::format("the configuration file '{}' is too large", path),
                   fmt::format("a configuration has at most {} bytes", file_bytes_max),
                   "check whether this is the right file"};
  }
  try {
    FileReader reader{path};
    if (auto mistake = reader.read(toml::parse(text, path))) {
      return *mistake;
    }
    return reader.take();
  } catch (const toml::parse_error& error) {
    return Mistake{fmt::format("{}:{}: this is not TOML", path, error.source().begin.line),
                   std::string{error.description()},
                   "correct this line; https://toml.io says how the format looks"};
  }
}

}  // namespace troupe::node::detail
