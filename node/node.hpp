#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "actors/actor_system.hpp"
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "node/config.hpp"
#include "node/control_protocol.hpp"
#include "node/kinds.hpp"
#include "registry/cluster.hpp"
#include "transport/transport.hpp"

namespace troupe::node {

class ClusterLoop;
class NodeCore;

/// What a node is made of where it does not make it itself: for simulations and tests. All outlive
/// the node.
struct NodeParts {
  const base::Clock& clock;
  transport::Transport& transport;
  actors::Scheduler& scheduler;
  /// Grows with every start under one name.
  std::uint64_t incarnation = 1;
  std::uint64_t seed = 1;
  registry::ClusterOptions cluster;
};

/// How a named actor is started.
struct NameOptions {
  std::string name;
  /// A node's name, a policy of registry/placement.hpp, or empty for this node.
  std::string placement = "local";
  /// Start it elsewhere when its node dies or leaves. Needs a registered kind.
  bool respawn = true;
  base::Bytes args;
};

/// One process of a cluster: its actors, the links to the other nodes, and the names.
///
/// Thread-safe, except that start() and run() are called once. Functions that wait are for plain
/// threads, never for actors: these use control() or the Actor's own members.
class Node {
 public:
  /// A real node: steady clock, ZeroMQ, a worker a core.
  explicit Node(Config config);
  /// A node driven from outside by step().
  Node(Config config, NodeParts parts);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Makes a class known under a kind's name, so that any node can ask this one to start it.
  /// Throws WrongResult if the kind is taken. Before start(), so that peers know its messages.
  template <class A>
  void register_actor(const std::string& kind) {
    kinds().add<A>(kind).value();
  }
  template <class A, base::Message Args>
  void register_actor(const std::string& kind) {
    kinds().add<A, Args>(kind).value();
  }
  /// A kind that is a pool: its workers are of another registered kind, spread over all nodes.
  void register_pool(const std::string& kind, const std::string& worker_kind,
                     std::uint32_t workers);
  [[nodiscard]] Kinds& kinds();

  /// Binds and joins. address_in_use, invalid_argument, refused (beyond loopback without
  /// `insecure`), not_found (a plugin). Called by spawn() and run() if it was not.
  base::Result<void> start();
  /// Until SIGTERM or SIGINT, or a drain from the command line; then leaves in order. Prints an
  /// error of start(). Returns the program's exit code: 0, or 2 if something was left behind.
  int run();
  /// Waits until the node is part of a cluster.
  base::Result<void> wait_until_ready(base::Duration timeout);
  /// Hands names over, leaves, stops all actors. Waits.
  control::DrainReply leave();
  /// The same without waiting and without the end; calls back on the cluster thread.
  void leave(std::function<void(control::DrainReply)> done);

  /// Starts an actor here. With a name, it is claimed in the whole cluster first (already_exists),
  /// and if A is a registered kind without arguments and `args` is empty, a successor is started
  /// elsewhere when this node dies.
  template <class A, class... Args>
  base::Result<actors::ActorRef<A>> spawn(actors::SpawnOptions options = {}, Args... args) {
    auto spawned = spawn_named(
        actors::actor_type<A>(),
        [args...]() -> std::unique_ptr<actors::Actor> { return std::make_unique<A>(args...); },
        std::move(options), sizeof...(Args) == 0);
    if (!spawned.ok()) {
      return spawned.error();
    }
    return actors::ActorRef<A>{spawned.value()};
  }
  /// Starts an actor of a registered kind under a name, here or on another node. Waits.
  base::Result<control::NameRow> start_actor(const std::string& kind, NameOptions options);
  /// The same without waiting; calls back on the cluster thread.
  void start_actor(const std::string& kind, NameOptions options,
                   std::function<void(base::Result<control::NameRow>)> done);

  /// A reference that follows the name: it reaches whoever holds it when a message is sent, also
  /// after a restart on another node. While the name is being started, asks and sends wait.
  template <class A>
  [[nodiscard]] actors::ActorRef<A> find(const std::string& name) {
    return actors::ActorRef<A>{find_any(name)};
  }
  [[nodiscard]] actors::AnyRef find_any(const std::string& name);
  /// The control service of this or another node.
  [[nodiscard]] actors::AnyRef control();

  [[nodiscard]] const base::NodeId& id() const;
  /// Where others reach it; after start().
  [[nodiscard]] std::string address() const;
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] control::HealthReply health() const;
  [[nodiscard]] actors::ActorSystem& system();
  /// In the Prometheus text format.
  [[nodiscard]] std::string metrics() const;

  /// For a node that is driven from outside: does what is due, returns when it wants to be called
  /// again unless `waker` is called first.
  base::TimePoint step();
  void set_waker(std::function<void()> waker);
  /// The inside, for simulations and tests.
  [[nodiscard]] NodeCore& core() { return *core_; }

 private:
  struct Real;
  base::Result<void> start_real();
  base::Result<actors::AnyRef> spawn_named(const actors::ActorType& type,
                                           actors::ActorFactory factory,
                                           actors::SpawnOptions options, bool may_respawn);

  std::optional<base::Error> incomplete_;
  std::atomic<bool> is_started_{false};
  std::unique_ptr<Real> real_;
  std::unique_ptr<NodeCore> core_;
};

}  // namespace troupe::node
