#include "cli/yaml.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "cli/json.hpp"

namespace troupe::cli {

namespace {

/// A word that YAML 1.1 and 1.2 both read as this very string.
bool is_plain(const std::string& text) {
  static constexpr std::array<std::string_view, 9> reserved{"true", "false", "yes", "no", "on",
                                                            "off",  "null",  "y",   "n"};
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) {
    return false;
  }
  std::string lower;
  for (const char c : text) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter > 0x7F || (std::isalnum(letter) == 0 && c != '_' && c != '-' && c != '.')) {
      return false;
    }
    lower += static_cast<char>(std::tolower(letter));
  }
  return std::find(reserved.begin(), reserved.end(), lower) == reserved.end();
}

std::string scalar(const Value& value) {
  if (const auto* text = value.text()) {
    return is_plain(*text) ? *text : to_json(value);
  }
  return to_json(value);  // null, numbers, empty list, empty object
}

bool is_block(const Value& value) {
  const auto* list = value.list();
  const auto* object = value.object();
  return (list && !list->empty()) || (object && !object->empty());
}

void write(const Value& value, const std::string& indent, std::string& out);

/// What follows "name:" or "-".
void write_after(const Value& value, const std::string& indent, std::string& out) {
  if (!is_block(value)) {
    out += " " + scalar(value) + "\n";
    return;
  }
  out += "\n";
  write(value, indent + "  ", out);
}

void write(const Value& value, const std::string& indent, std::string& out) {
  if (!is_block(value)) {
    out += indent + scalar(value) + "\n";
  } else if (const auto* list = value.list()) {
    for (const auto& element : *list) {
      out += indent + "-";
      write_after(element, indent, out);
    }
  } else {
    for (const auto& field : *value.object()) {
      out += indent + scalar(Value{field.name}) + ":";
      write_after(field.value, indent, out);
    }
  }
}

}  // namespace

std::string to_yaml(const Value& value) {
  std::string out;
  write(value, "", out);
  return out;
}

}  // namespace troupe::cli
