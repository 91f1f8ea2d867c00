#include "cli/output.hpp"

#include <algorithm>
#include <ostream>

#include "cli/json.hpp"
#include "cli/yaml.hpp"

namespace troupe::cli {

namespace {

constexpr std::string_view bold = "\033[1m";
constexpr std::string_view red = "\033[31m";
constexpr std::string_view plain = "\033[0m";

/// Text of others must not steer the terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    out += code < 0x20 || code == 0x7F ? ' ' : c;
  }
  return out;
}

/// Letters, not bytes, of UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
  if (name == "table") return Format::table;
  if (name == "wide") return Format::wide;
  if (name == "json") return Format::json;
  if (name == "jsonl") return Format::jsonl;
  if (name == "yaml") return Format::yaml;
  if (name == "name") return Format::name;
  return std::nullopt;
}

bool Output::structured(const Value& value) {
  switch (options_.format) {
    case Format::json: data_ << to_json(value, JsonStyle::indented) << '\n'; return true;
    case Format::yaml: data_ << to_yaml(value); return true;
    case Format::jsonl:
      if (const auto* list = value.list()) {
        for (const auto& element : *list) {
          data_ << to_json(element) << '\n';
        }
      } else {
        data_ << to_json(value) << '\n';
      }
      return true;
    case Format::table:
    case Format::wide:
    case Format::name: return false;
  }
  return false;
}

void Output::report(const Report& report) {
  if (structured(report.value)) {
    return;
  }
  if (options_.format == Format::name) {
    for (const auto& name : report.names) {
      data_ << printable(name) << '\n';
    }
    return;
  }
  if (!report.headline.empty()) {
    data_ << printable(report.headline) << '\n';
  }
  table(report);
}

void Output::table(const Report& report) {
  std::vector<std::size_t> shown;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    if (report.columns[i].is_wide && options_.format != Format::wide) {
      continue;
    }
    std::size_t width = width_of(report.columns[i].title);
    for (const auto& row : report.rows) {
      width = std::max(width, width_of(printable(row.at(i))));
    }
    shown.push_back(i);
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t at = 0; at < shown.size(); ++at) {
      const std::string cell = printable(cell_of(shown[at]));
      const std::string space(widths[at] - width_of(cell), ' ');
      text += at == 0 ? "" : "  ";
      text += report.columns[shown[at]].is_right_aligned ? space + cell : cell + space;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  if (shown.empty()) {
    return;
  }
  const std::string titles = line([&](std::size_t i) { return report.columns[i].title; });
  if (options_.has_colored_data) {
    data_ << bold << titles << plain << '\n';
  } else {
    data_ << titles << '\n';
  }
  for (const auto& row : report.rows) {
    data_ << line([&](std::size_t i) { return row.at(i); }) << '\n';
  }
}

void Output::reply(const Value& value) {
  if (options_.format == Format::jsonl) {
    data_ << to_json(value) << '\n';
  } else if (!structured(value) && !value.is_null()) {
    const auto* text = value.text();
    data_ << (text ? *text : to_json(value)) << '\n';
  }
}

void Output::done(std::string_view sentence, std::string_view name, const Value& value) {
  if (structured(value)) {
    return;
  }
  if (options_.format == Format::name) {
    data_ << printable(name) << '\n';
  } else if (!options_.quiet) {
    data_ << printable(sentence) << '\n';
  }
}

void Output::note(std::string_view text) {
  if (!options_.quiet) {
    notes_ << printable(text) << '\n';
    notes_.flush();
  }
}

void Output::problem(const Problem& problem, std::string_view place) {
  data_.flush();
  const bool colored = options_.has_colored_notes;
  notes_ << (colored ? red : "") << "error: " << (colored ? plain : "");
  if (!place.empty()) {
    notes_ << place << ": ";
  }
  notes_ << printable(problem.what) << '\n';
  if (!problem.why.empty()) {
    notes_ << "  why: " << printable(problem.why) << '\n';
  }
  if (!problem.todo.empty()) {
    notes_ << "  try: " << printable(problem.todo) << '\n';
  }
  notes_.flush();
}

void Output::text(std::string_view text) {
  data_ << text;
}

void Output::flush() {
  data_.flush();
}

}  // namespace troupe::cli
