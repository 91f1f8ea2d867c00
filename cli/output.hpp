#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/problem.hpp"
#include "cli/value.hpp"

namespace troupe::cli {

enum class Format { table, wide, json, jsonl, yaml, name };

/// The format called so by -o, if there is one.
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);

struct Column {
  std::string title;
  bool is_right_aligned = false;
  bool is_wide = false;  ///< only with -o wide
};

/// One result in all its forms.
struct Report {
  std::string headline;  ///< above the table; may be empty
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  ///< a cell for each column
  std::vector<std::string> names;              ///< for -o name
  Value value;                                 ///< for json, jsonl and yaml
};

struct OutputOptions {
  Format format = Format::table;
  bool quiet = false;              ///< no notes and no sentences
  bool has_colored_data = false;   ///< a terminal, and NO_COLOR is not set
  bool has_colored_notes = false;  ///< the same for what is not data
};

/// Data to one stream, everything else to the other. Not thread-safe; the streams outlive it.
class Output {
 public:
  Output(std::ostream& data, std::ostream& notes, OutputOptions options)
      : data_(data), notes_(notes), options_(options) {}

  void report(const Report& report);
  /// An actor's reply: texts and numbers bare, the rest as JSON; nothing for null.
  void reply(const Value& value);
  /// What was done: as a sentence, by name, or as the value.
  void done(std::string_view sentence, std::string_view name, const Value& value);
  /// For the person who waits; nothing with -q.
  void note(std::string_view text);
  /// In three lines: what, why, what to do. `place` comes before it, e.g. "line 3".
  void problem(const Problem& problem, std::string_view place = {});
  /// Text as it is, on the data stream: help and version.
  void text(std::string_view text);
  /// Lets the reader at the other end of a pipe see what was written.
  void flush();

  [[nodiscard]] const OutputOptions& options() const { return options_; }

 private:
  bool structured(const Value& value);
  void table(const Report& report);

  std::ostream& data_;
  std::ostream& notes_;
  OutputOptions options_;
};

}  // namespace troupe::cli
