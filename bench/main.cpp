// troupe-bench GROUP [WORK] [--messages N] [--workers N]: measures this library. One line a work:
// its name, the figure, the unit. bench/run compares it with others.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/works.hpp"

namespace {

using troupe::bench::Order;

struct Work {
  std::string_view group;
  std::string_view name;
  void (*run)(const Order&);
};

constexpr Work works[] = {
    {"local", "ping-pong", &troupe::bench::ping_pong},
    {"local", "flood", &troupe::bench::flood},
#ifdef TROUPE_BENCH_REMOTE
    {"remote", "remote-flood", &troupe::bench::remote_flood},
#endif
};

int usage() {
  std::fprintf(stderr, "usage: troupe-bench GROUP [WORK] [--messages N] [--workers N]\nworks:\n");
  for (const Work& work : works) {
    std::fprintf(stderr, "  %s %s\n", work.group.data(), work.name.data());
  }
  return 64;
}

}  // namespace

int main(int argc, char** argv) {
  Order order;
  std::vector<std::string_view> words;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--")) {
      if (i + 1 == argc) {
        return usage();
      }
      const std::uint64_t value = std::strtoull(argv[++i], nullptr, 10);
      if (argument == "--messages") {
        order.messages = value;
      } else if (argument == "--workers") {
        order.workers = static_cast<std::uint32_t>(value);
      } else {
        return usage();
      }
    } else {
      words.push_back(argument);
    }
  }
#ifdef TROUPE_BENCH_REMOTE
  if (words.size() == 1 && words[0] == "receive") {
    return troupe::bench::remote_receiver();
  }
#endif
  bool is_known = false;
  for (const Work& work : works) {
    if (!words.empty() && words.size() <= 2 && work.group == words[0] &&
        (words.size() == 1 || work.name == words[1])) {
      is_known = true;
      work.run(order);
    }
  }
  return is_known ? 0 : usage();
}
