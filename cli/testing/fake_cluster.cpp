#include "cli/testing/fake_cluster.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace troupe::cli::testing {

namespace {

struct Increment {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Increment, by)
};
struct Get {
  TROUPE_MESSAGE(Get)
};
struct Create {
  std::string name;
  std::string email;
  TROUPE_MESSAGE(Create, name, email)
};
struct Cell {
  std::int64_t row = 0;
  std::optional<double> weight;
  TROUPE_MESSAGE(Cell, row, weight)
};
struct Fill {
  std::vector<Cell> cells;
  std::map<std::string, std::int64_t> counts;
  base::Bytes blob;
  bool flag = false;
  TROUPE_MESSAGE(Fill, cells, counts, blob, flag)
};
struct CounterArgs {
  std::int64_t start = 0;
  TROUPE_MESSAGE(CounterArgs, start)
};

template <class... Messages>
std::vector<base::StructSchema> schemas() {
  std::vector<base::StructSchema> structs;
  ((void)base::schema_of<Messages>(structs), ...);
  return structs;
}

std::string_view name_of(std::uint32_t type) {
  for (const std::string_view name : {"Status", "List", "Types", "Describe", "Spawn", "Stop",
                                      "Drain", "Ledger", "Health", "Why"}) {
    if (base::fnv1a(name) == type) {
      return name;
    }
  }
  return "";
}

}  // namespace

FakeCluster::FakeCluster() {
  types.kinds = {{"counter",
                  "CounterArgs",
                  {{"Increment", ""}, {"Get", "int"}},
                  schemas<Increment, Get, CounterArgs>()},
                 {"users", "", {{"Create", "User"}}, schemas<Create>()},
                 {"matrix", "", {{"Fill", "int"}}, schemas<Fill>()}};
  names = {{"grid", "matrix", "n1", 1, 7, "running"},
           {"hits", "counter", "n2", 3, 12884901889, "running"},
           {"people", "users", "n1", 1, 5, "running"}};
  status = {.cluster = "demo", .node = "n1", .ready = true, .epoch = 41, .members = {}};
  status.members = {{"n1", 1, "up", "tcp://127.0.0.1:7401", 412, 8100, 3, 7980000},
                    {"n2", 1, "up", "tcp://127.0.0.1:7402", 398, 7900, 0, 7980000},
                    {"n3", 2, "leaving", "tcp://127.0.0.1:7403", -1, -1, -1, -1}};
}

void FakeCluster::pause(base::Duration duration) {
  clock.advance(duration);
  if (on_pause) {
    on_pause();
  }
}

base::Result<Answer> FakeCluster::request(const Request& request) {
  if (!connection_errors.empty()) {
    const base::Error error = connection_errors.front();
    connection_errors.pop_front();
    return error;
  }
  if (request.target == control::actor_name) {
    return answer_control(request);
  }
  messages.push_back(request);
  if (on_message) {
    return on_message(request);
  }
  return request.wants_receipt ? Answer{base::Outcome::accepted} : Answer{base::Bytes{}};
}

base::Result<Answer> FakeCluster::answer_control(const Request& request) {
  const std::string_view name = name_of(request.type);
  const auto named = [&](const std::string& wanted) {
    return std::find_if(names.begin(), names.end(),
                        [&](const auto& row) { return row.name == wanted; });
  };
  const auto kind_named = [&](const std::string& wanted) {
    return std::find_if(types.kinds.begin(), types.kinds.end(),
                        [&](const auto& row) { return row.kind == wanted; });
  };
  if (name == "Status") return reply_with(status);
  if (name == "List") return reply_with(control::ListReply{names});
  if (name == "Types") return reply_with(types);
  if (name == "Ledger") return reply_with(ledger);
  if (name == "Health") return reply_with(health);
  if (name == "Drain") {
    drain_timeouts.push_back(request.timeout);
    return reply_with(drained);
  }
  if (name == "Describe") {
    const auto wanted = base::from_wire<control::Describe>(request.body)->name;
    const auto row = named(wanted);
    if (row == names.end()) {
      return refusal("not_found: no actor '" + wanted + "' in the cluster (3 nodes asked)");
    }
    return reply_with(control::DescribeReply{*row, *kind_named(row->kind)});
  }
  if (name == "Why") {
    const auto wanted = base::from_wire<control::Why>(request.body)->name;
    const auto row = named(wanted);
    if (row == names.end()) {
      return refusal("not_found: no actor '" + wanted + "' in the cluster (3 nodes asked)");
    }
    control::WhyReply reply = why;
    reply.where = *row;
    return holder_is_silent ? refusal("timed_out: node '" + row->node + "', which holds '" +
                                      wanted + "', does not answer")
                            : reply_with(reply);
  }
  if (name == "Spawn") {
    const auto wanted = *base::from_wire<control::Spawn>(request.body);
    spawned.push_back(wanted);
    if (kind_named(wanted.kind) == types.kinds.end()) {
      return refusal("not_found: no kind '" + wanted.kind + "'");
    }
    if (named(wanted.name) != names.end()) {
      return refusal("already_exists: the name '" + wanted.name + "' is taken");
    }
    names.push_back(
        {wanted.name, wanted.kind, wanted.node.empty() ? "n1" : wanted.node, 1, 9, "running"});
    return reply_with(names.back());
  }
  if (name == "Stop") {
    const auto row = named(base::from_wire<control::Stop>(request.body)->name);
    if (row == names.end()) {
      return refusal("not_found: no such name; did you mean 'hits'?");
    }
    const control::NameRow stopped = *row;
    names.erase(row);
    return reply_with(stopped);
  }
  return refusal("not_found: no such request");
}

}  // namespace troupe::cli::testing
