#include "bench/compare.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "bench/child.hpp"

namespace troupe::bench {

namespace {

constexpr std::chrono::seconds timeout{300};

/// What a contestant has shown so far.
struct Showing {
  std::vector<double> figures;
  std::string gone;  ///< "missing" or "failed"

  [[nodiscard]] std::optional<double> median() const {
    if (figures.empty() || !gone.empty()) {
      return std::nullopt;
    }
    std::vector<double> sorted = figures;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = sorted.size() / 2;
    return sorted.size() % 2 != 0 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
};
using Showings = std::map<std::string, Showing>;

bool is_there(const std::string& file) {
  return access(file.c_str(), R_OK) == 0;
}

/// The words to run; empty if the program is missing.
std::vector<std::string> command_of(const Contest& contest, const Contestant& contestant,
                                    const CompareOptions& options) {
  std::vector<std::string> words = contestant.command;
  const auto count = std::max(
      contest.count_min,
      static_cast<std::uint64_t>(std::llround(static_cast<double>(contest.count) * options.scale)));
  for (std::string& word : words) {
    if (const auto at = word.find("{count}"); at != std::string::npos) {
      word.replace(at, 7, std::to_string(count));
    }
  }
  if (words[0] == "erl") {
    const auto module = std::find(words.begin(), words.end(), "-run") + 1;
    if (!is_there(options.folder + "/" + *module + ".beam")) {
      return {};
    }
    const std::vector<std::string> quiet{"-noshell", "-noinput", "-pa", options.folder};
    words.insert(words.begin() + 1, quiet.begin(), quiet.end());
  } else {
    words[0] = options.folder + "/" + words[0];
    if (!is_there(words[0])) {
      return {};
    }
  }
  return words;
}

void run_contestant(const Contest& contest, const Contestant& contestant,
                    const CompareOptions& options, Showing& showing) {
  const std::vector<std::string> command = command_of(contest, contestant, options);
  if (command.empty()) {
    showing.gone = "missing";
    return;
  }
  const ChildResult result = run_child(command, timeout);
  std::istringstream words{result.output};
  std::string work;
  std::string unit;
  double figure = 0;
  if (result.is_missing) {
    showing.gone = "missing";
  } else if (!result.failure.empty()) {
    showing.gone = "failed";
    std::fprintf(stderr, "bench: %s, %s: %s\n", contest.work.c_str(), contestant.name.c_str(),
                 result.failure.c_str());
  } else if (!(words >> work >> figure >> unit) || unit != contest.unit) {
    showing.gone = "failed";
    std::fprintf(stderr, "bench: %s, %s printed \"%s\"\n", contest.work.c_str(),
                 contestant.name.c_str(), result.output.c_str());
  } else {
    showing.figures.push_back(figure);
  }
}

void show_progress(const std::string& text) {
  if (isatty(STDERR_FILENO) != 0) {
    std::fprintf(stderr, "\r%-78s\r", text.c_str());
  }
}

Showings measure(const Contest& contest, const CompareOptions& options) {
  std::vector<Contestant> contestants{contest.ours};
  contestants.insert(contestants.end(), contest.peers.begin(), contest.peers.end());
  Showings showings;
  for (std::uint64_t round = 0; round < options.rounds; ++round) {
    for (const Contestant& contestant : contestants) {
      Showing& showing = showings[contestant.name];
      if (showing.gone.empty()) {
        show_progress(contest.work + ": round " + std::to_string(round + 1) + ", " +
                      contestant.name);
        run_contestant(contest, contestant, options, showing);
      }
    }
  }
  show_progress("");
  return showings;
}

/// How many times as good ours is as the best of these; nothing without both figures.
std::optional<double> ratio_to(const Contest& contest, const Showings& showings,
                               const std::vector<std::string>& names) {
  const auto ours = showings.at("ours").median();
  std::optional<double> best;
  for (const std::string& name : names) {
    if (const auto figure = showings.at(name).median();
        figure && (!best || (contest.less_is_better ? *figure < *best : *figure > *best))) {
      best = figure;
    }
  }
  if (!ours || !best) {
    return std::nullopt;
  }
  return contest.less_is_better ? *best / *ours : *ours / *best;
}

std::vector<std::string> names_over(const Contest& contest, const Gate& gate) {
  if (!gate.over.empty()) {
    return gate.over;
  }
  std::vector<std::string> names;
  for (const Contestant& peer : contest.peers) {
    names.push_back(peer.name);
  }
  return names;
}

/// Not without a figure of ours; nothing without a peer's.
std::optional<bool> is_met(const Contest& contest, const Gate& gate, const Showings& showings) {
  const auto ours = showings.at("ours").median();
  if (!ours || gate.is_value_max) {
    return ours && *ours <= gate.required;
  }
  const auto ratio = ratio_to(contest, showings, names_over(contest, gate));
  return ratio ? std::optional{*ratio >= gate.required} : std::nullopt;
}

std::string text_of(double value, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string requirement(const Contest& contest, const Gate& gate) {
  return gate.is_value_max ? "<= " + text_of(gate.required, "%g") + " " + contest.unit
                           : ">= " + text_of(gate.required, "%g");
}

void print_row(const char* work, const char* who, const char* median, const char* ratio,
               const char* gate) {
  char line[256];
  std::snprintf(line, sizeof line, "%-38s %-30s %14s %8s  %s", work, who, median, ratio, gate);
  std::string text{line};
  text.erase(text.find_last_not_of(' ') + 1);
  std::puts(text.c_str());
}

void print_contest(const Contest& contest, const Showings& showings) {
  const auto shown = [&](const std::string& name) {
    const Showing& showing = showings.at(name);
    const auto median = showing.median();
    return median ? text_of(*median, "%.4g") + " " + contest.unit : showing.gone;
  };
  print_row(contest.work.c_str(), "ours", shown("ours").c_str(), "", "");
  for (const Contestant& peer : contest.peers) {
    const auto ratio = ratio_to(contest, showings, {peer.name});
    print_row("", peer.name.c_str(), shown(peer.name).c_str(),
              ratio ? text_of(*ratio, "%.2f").c_str() : "", "");
  }
  for (const Gate& gate : contest.gates) {
    const auto ratio = ratio_to(contest, showings, names_over(contest, gate));
    const auto met = is_met(contest, gate, showings);
    const std::string who =
        "gate " + gate.id +
        (gate.is_value_max ? "" : ", over " + (gate.over.empty() ? "the best" : gate.over[0]));
    const std::string verdict = requirement(contest, gate) + ": " +
                                (!met   ? "not measured"
                                 : *met ? "met"
                                        : "not met");
    print_row("", who.c_str(), "", ratio ? text_of(*ratio, "%.2f").c_str() : "", verdict.c_str());
  }
  std::fflush(stdout);
}

template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

void add_records(const Contest& contest, const Showings& showings,
                 nlohmann::ordered_json& records) {
  for (const Gate& gate : contest.gates) {
    nlohmann::ordered_json peers = nlohmann::ordered_json::object();
    for (const std::string& name : names_over(contest, gate)) {
      peers[name] = or_null(showings.at(name).median());
    }
    nlohmann::ordered_json record;
    record["gate"] = gate.id;
    record["work"] = contest.work;
    record["ours"] = or_null(showings.at("ours").median());
    record["peers"] = peers;
    record["unit"] = contest.unit;
    record["ratio"] = or_null(ratio_to(contest, showings, names_over(contest, gate)));
    record["required"] = gate.required;
    record["met"] = or_null(is_met(contest, gate, showings));
    records.push_back(record);
  }
}

}  // namespace

int compare(const std::vector<Contest>& contests, const CompareOptions& options) {
  const std::regex only{options.only};
  nlohmann::ordered_json records = nlohmann::ordered_json::array();
  bool has_failed = false;
  print_row("work", "who", "median", "ratio", "gate");
  for (const Contest& contest : contests) {
    if (!std::regex_search(contest.work, only)) {
      continue;
    }
    const Showings showings = measure(contest, options);
    for (const auto& [name, showing] : showings) {
      has_failed =
          has_failed || showing.gone == "failed" || (showing.gone == "missing" && name == "ours");
    }
    print_contest(contest, showings);
    add_records(contest, showings, records);
  }
  std::printf("medians of %llu rounds; ratio: how many times as good as that peer\n",
              static_cast<unsigned long long>(options.rounds));
  if (!options.json.empty()) {
    std::ofstream file{options.json};
    file << records.dump(2) << '\n';
    if (!file.flush()) {
      throw std::runtime_error("cannot write " + options.json);
    }
  }
  return has_failed ? 1 : 0;
}

}  // namespace troupe::bench
