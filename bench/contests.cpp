#include "bench/contests.hpp"

#include <algorithm>
#include <thread>

namespace troupe::bench {

namespace {

enum class Peers : std::uint8_t { none, actors, channel };

struct LocalWork {
  const char* work;
  const char* program_work;
  const char* gate;
  double required;
  std::uint64_t count;
  const char* unit;
  bool less_is_better;
  Peers peers = Peers::actors;
};

// The counts take each contestant up to about half a second.
constexpr LocalWork local_works[] = {
    {"flood 1 to 1", "flood", "L1", 3, 2'000'000, "M/s", false},
    {"flood 1 to 1, window of 10,000", "flood-window", "L1", 3, 2'000'000, "M/s", false},
    {"fan-in 8 to 1", "fan-in-8", "L2", 3, 2'000'000, "M/s", false},
    {"fan-in 64 to 1", "fan-in-64", "L2", 3, 2'000'000, "M/s", false},
    {"ping-pong", "ping-pong", "L3", 5, 1'000'000, "ns", true},
    {"ring of 100", "ring-100", "L3", 5, 1'000'000, "ns", true},
    {"ring of 1,000", "ring-1000", "L3", 5, 1'000'000, "ns", true},
    {"ask, 1 outstanding", "ask-1", "L4", 3, 300'000, "M/s", false},
    {"ask, 64 outstanding", "ask-64", "L4", 3, 500'000, "M/s", false},
    {"spawn, one message, stop", "spawn", "L5", 4, 1'000'000, "M/s", false},
    {"idle actors beyond 64 B of state", "idle", "L6", 256, 1'000'000, "B", true},
    {"skynet", "skynet", "L7", 3, 1'000'000, "ms", true},
    {"savina fork-join", "fork-join", "L7", 3, 1'500'000, "M/s", false},
    {"savina chameneos", "chameneos", "L7", 3, 200'000, "M/s", false},
    {"savina big", "big", "L7", 3, 1'000'000, "M/s", false},
    {"savina philosophers", "philosophers", "L7", 3, 200'000, "M/s", false},
    {"savina bounded buffer", "bounded-buffer", "L7", 3, 400'000, "M/s", false},
    {"quiet actor's p99 beside four floods", "tail", "L8", 5, 1'000, "us", true},
    {"channel stream", "channel-stream", "L9", 3, 2'000'000, "M/s", false, Peers::channel},
    {"channel ping-pong", "channel-ping-pong", "L9", 3, 500'000, "ns", true, Peers::channel},
    {"floor: mailbox, one thread", "floor-1-thread", "", 0, 5'000'000, "M/s", false, Peers::none},
    {"floor: mailbox, two threads", "floor-2-threads", "", 0, 5'000'000, "M/s", false, Peers::none},
};

const std::string count_word = "{count}";

/// CAF with as many threads as we have workers, one a core, and with one, which suits some works
/// better.
std::vector<Contestant> actor_peers(const std::string& work) {
  const std::string cores = std::to_string(std::max(std::thread::hardware_concurrency(), 1U));
  return {{"CAF", {"bench-caf_local", work, count_word, cores}},
          {"CAF, 1 thread", {"bench-caf_local", work, count_word, "1"}},
          {"Erlang", {"erl", "+P", "4000000", "-run", "bench_local", "main", work, count_word}}};
}

Contest look_up_contest() {
  Contest contest;
  contest.work = "name look-up, among 1,000";
  contest.unit = "ns";
  contest.less_is_better = true;
  contest.count = 5'000'000;
  contest.ours = {"ours", {"bench-names", "look-up", count_word}};
  contest.gates = {{.id = "C4", .required = 50, .is_value_max = true}};
  return contest;
}

/// The peer is our own reference; 1.2 times its cost at most.
Contest send_to_name_contest() {
  Contest contest;
  contest.work = "send to a name";
  contest.unit = "ns";
  contest.less_is_better = true;
  contest.count = 10'000'000;
  contest.ours = {"ours", {"bench-names", "by-name", count_word}};
  contest.peers = {{"a reference", {"bench-names", "by-reference", count_word}}};
  contest.gates = {{"C4", 1 / 1.2, {}}};
  return contest;
}

}  // namespace

std::vector<Contest> local_contests() {
  std::vector<Contest> contests;
  for (const LocalWork& local : local_works) {
    Contest contest;
    contest.work = local.work;
    contest.unit = local.unit;
    contest.less_is_better = local.less_is_better;
    contest.count = local.count;
    contest.ours = {"ours", {"troupe-bench", "one", local.program_work, count_word}};
    if (local.peers == Peers::actors) {
      contest.peers = actor_peers(local.program_work);
    } else if (local.peers == Peers::channel) {
      contest.peers = {{"Asio", {"bench-asio_channel", local.program_work, count_word}}};
    }
    const std::string gate = local.gate;
    if (gate == "L6") {
      contest.count_min = 100'000;  // for pages to count little
      contest.gates = {{.id = gate, .required = local.required, .is_value_max = true}};
    } else if (gate == "L8") {
      contest.gates = {{gate, local.required, {"CAF", "CAF, 1 thread"}}};
    } else if (!gate.empty()) {
      contest.gates = {{gate, local.required, {}}};
    }
    contests.push_back(std::move(contest));
  }
  contests.push_back(look_up_contest());
  contests.push_back(send_to_name_contest());
  return contests;
}

std::vector<Contest> remote_contests() {
  // A fifth of our messages for those who are some twenty times slower.
  Contest flood;
  flood.work = "remote flood, 64 B";
  flood.unit = "M/s";
  flood.count = 200'000;
  flood.ours = {"ours", {"bench-remote", "flood", "{count}0"}};
  flood.peers = {
      {"CAF", {"bench-caf_remote", count_word, "10000"}},
      {"CAF, 1 thread", {"bench-caf_remote", count_word, "10000", "1"}},
      {"Erlang", {"erl", "-run", "bench_remote", "main", count_word}},
      {"libzmq", {"bench-zmq_flood", "one", "{count}0"}},
      {"libzmq, 64 KiB frames", {"bench-zmq_flood", "batch", "{count}00"}},
  };
  flood.gates = {{"R1", 20, {"Erlang"}},
                 {"R1", 40, {"CAF", "CAF, 1 thread"}},
                 {"R1", 2.5, {"libzmq"}},
                 {"R1", 0.5, {"libzmq, 64 KiB frames"}}};
  return {flood};
}

}  // namespace troupe::bench
