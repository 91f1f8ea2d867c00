#pragma once

#include <string>

#include "actors/actor.hpp"
#include "base/message.hpp"
#include "node/control_protocol.hpp"

namespace troupe::node {

class NodeCore;

/// A worker that a pool has started on this node; it is stopped when its pool ends.
struct WorkerStarted {
  actors::AnyRef worker;
  TROUPE_MESSAGE(WorkerStarted, worker)
};
/// From a pool to the control service of any node. Refused: not_found, limit_exceeded.
struct StartWorker {
  using Reply = WorkerStarted;
  std::string kind;
  actors::AnyRef pool;
  TROUPE_MESSAGE(StartWorker, kind, pool)
};
/// The pool has no use for the worker any more.
struct StopWorker {
  actors::AnyRef worker;
  TROUPE_MESSAGE(StopWorker, worker)
};

/// "system/control" of a node: what the command line and the other nodes ask for. Runs on the
/// cluster thread, so that it may read the registry.
class ControlActor final : public actors::Actor {
 public:
  using Protocol =
      actors::Protocol<control::Status, control::NodeStats, control::List, control::Types,
                       control::Describe, control::Spawn, control::Stop, control::Drain,
                       control::Ledger, control::Health, control::Why, StartWorker, StopWorker>;
  /// While it asks other nodes it goes on answering.
  static constexpr bool reentrant = true;

  explicit ControlActor(NodeCore* core) : core_(core) {}

  actors::Task<control::StatusReply> on(control::Status);
  control::MemberRow on(const control::NodeStats&);
  control::ListReply on(const control::List&);
  control::TypesReply on(const control::Types&);
  actors::Task<control::DescribeReply> on(control::Describe message);
  void on(const control::Spawn& message, actors::ReplyTo<control::NameRow> reply);
  void on(const control::Stop& message, actors::ReplyTo<control::NameRow> reply);
  void on(const control::Drain& message, actors::ReplyTo<control::DrainReply> reply);
  actors::Task<control::LedgerReply> on(control::Ledger message);
  control::HealthReply on(const control::Health&);
  actors::Task<control::WhyReply> on(control::Why message);
  WorkerStarted on(const StartWorker& message);
  void on(const StopWorker& message);
  void on(const actors::Terminated& notice);

 private:
  [[nodiscard]] control::NameRow own_row() const;
  [[nodiscard]] control::NameRow find_name(const std::string& name) const;
  [[nodiscard]] actors::ActorRef<ControlActor> peer(const std::string& node) const;

  struct Worker {
    actors::AnyRef pool;
    actors::AnyRef worker;
  };
  NodeCore* core_;
  std::vector<Worker> workers_;
};

}  // namespace troupe::node
