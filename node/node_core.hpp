#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/watchdog.hpp"
#include "base/mutex.hpp"
#include "node/cluster_loop.hpp"
#include "node/config.hpp"
#include "node/kinds.hpp"
#include "node/metrics.hpp"
#include "node/name_sink.hpp"
#include "node/node.hpp"
#include "node/router.hpp"
#include "registry/cluster.hpp"
#include "transport/transport.hpp"

namespace troupe::node {

class ControlActor;

/// The control service is the first actor of every node, so that its number is known.
inline constexpr base::ActorId control_actor_id{(std::uint64_t{1} << 32U) | 1U};

/// The inside of a Node: joins actors, transport and registry, and carries out what the registry
/// decides. Decides nothing itself.
///
/// Members below "cluster thread" are called on the thread that runs step(); the rest is
/// thread-safe. Dies in this order: the transport is stopped, then the actors, then the sinks.
class NodeCore final : public RouterListener {
 public:
  using Started = std::function<void(base::Result<control::NameRow>)>;
  using Left = std::function<void(control::DrainReply)>;

  NodeCore(Config config, NodeParts parts);
  ~NodeCore() override;

  base::Result<void> start();
  /// What is due on the cluster thread; returns when the next step is due.
  base::TimePoint step();
  /// Leaves in order and calls back on the cluster thread; at the latest after the drain timeout.
  void leave(Left done);
  /// Ends actors and links. After leave(), or alone for an end without a word.
  void stop_actors(std::function<void()> done);
  void stop_transport();

  /// Claims a name for an actor that already runs here.
  void claim_running(registry::Claim claim, const control::KindRow& description, Started done);
  void start_actor(const std::string& kind, NameOptions options, Started done);
  void stop_actor(const std::string& name, Started done);
  [[nodiscard]] actors::ExitHook exit_hook(const std::string& name);

  [[nodiscard]] ClusterLoop& loop() { return loop_; }
  [[nodiscard]] actors::ActorSystem& system() { return system_; }
  [[nodiscard]] Kinds& kinds() { return kinds_; }
  [[nodiscard]] NameDirectory& names() { return names_; }
  [[nodiscard]] Router& router() { return router_; }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] std::string address() const { return transport_.address(); }
  [[nodiscard]] control::HealthReply health() const;
  /// Waits; false when the time is over.
  bool wait_ready(base::Duration timeout);
  [[nodiscard]] MetricsSnapshot metrics_snapshot() const;
  [[nodiscard]] control::LedgerRow ledger() const;
  [[nodiscard]] control::MemberRow own_row() const;
  /// The last published view, sorted by name.
  [[nodiscard]] std::vector<registry::Member> members() const;
  /// What runs when the node is to end: drained from elsewhere, or declared down by the others.
  void set_end_request(std::function<void(const std::string& reason)> end);
  void request_end(const std::string& reason);
  /// Runs once on the cluster thread, when this node has become part of a cluster. Before start().
  void set_ready_hook(std::function<void()> hook) { ready_hook_ = std::move(hook); }
  /// What tells which handlers keep workers; without one, none is known to. Before the first step();
  /// outlives the last one.
  void set_watchdog(const actors::Watchdog* watchdog) { watchdog_ = watchdog; }
  /// First contacts that were found or have changed, by address.
  void set_seeds(std::vector<std::string> seeds);

  // Cluster thread.
  [[nodiscard]] const registry::Cluster& cluster() const { return *cluster_; }
  /// The name that an actor of this node holds in the cluster, or empty.
  [[nodiscard]] std::string name_of(base::ActorId actor) const;
  [[nodiscard]] const actors::Watchdog* watchdog() const { return watchdog_; }
  [[nodiscard]] std::uint64_t view_version() const { return view_version_; }
  [[nodiscard]] std::vector<control::NameRow> name_rows() const;
  [[nodiscard]] const control::KindRow* description_of(const std::string& name) const;
  [[nodiscard]] actors::AnyRef control_of(const base::NodeId& node);
  /// Starts an actor of a kind without a name; for pools. Any thread.
  base::Result<actors::AnyRef> spawn_kind(const std::string& kind, base::ByteView args,
                                          actors::SpawnOptions options);

 private:
  // RouterListener: hand over to the cluster thread
  void on_link_up(const base::NodeId& peer, const std::string& address) override;
  void on_link_lost(const base::NodeId& peer, const std::string& reason) override;
  void on_link_down(const base::NodeId& peer) override;
  void on_cluster_message(const base::NodeId& from, base::Bytes body) override;
  void on_unreachable(const std::string& address, const base::Error& error) override;

  // Cluster thread: carrying out
  void apply(registry::Effects effects);
  void carry_out(const registry::Event& event);
  void on_member_down(const registry::MemberDown& down);
  void on_member_left(const registry::MemberLeft& left);
  void cut_departed(const base::NodeId& peer);
  void publish_view();
  void cut(const base::NodeId& peer, const std::string& reason);
  void sample_rate();

  // Cluster thread: named actors, in node_core_names.cpp
  void on_start_here(const registry::Record& record);
  void on_stop_here(const registry::StopHere& stop);
  void on_name_bound(const registry::Record& record);
  void on_name_released(const registry::Record& record);
  void on_claim_done(const registry::ClaimDone& done);
  void on_exit(const std::string& name, base::ActorId actor, std::function<void()> proceed);
  void proceed(const std::string& name);
  void submit(registry::Claim claim, Started done);
  [[nodiscard]] control::NameRow row_of(const registry::Record& record) const;
  [[nodiscard]] actors::AnyRef ref_of(const registry::Record& record);

  // Cluster thread: leaving, in node_core_leaving.cpp
  void on_drained(std::uint64_t moved);
  void await_answers(std::uint64_t moved);
  void finish_leave(std::uint32_t moved);

  Config config_;
  const base::Clock& clock_;
  transport::Transport& transport_;
  ClusterLoop loop_;
  Kinds kinds_;
  actors::ActorSystem system_;
  NameDirectory names_;
  Router router_;
  registry::ClusterOptions cluster_options_;
  const base::NodeId id_;
  /// From start() on, when the address is known.
  std::optional<registry::Cluster> cluster_;
  base::TimePoint started_at_;

  // Cluster thread.
  struct Held {
    std::uint64_t epoch = 0;
    base::ActorId actor;
  };
  std::deque<registry::Effects> effects_;
  bool applying_ = false;
  bool has_joined_ = false;
  std::uint64_t last_token_ = 0;
  std::map<std::uint64_t, Started> starts_;
  std::map<std::string, Held> held_;
  std::map<std::string, control::KindRow> descriptions_;
  std::map<std::string, std::vector<std::function<void()>>> releasing_;
  /// Nodes that have left and whose links are open for their last answers.
  std::set<base::NodeId> departed_;
  std::vector<Left> left_;
  bool has_left_ = false;
  base::TimePoint leave_since_;
  std::size_t held_at_leave_ = 0;
  std::uint64_t delivered_before_ = 0;
  std::uint64_t view_version_ = 0;
  bool ending_ = false;
  std::function<void()> ready_hook_;
  const actors::Watchdog* watchdog_ = nullptr;

  mutable base::Mutex mutex_;
  std::vector<registry::Member> members_ TROUPE_GUARDED_BY(mutex_);
  bool ready_ TROUPE_GUARDED_BY(mutex_) = false;
  std::condition_variable_any became_ready_;
  bool leaving_ TROUPE_GUARDED_BY(mutex_) = false;
  std::string not_ready_because_ TROUPE_GUARDED_BY(mutex_) = "it has not joined a cluster yet";
  std::uint32_t names_held_ TROUPE_GUARDED_BY(mutex_) = 0;
  std::function<void(const std::string&)> end_request_ TROUPE_GUARDED_BY(mutex_);
  std::atomic<std::int64_t> messages_per_second_{0};
};

}  // namespace troupe::node
