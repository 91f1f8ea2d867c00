// CAF's actors in one process. Usage: bench-caf_local WORK COUNT [THREADS]; without THREADS CAF's
// own default.

#include <cstdlib>
#include <string_view>

#include "bench/peers/caf_works.hpp"

namespace {

struct Work {
  std::string_view name;
  void (*run)(caf::actor_system& system, std::uint64_t count);
};

constexpr Work works[] = {
    {"flood", &troupe::bench::flood},
    {"flood-window", &troupe::bench::flood_window},
    {"fan-in-8", &troupe::bench::fan_in_8},
    {"fan-in-64", &troupe::bench::fan_in_64},
    {"ping-pong", &troupe::bench::ping_pong},
    {"ring-100", &troupe::bench::ring_100},
    {"ring-1000", &troupe::bench::ring_1000},
    {"ask-1", &troupe::bench::ask_1},
    {"ask-64", &troupe::bench::ask_64},
    {"spawn", &troupe::bench::spawn},
    {"idle", &troupe::bench::idle},
    {"skynet", &troupe::bench::skynet},
    {"fork-join", &troupe::bench::fork_join},
    {"chameneos", &troupe::bench::chameneos_meet},
    {"big", &troupe::bench::big},
    {"philosophers", &troupe::bench::philosophers_dine},
    {"bounded-buffer", &troupe::bench::bounded_buffer},
    {"tail", &troupe::bench::tail},
};

}  // namespace

int main(int argc, char** argv) {
  troupe::bench::require(argc == 3 || argc == 4, "usage: bench-caf_local WORK COUNT [THREADS]");
  caf::actor_system_config config;
  if (argc == 4) {
    config.set("scheduler.max-threads", static_cast<std::size_t>(std::atoi(argv[3])));
  }
  caf::actor_system system{config};
  for (const Work& work : works) {
    if (work.name == argv[1]) {
      work.run(system, std::strtoull(argv[2], nullptr, 10));
      std::_Exit(0);  // its actors are not ended one by one
    }
  }
  troupe::bench::require(false, "no such work");
}
