#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "registry/cluster.hpp"

namespace troupe::registry::testing {

/// Which faults a run has; each seed switches them on and off.
struct Faults {
  bool crash = true;         ///< the connections break at once
  bool silent_crash = true;  ///< nobody is told
  bool freeze = true;        ///< nothing runs for a while, then everything at once
  bool leave = true;
  bool flap = true;       ///< a connection breaks and comes back; nothing is lost
  bool link_down = true;  ///< a connection breaks, what was on it is lost, and it is dialled again
  bool start_fails = true;
};

/// Several Clusters in one virtual time, with links, actors that start and stop late, and faults.
///
/// Not thread-safe. Links are ordered and reliable; a crash loses what had not arrived. Everything
/// follows from the seed. What must hold is checked after every event; see problems().
class Simulation {
 public:
  Simulation(std::uint64_t seed, ClusterOptions options);

  // By hand.
  void start_node(const std::string& name);
  void crash(const std::string& name, bool silent);
  void freeze(const std::string& name, base::Duration time);
  void leave(const std::string& name);
  void flap(const std::string& a, const std::string& b);
  void drop_link(const std::string& a, const std::string& b);
  void claim(const std::string& node, Claim claim);
  void withdraw(const std::string& node, const std::string& name);
  /// The actor behind the name ends by itself.
  void end_actor(const std::string& name);
  void run_for(base::Duration time);

  /// Random work and faults for `time`, then quiet, then everything must have converged.
  void run_random(std::size_t nodes, Faults faults, base::Duration time, base::Duration quiet);
  /// What must hold once faults are over.
  void check_converged();

  [[nodiscard]] Cluster& cluster(const std::string& name);
  [[nodiscard]] bool is_running(const std::string& name) const;
  [[nodiscard]] std::string address(const std::string& name) const { return "tcp://" + name; }
  [[nodiscard]] base::TimePoint now() const { return now_; }
  /// Nodes that run an actor under this name, as far as they are not failed.
  [[nodiscard]] std::vector<std::string> holders(const std::string& name) const;
  /// All events of one node's lives, in order.
  [[nodiscard]] const std::vector<Event>& events(const std::string& name) const;
  [[nodiscard]] const std::map<std::uint64_t, base::Result<Record>>& claims_done() const {
    return claims_done_;
  }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] std::uint64_t starts() const { return starts_; }
  /// More than one cluster was formed and they merged: names may have had two holders before.
  [[nodiscard]] bool had_islands() const { return formed_ > 1; }
  /// What was violated; empty is good.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  /// For reading a failing seed: prints every event to standard error.
  bool trace = false;

 private:
  struct Node {
    base::NodeId id;
    std::unique_ptr<Cluster> cluster;
    bool alive = false;
    bool restarts = false;  ///< its program ended and is started again
    base::TimePoint frozen_until;
    struct Actor {
      std::uint64_t epoch = 0;
      base::ActorId id;
    };
    std::map<std::string, Actor> actors;             ///< running under a name
    std::map<std::string, std::uint64_t> cancelled;  ///< name → epoch stopped before it started
    std::uint64_t next_actor = 1;
    std::uint64_t tick_number = 0;
    std::vector<Event> events;
  };
  using Pair = std::pair<base::NodeId, base::NodeId>;
  struct Link {
    std::uint64_t session = 0;
    base::TimePoint last_arrival;
  };
  struct Job {
    base::TimePoint at;
    std::uint64_t order = 0;
    std::string node;
    std::uint64_t incarnation = 0;  ///< 0: not bound to a life of a node
    std::function<void()> run;
    bool operator<(const Job& other) const {
      return std::tie(other.at, other.order) < std::tie(at, order);
    }
  };

  void at(base::Duration in, std::function<void()> run);
  void at_node(base::Duration in, const Node& node, std::function<void()> run);
  void run_job(Job job);
  template <class Input>
  void step(Node& node, bool is_tick, Input input) {
    carry_out(node, input(*node.cluster), is_tick);
    if (node.alive) {
      schedule_tick(node);
    }
  }
  void carry_out(Node& node, Effects effects, bool is_tick);
  void on_event(Node& node, const Event& event, bool is_tick);
  void schedule_tick(Node& node);
  void send(Node& from, Send message);
  void dial(Node& from, const std::string& address);
  void cut(Node& from, const base::NodeId& to, bool tell_both);
  void start_actor(Node& node, const Record& record);
  void stop_actor(Node& node, const StopHere& stop);
  void run_actor(Node& node, const std::string& name, Node::Actor actor);
  void random_work(std::size_t nodes);
  void random_fault(std::size_t nodes, const Faults& faults);
  [[nodiscard]] std::string random_node();
  [[nodiscard]] bool is_failed(const Node& node) const;
  void violated(const std::string& what);
  base::Duration delay(int max_ms);

  base::Random random_;
  ClusterOptions options_;
  base::TimePoint now_{std::chrono::seconds{1}};
  std::uint64_t order_ = 0;
  std::priority_queue<Job> jobs_;
  std::map<std::string, Node> nodes_;
  std::map<Pair, Link> links_;  ///< from → to
  std::uint64_t next_session_ = 1;
  std::uint64_t next_incarnation_ = 1;
  std::uint64_t next_token_ = 1;
  std::map<std::uint64_t, base::NodeId> claims_;  ///< asked, by token
  std::map<std::uint64_t, base::Result<Record>> claims_done_;
  std::map<std::string, std::uint64_t> epochs_;  ///< the highest that ran, by name
  /// Claims whose name was seen to be released, and who saw it.
  std::map<ClaimId, std::set<base::NodeId>> ended_;
  std::set<base::NodeId> declared_dead_;
  std::vector<std::string> problems_;
  std::uint64_t steps_ = 0;
  std::uint64_t starts_ = 0;
  std::uint64_t formed_ = 0;
  bool start_fails_ = false;
};

}  // namespace troupe::registry::testing
