#include "node/node.hpp"

#include <unistd.h>

#include <condition_variable>
#include <iostream>
#include <optional>
#include <utility>

#include "actors/watchdog.hpp"
#include "actors/worker_pool.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "node/cluster_thread.hpp"
#include "node/demo_actors.hpp"
#include "node/http.hpp"
#include "node/incarnation.hpp"
#include "node/metrics.hpp"
#include "node/node_core.hpp"
#include "node/plugin.hpp"
#include "node/pool.hpp"
#include "node/seed_watcher.hpp"
#include "node/signals.hpp"
#include "transport/zmq_transport.hpp"

namespace troupe::node {

using base::Errc;
using base::Error;
using base::LogLevel;

namespace {

constexpr base::Duration start_timeout = std::chrono::seconds{10};
constexpr base::Duration stop_timeout = std::chrono::seconds{10};
/// A handler that takes longer is named in the log.
constexpr base::Duration turn_max = std::chrono::seconds{1};

/// A value that another thread brings.
template <class T>
class Arrival {
 public:
  void set(T value) {
    base::MutexLock lock{mutex_};
    value_ = std::move(value);
    arrived_.notify_all();
  }
  std::optional<T> wait_for(base::Duration timeout) {
    base::MutexLock lock{mutex_};
    arrived_.wait_for(mutex_, timeout, [this]() TROUPE_REQUIRES(mutex_) { return value_.has_value(); });
    return std::move(value_);
  }

 private:
  base::Mutex mutex_;
  std::condition_variable_any arrived_;
  std::optional<T> value_ TROUPE_GUARDED_BY(mutex_);
};

/// What, why and what to do; errors of settings and plugins bring all three.
std::string explained(const Error& error) {
  if (error.context.find("\n  why: ") != std::string::npos) {
    return error.context;
  }
  const bool is_taken = error.code == Errc::address_in_use;
  return error.context + "\n  why: " +
         (is_taken ? "one program at a time can listen on an address"
                   : std::string{base::to_string(error.code)}) +
         "\n  try: " +
         (is_taken ? "stop the other one, or choose another --listen or --http address"
                   : "correct the setting; `trouped --help` shows them all");
}

registry::ClusterOptions cluster_options(std::vector<std::string> seeds) {
  registry::ClusterOptions options;
  options.seeds = std::move(seeds);
  return options;
}

}  // namespace

/// What a real node makes itself. Threads start in start() and end in stop(), in reverse order.
struct Node::Real {
  Real(const Config& config, std::uint64_t own_incarnation)
      : incarnation(own_incarnation),
        seed(config.seed != 0 ? config.seed : incarnation * 0x9E3779B97F4A7C15U),
        workers({.workers = config.workers}),
        transport(transport::make_zmq_transport(
            {.listen = config.listen, .advertise = config.advertise, .seed = seed}, clock)) {}

  base::SteadyClock clock;
  std::uint64_t incarnation;
  std::uint64_t seed;
  actors::WorkerPool workers;
  std::unique_ptr<transport::Transport> transport;
  std::unique_ptr<SignalWait> signals;
  std::unique_ptr<SeedWatcher> seeds;
  std::unique_ptr<ClusterThread> thread;
  /// Looks by a timer, and so on the cluster thread.
  std::unique_ptr<actors::Watchdog> watchdog;
  std::unique_ptr<HttpServer> http;
  bool is_started = false;
  bool is_stopped = false;
  bool has_left = false;
  Arrival<std::string> end_reason;

  /// 1. no more requests from outside; 2. actors end, which may still send; 3. the links close,
  /// what is queued first; 4. nobody drives the node any more; 5. the workers end.
  void stop(NodeCore& core) {
    if (!is_started || std::exchange(is_stopped, true)) {
      return;
    }
    if (http) {
      http->stop();
    }
    auto stopped = std::make_shared<Arrival<bool>>();
    core.stop_actors([stopped] { stopped->set(true); });
    if (!stopped->wait_for(stop_timeout)) {
      base::log(LogLevel::error, "node", "some actors did not end within {} s; they are left behind",
                std::chrono::duration_cast<std::chrono::seconds>(stop_timeout).count());
    }
    core.stop_transport();
    thread->stop();
    core.set_watchdog(nullptr);
    watchdog.reset();
    workers.stop();
  }
};

Node::Node(Config config) {
  if (auto completed = config.complete(); !completed.ok()) {
    incomplete_ = completed.error();
  }
  const bool is_read_by_a_person = ::isatty(STDERR_FILENO) != 0;
  base::Log::configure(config.log_level,
                       config.log_format.value_or(is_read_by_a_person ? base::LogFormat::text
                                                                      : base::LogFormat::json),
                       config.name);
  const auto incarnation = next_incarnation(config.data, base::wall_clock_ms());
  if (!incarnation.ok() && !incomplete_) {
    incomplete_ = incarnation.error();
  }
  real_ = std::make_unique<Real>(config, incarnation.value_or(1));
  NodeParts parts{.clock = real_->clock,
                  .transport = *real_->transport,
                  .scheduler = real_->workers,
                  .incarnation = real_->incarnation,
                  .seed = real_->seed};
  parts.cluster = cluster_options(config.seeds);
  core_ = std::make_unique<NodeCore>(std::move(config), std::move(parts));
  if (core_->config().demo) {
    register_demo_actors(kinds());
    register_pool("squares", "square", 4);
  }
}

Node::Node(Config config, NodeParts parts) {
  if (auto completed = config.complete(); !completed.ok()) {
    incomplete_ = completed.error();
  }
  core_ = std::make_unique<NodeCore>(std::move(config), std::move(parts));
  if (core_->config().demo) {
    register_demo_actors(kinds());
    register_pool("squares", "square", 4);
  }
}

Node::~Node() {
  if (real_) {
    real_->stop(*core_);
  }
}

Kinds& Node::kinds() { return core_->kinds(); }

void Node::register_pool(const std::string& kind, const std::string& worker_kind,
                         std::uint32_t workers) {
  const auto worker = kinds().find(worker_kind);
  TROUPE_CHECK(worker != nullptr, "register the workers' kind before the pool's");
  Kind pool;
  pool.name = kind;
  pool.type = &actors::actor_type<Pool>();
  pool.description = worker->description;
  pool.description.kind = kind;
  pool.prepare = [core = core_.get(), worker_kind,
                  workers](base::ByteView) -> base::Result<actors::ActorFactory> {
    return actors::ActorFactory{
        [=] { return std::make_unique<Pool>(core, worker_kind, workers); }};
  };
  kinds().add(std::move(pool)).value();
}

base::Result<void> Node::start() {
  if (incomplete_) {
    return *incomplete_;
  }
  if (is_started_.exchange(true)) {
    return real_ && real_->is_stopped
               ? base::Result<void>{Error{Errc::closed, "the node has ended, or could not start"}}
               : base::Result<void>{};
  }
  if (real_) {
    real_->is_started = true;
  }
  for (const std::string& path : core_->config().plugins) {
    if (auto loaded = load_plugin(path, kinds()); !loaded.ok()) {
      if (real_) {
        real_->is_stopped = true;  // nothing runs yet
      }
      return loaded;
    }
  }
  if (core_->config().demo) {
    core_->set_ready_hook([core = core_.get()] {
      if (core->cluster().leader() == core->system().node()) {
        core->start_actor("squares", {.name = "squares", .placement = "any"}, [](const auto&) {});
      }
    });
  }
  if (!real_) {
    return core_->start();
  }
  return start_real();
}

base::Result<void> Node::start_real() {
  Real& real = *real_;
  real.signals = std::make_unique<SignalWait>();
  real.thread = std::make_unique<ClusterThread>([this] { return core_->step(); }, real.clock);
  set_waker([thread = real.thread.get()] { thread->wake(); });
  core_->set_end_request([this](const std::string& reason) {
    real_->end_reason.set(reason);
    real_->signals->wake();
  });
  real.workers.start();
  if (auto started = core_->start(); !started.ok()) {
    real.workers.stop();
    real.is_stopped = true;
    return started;
  }
  real.watchdog = std::make_unique<actors::Watchdog>(
      system(), real.workers,
      actors::WatchdogOptions{
          .turn_max = turn_max,
          .name_of = [core = core_.get()](base::ActorId actor) { return core->name_of(actor); }});
  core_->set_watchdog(real.watchdog.get());
  real.thread->start();
  real.seeds = std::make_unique<SeedWatcher>(
      core_->config().seeds, system().timers(), real.clock,
      [core = core_.get()](std::vector<std::string> seeds) { core->set_seeds(std::move(seeds)); });
  real.seeds->start();
  if (!core_->config().http.empty()) {
    real.http = std::make_unique<HttpServer>(
        core_->config().http,
        HttpServer::Callbacks{[core = core_.get()] { return core->health(); },
                              [core = core_.get()] {
                                return metrics_text(core->metrics_snapshot());
                              }});
    if (auto started = real.http->start(); !started.ok()) {
      real.stop(*core_);
      return started;
    }
  }
  base::log(LogLevel::info, "node", "{} listens on {}, reached at {}", id().text(),
            core_->config().listen, address());
  return {};
}

int Node::run() {
  if (auto started = start(); !started.ok()) {
    std::cerr << "trouped: cannot start: " << explained(started.error()) << '\n';
    return started.error().code == Errc::address_in_use ? 69 : 78;
  }
  real_->signals->wait();
  if (const auto reason = real_->end_reason.wait_for(base::Duration{0})) {
    base::log(LogLevel::info, "node", "ending: {}", *reason);
    const bool drained = *reason == "drained";
    real_->stop(*core_);
    return drained ? 0 : 75;
  }
  base::log(LogLevel::info, "node", "asked to end; leaving the cluster");
  const control::DrainReply left = leave();
  return left.lost == 0 ? 0 : 2;
}

control::DrainReply Node::leave() {
  TROUPE_CHECK(real_ != nullptr, "leave() waits: a node driven from outside uses its parts");
  control::DrainReply reply;
  reply.node = id().name;
  if (real_->is_started && !real_->is_stopped) {
    auto left = std::make_shared<Arrival<control::DrainReply>>();
    core_->leave([left](control::DrainReply done) { left->set(std::move(done)); });
    // The core itself gives up after the drain timeout.
    if (auto done = left->wait_for(core_->config().drain_timeout + std::chrono::seconds{5})) {
      reply = *done;
    } else {
      reply.lost = 1;
    }
    real_->stop(*core_);
  }
  return reply;
}

base::Result<void> Node::wait_until_ready(base::Duration timeout) {
  if (auto started = start(); !started.ok()) {
    return started;
  }
  if (!core_->wait_ready(timeout)) {
    return Error{Errc::timed_out, health().reason};
  }
  return {};
}

base::Result<actors::AnyRef> Node::spawn_named(const actors::ActorType& type,
                                               actors::ActorFactory factory,
                                               actors::SpawnOptions options, bool may_respawn) {
  if (options.name.empty()) {
    if (auto started = start(); !started.ok()) {
      return started.error();
    }
    return system().spawn_any(type, std::move(factory), std::move(options), nullptr);
  }
  if (auto ready = wait_until_ready(start_timeout); !ready.ok()) {
    return ready.error();
  }
  const std::string name = options.name;
  registry::Claim claim{.name = name};
  for (const auto& kind : kinds().all()) {
    if (may_respawn && kind->type == &type) {
      claim.kind = kind->name;
      claim.respawn = true;
    }
  }
  options.on_exit = core_->exit_hook(name);
  auto spawned = system().spawn_any(type, std::move(factory), std::move(options), nullptr);
  if (!spawned.ok()) {
    return spawned;
  }
  claim.actor = spawned->id();
  claim.placement = "local";
  auto done = std::make_shared<Arrival<base::Result<control::NameRow>>>();
  core_->claim_running(std::move(claim), detail::describe(claim.kind, type.protocol()),
                       [done](auto result) { done->set(std::move(result)); });
  auto result = done->wait_for(start_timeout);
  if (result && result->ok()) {
    return spawned;
  }
  system().stop(spawned.value());
  return result ? result->error()
                : Error{Errc::timed_out, "the cluster did not grant '" + name + "' in time"};
}

base::Result<control::NameRow> Node::start_actor(const std::string& kind, NameOptions options) {
  if (auto ready = wait_until_ready(start_timeout); !ready.ok()) {
    return ready.error();
  }
  auto done = std::make_shared<Arrival<base::Result<control::NameRow>>>();
  const std::string name = options.name;
  start_actor(kind, std::move(options), [done](auto result) { done->set(std::move(result)); });
  if (auto result = done->wait_for(start_timeout)) {
    return *result;
  }
  return Error{Errc::timed_out, "the cluster did not start '" + name + "' in time"};
}

void Node::start_actor(const std::string& kind, NameOptions options,
                       std::function<void(base::Result<control::NameRow>)> done) {
  core_->start_actor(kind, std::move(options), std::move(done));
}

actors::AnyRef Node::find_any(const std::string& name) { return core_->names().ref(name); }
actors::AnyRef Node::control() { return core_->names().ref(control::actor_name); }
const base::NodeId& Node::id() const { return core_->system().node(); }
std::string Node::address() const { return core_->address(); }
bool Node::is_ready() const { return core_->health().ready; }
control::HealthReply Node::health() const { return core_->health(); }
actors::ActorSystem& Node::system() { return core_->system(); }
std::string Node::metrics() const { return metrics_text(core_->metrics_snapshot()); }
base::TimePoint Node::step() { return core_->step(); }

void Node::set_waker(std::function<void()> waker) {
  core_->loop().set_waker(waker);
  system().timers().set_waker([waker](base::TimePoint) { waker(); });
}

void Node::leave(std::function<void(control::DrainReply)> done) { core_->leave(std::move(done)); }

}  // namespace troupe::node
