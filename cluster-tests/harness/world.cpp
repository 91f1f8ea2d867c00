#include "cluster-tests/harness/world.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "base/check.hpp"
#include "base/log.hpp"
#include "node/node_core.hpp"
#include "registry/cluster.hpp"
#include "registry/member.hpp"

namespace troupe::harness {

namespace {

constexpr std::size_t scheduler_steps_max = 100'000;
constexpr std::size_t rounds_an_instant_max = 100'000;
constexpr base::Duration end_time_max = std::chrono::seconds{10};
constexpr std::uint32_t linger_ms = 1000;

bool is_logging() {
  static const bool logging = std::getenv("TROUPE_LOG") != nullptr;
  return logging;
}

}  // namespace

/// One life of one node, from its start to its end or crash.
struct World::Life {
  Life(base::Random random, std::string name_given, std::string address_given)
      : name(std::move(name_given)), address(std::move(address_given)), scheduler(random) {}

  const std::string name;
  const std::string address;
  actors::StepScheduler scheduler;
  std::unique_ptr<transport::Transport> transport;
  std::unique_ptr<node::Node> node;
  base::TimePoint due{};
  bool is_woken = true;
  bool is_frozen = false;
  bool is_leaving = false;
  std::string end_reason;  // it is to end, or has been told to
  bool is_ending = false;
  base::TimePoint ending_since{};
  bool actors_stopped = false;
  std::map<std::string, std::uint64_t> epochs;  // of the watched names
};

World::World(std::uint64_t seed, WorldOptions options)
    : seed_(seed),
      options_(std::move(options)),
      random_(seed),
      network_(random_.split(), options_.network) {
  base::Log::configure(is_logging() ? base::LogLevel::debug : base::LogLevel::off,
                       base::LogFormat::text, "world");
}

World::~World() {
  for (const std::string& name : running()) {
    crash(name);
  }
}

std::string World::address(const std::string& name) const {
  const auto found = lives_.find(name);
  return found == lives_.end() ? "tcp://" + name + ":7400" : found->second->address;
}

World::Life& World::life(const std::string& name) {
  const auto found = lives_.find(name);
  TROUPE_CHECK(found != lives_.end(), "a test uses a node that does not run");
  return *found->second;
}

node::Node& World::node(const std::string& name) {
  return *life(name).node;
}

std::vector<std::string> World::running() const {
  std::vector<std::string> names;
  for (const auto& [name, life] : lives_) {
    names.push_back(name);
  }
  return names;
}

bool World::is_staying(const std::string& name) const {
  const auto found = lives_.find(name);
  return found != lives_.end() && !found->second->is_leaving && found->second->end_reason.empty();
}

node::Node& World::start(const std::string& name, StartOptions options) {
  // A second process may run under a name that is taken: then its key is its address.
  const std::string key = lives_.contains(name) ? options.address : name;
  TROUPE_CHECK(!key.empty() && !lives_.contains(key), "this node runs already");
  auto owned = std::make_unique<Life>(
      random_.split(), key, options.address.empty() ? "tcp://" + name + ":7400" : options.address);
  Life& life = *owned;
  life.transport = network_.make_transport(life.address, clock_);

  node::Config config;
  config.cluster = options.cluster;
  config.name = name;
  config.labels = options.labels;
  config.demo = options_.demo;
  node::NodeParts parts{.clock = clock_,
                        .transport = *life.transport,
                        .scheduler = life.scheduler,
                        .incarnation = ++last_incarnation_,
                        .seed = random_.next()};
  for (const std::string& seed_name : options_.seeds) {
    parts.cluster.seeds.push_back("tcp://" + seed_name + ":7400");
  }
  life.node = std::make_unique<node::Node>(std::move(config), std::move(parts));
  life.node->set_waker([&life] { life.is_woken = true; });
  life.node->core().set_end_request(
      [&life](const std::string& reason) { life.end_reason = reason; });
  if (prepare) {
    prepare(*life.node);
  }
  lives_.emplace(key, std::move(owned));
  if (auto started = life.node->start(); !started.ok()) {
    problem(name + " cannot start: " + started.error().text());
  }
  return *life.node;
}

void World::crash(const std::string& name) {
  network_.crash(life(name).address);
  destroy(name);
}

/// What is left of a node goes without a word to anybody.
void World::destroy(const std::string& name) {
  Life& gone = life(name);
  const auto sent = gone.transport->counters().frames_sent;
  gone.node.reset();
  if (gone.transport->counters().frames_sent != sent) {
    problem(name + " has sent something after its end");
  }
  lives_.erase(name);
}

void World::leave(const std::string& name) {
  Life& leaver = life(name);
  leaver.is_leaving = true;
  leaver.node->leave([&leaver](node::control::DrainReply) {
    if (leaver.end_reason.empty()) {
      leaver.end_reason = "left";
    }
  });
}

void World::freeze(const std::string& name) {
  life(name).is_frozen = true;
  network_.freeze(address(name));
}

void World::thaw(const std::string& name) {
  life(name).is_frozen = false;
  network_.thaw(address(name));
}

/// The steps of a node's end, as its program does them: its actors, then its links.
void World::end_in_order(Life& life) {
  if (!std::exchange(life.is_ending, true)) {
    life.ending_since = now();
    life.node->core().stop_actors([&life] { life.actors_stopped = true; });
  }
}

bool World::run_life(Life& life) {
  if (life.is_frozen) {
    return false;
  }
  if (is_logging()) {
    base::Log::configure(base::LogLevel::debug, base::LogFormat::text,
                         life.name + " " + std::to_string(now().time_since_epoch().count() / 1000));
  }
  bool did = false;
  if (std::exchange(life.is_woken, false) || life.due <= now()) {
    life.due = life.node->step();
    check_names(life);
    did = true;
  }
  const std::size_t steps = life.scheduler.run_until_idle(scheduler_steps_max);
  if (steps > 0) {
    note(steps);
    did = true;
  }
  if (!life.end_reason.empty() && !life.is_ending) {
    end_in_order(life);
    did = true;
  }
  return did;
}

/// Until nothing more is to be done at this time.
void World::settle() {
  std::vector<Life*> order;
  for (const auto& [name, life] : lives_) {
    order.push_back(life.get());
  }
  if (!order.empty()) {
    std::rotate(order.begin(),
                order.begin() + static_cast<std::ptrdiff_t>(random_.below(order.size())),
                order.end());
  }
  std::size_t rounds = 0;
  bool busy = true;
  while (busy) {
    network_.run_until(now());
    busy = false;
    for (Life* life : order) {
      busy = run_life(*life) || busy;
    }
    busy = busy || network_.next_event() <= now();
    if (++rounds > rounds_an_instant_max) {
      problem("the nodes keep each other busy for ever at one instant");
      return;
    }
  }
  for (Life* life : order) {
    const bool late = life->is_ending && now() > life->ending_since + end_time_max;
    if (late && !life->actors_stopped) {
      problem(life->name + ": some actors did not end");
    }
    if (life->actors_stopped || late) {
      ended_[life->node->id()] = life->end_reason;
      life->transport->stop(linger_ms);
      dead_of_ended_[life->node->id()] = dead_letters_of(life->node->id());
      destroy(std::string{life->name});
    }
  }
}

void World::step(base::TimePoint latest) {
  settle();
  base::TimePoint next = std::min(latest, network_.next_event());
  for (const auto& [name, life] : lives_) {
    if (!life->is_frozen) {
      next = std::min(next, life->is_woken ? now() : life->due);
    }
  }
  ++instants_;
  note(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  note(network_.events_delivered());
  clock_.set(std::max(next, now()));
}

void World::run_for(base::Duration time) {
  const base::TimePoint end = now() + time;
  while (now() < end) {
    step(end);
  }
}

bool World::run_until(const std::function<bool()>& condition, base::Duration limit) {
  const base::TimePoint end = now() + limit;
  while (!condition()) {
    if (now() >= end) {
      return false;
    }
    step(end);
  }
  return true;
}

bool World::start_all() {
  for (const std::string& name : options_.seeds) {
    start(name);
  }
  return run_until([this] { return has_converged(); }, std::chrono::seconds{10});
}

base::Result<node::control::NameRow> World::start_actor(const std::string& at,
                                                        const std::string& kind,
                                                        node::NameOptions options) {
  // Shared, because the node may still hold the callback when this has given up.
  auto done = std::make_shared<std::optional<base::Result<node::control::NameRow>>>();
  node(at).start_actor(kind, std::move(options),
                       [done](auto result) { done->emplace(std::move(result)); });
  if (!run_until([&] { return done->has_value(); }, std::chrono::seconds{30})) {
    problem("a start was never decided");
    return base::Error{base::Errc::timed_out, "a start was never decided"};
  }
  return std::move(**done);
}

const registry::Record* World::find(const std::string& at, const std::string& name) {
  return node(at).core().cluster().find(name);
}

void World::check_names(Life& life) {
  if (options_.watched_names.empty() || life.is_ending) {
    return;
  }
  const registry::Cluster& cluster = life.node->core().cluster();
  const base::NodeId& self = life.node->id();
  for (const std::string& name : options_.watched_names) {
    const registry::Record* record = cluster.find(name);
    if (record == nullptr) {
      continue;
    }
    std::uint64_t& last = life.epochs[name];
    if (record->epoch < last) {
      problem(self.text() + ": the epoch of '" + name + "' went back from " + std::to_string(last) +
              " to " + std::to_string(record->epoch));
    }
    last = record->epoch;
    if (record->state == registry::NameState::bound && record->holder == self) {
      const auto [held, is_new] = holders_.try_emplace({name, record->epoch}, self);
      if (!is_new && held->second != self) {
        problem("epoch " + std::to_string(record->epoch) + " of '" + name + "' is held by " +
                held->second.text() + " and by " + self.text());
      }
    }
  }
}

bool World::has_converged() {
  return differences().empty();
}

std::string World::differences() {
  std::vector<base::NodeId> all;
  for (const auto& [name, life] : lives_) {
    all.push_back(life->node->id());
  }
  std::sort(all.begin(), all.end());
  std::optional<std::uint64_t> digest;
  for (const auto& [name, life] : lives_) {
    const registry::Cluster& cluster = life->node->core().cluster();
    if (!life->node->is_ready()) {
      return name + " is not ready: " + life->node->health().reason;
    }
    std::vector<base::NodeId> seen;
    for (const registry::Member& member : cluster.members()) {
      if (registry::is_live(member)) {
        seen.push_back(member.id);
      }
    }
    std::sort(seen.begin(), seen.end());
    if (seen != all) {
      std::string text = name + " sees";
      for (const base::NodeId& id : seen) {
        text += " " + id.text();
      }
      return text;
    }
    if (digest && *digest != cluster.names_digest()) {
      return name + " knows other names";
    }
    digest = cluster.names_digest();
  }
  return {};
}

void World::check_ledgers() {
  for (const auto& [name, life] : lives_) {
    const node::control::LedgerRow row = life->node->core().ledger();
    if (!row.balanced) {
      std::string text = name + "'s ledger: sent " + std::to_string(row.sent) + ", delivered " +
                         std::to_string(row.delivered) + ", in flight " +
                         std::to_string(row.in_flight);
      for (const auto& dead : row.dead) {
        text += ", " + dead.reason + " " + std::to_string(dead.count);
      }
      problem(text);
    }
  }
}

std::uint64_t World::dead_letters_of(const base::NodeId& id) const {
  for (const auto& [name, life] : lives_) {
    if (life->node->id() == id) {
      const auto dead = life->node->system().ledger().dead;
      return std::accumulate(dead.begin(), dead.end(), std::uint64_t{0});
    }
  }
  const auto found = dead_of_ended_.find(id);
  return found == dead_of_ended_.end() ? 0 : found->second;
}

void World::problem(const std::string& text) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now().time_since_epoch());
  journal_.problem("at " + std::to_string(us.count()) + " us: " + text);
}

}  // namespace troupe::harness
