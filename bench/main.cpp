// troupe-bench: measures this library, alone or beside others. `troupe-bench help` says how.

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/compare.hpp"
#include "bench/contests.hpp"
#include "bench/figure.hpp"
#include "bench/works.hpp"

namespace {

using troupe::bench::CompareOptions;
using troupe::bench::Order;
using troupe::bench::Work;

int usage(std::FILE* out) {
  std::fprintf(out,
               "usage: troupe-bench local|remote|all [--json FILE] [--rounds N] [--only REGEX]\n"
               "                    [--scale F]\n"
               "         measures this library and its peers in turn, and prints medians, ratios\n"
               "         and gates; only the works whose name has REGEX, F times as much of each\n"
               "       troupe-bench one WORK COUNT [WORKERS]\n"
               "         measures one work of this library\nworks:");
  for (const Work& work : troupe::bench::works) {
    std::fprintf(out, " %s", work.name.data());
  }
  std::fprintf(out, "\n");
  return out == stdout ? 0 : 64;
}

/// The folder of this program, where the peers' programs lie too.
std::string own_folder() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  troupe::bench::require(length > 0, "readlink");
  const std::string program(path, static_cast<std::size_t>(length));
  return program.substr(0, program.rfind('/'));
}

int run_one(const std::vector<std::string_view>& words) {
  if (words.size() < 3 || words.size() > 4) {
    return usage(stderr);
  }
  const auto number = [&](std::size_t i) {
    return words.size() > i ? std::strtoull(words[i].data(), nullptr, 10) : 0;
  };
  const Order order{number(2), static_cast<std::uint32_t>(number(3))};
  for (const Work& work : troupe::bench::works) {
    if (work.name == words[1] && order.count != 0) {
      work.run(order);
      return 0;
    }
  }
  return usage(stderr);
}

std::optional<CompareOptions> read_options(const std::vector<std::string_view>& words) {
  CompareOptions options;
  options.folder = own_folder();
  for (std::size_t i = 1; i < words.size(); i += 2) {
    if (i + 1 == words.size()) {
      return std::nullopt;
    }
    const char* value = words[i + 1].data();
    if (words[i] == "--json") {
      options.json = value;
    } else if (words[i] == "--rounds") {
      options.rounds = std::strtoull(value, nullptr, 10);
    } else if (words[i] == "--only") {
      options.only = value;
    } else if (words[i] == "--scale") {
      options.scale = std::strtod(value, nullptr);
    } else {
      return std::nullopt;
    }
  }
  if (options.rounds == 0 || options.scale <= 0) {
    return std::nullopt;
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const std::string_view command = words.empty() ? "" : words[0];
  if (command == "one") {
    return run_one(words);
  }
  if (command == "help" || command == "--help" || command == "-h") {
    return usage(stdout);
  }
  if (command != "local" && command != "remote" && command != "all") {
    return usage(stderr);
  }
  auto options = read_options(words);
  if (!options) {
    return usage(stderr);
  }
  try {
    std::vector<troupe::bench::Contest> contests;
    if (command != "remote") {
      contests = troupe::bench::local_contests();
    }
    if (command != "local") {
      for (auto& contest : troupe::bench::remote_contests()) {
        contests.push_back(std::move(contest));
      }
    }
    return troupe::bench::compare(contests, *options);
  } catch (const std::exception& error) {  // a bad expression, a file that cannot be written
    std::fprintf(stderr, "troupe-bench: %s\n", error.what());
    return 64;
  }
}
