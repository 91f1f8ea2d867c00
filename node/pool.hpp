#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "node/control_actor.hpp"
#include "registry/placement.hpp"

namespace troupe::node {

class NodeCore;

/// What a pool was asked to do and has not finished.
struct PoolJob;

/// Time to compare a pool's workers with the nodes that are there.
struct PoolReconcile {
  TROUPE_MESSAGE(PoolReconcile)
};

/// A named actor whose work is done by workers of another kind, spread evenly over the nodes. It
/// understands what its workers do. Work waits in the pool until a worker is free, at most
/// `jobs_max`; a worker has at most `jobs_a_worker` at a time.
///
/// A worker that ends is replaced, also on another node. What it had not begun for certain goes to
/// another worker; what may have run is reported to the asker. Workers end with their pool.
class Pool final : public actors::Actor {
 public:
  using Protocol = actors::Protocol<PoolReconcile>;
  static constexpr std::size_t jobs_max = 10'000;
  static constexpr std::uint32_t jobs_a_worker = 4;
  static constexpr std::uint32_t attempts_max = 5;
  static constexpr base::Duration reconcile_interval = std::chrono::milliseconds{250};

  Pool(NodeCore* core, std::string worker_kind, std::uint32_t workers);

  void on_start() override;
  void on_stop(actors::ExitReason reason) override;
  void on(const PoolReconcile&);
  void on(const actors::Terminated& notice);
  void on_unhandled(actors::Envelope&& message);

 private:
  struct Worker {
    actors::AnyRef ref;
    base::NodeId node;
    std::uint32_t jobs = 0;
    bool is_retired = false;
  };
  void start_worker(const base::NodeId& node);
  void retire_worker(const base::NodeId& node);
  void dispatch();
  void send(const std::shared_ptr<PoolJob>& job, Worker& worker);
  void finished(const std::shared_ptr<PoolJob>& job, const actors::AnyRef& worker,
                actors::Envelope reply);
  Worker* find(const actors::AnyRef& ref);

  NodeCore* core_;
  const std::string worker_kind_;
  const std::uint32_t workers_wanted_;
  std::vector<Worker> workers_;
  registry::Spread starting_;
  std::deque<std::shared_ptr<PoolJob>> waiting_;
};

}  // namespace troupe::node
