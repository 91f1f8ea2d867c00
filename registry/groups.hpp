#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "registry/messages.hpp"
#include "registry/options.hpp"
#include "registry/outbox.hpp"

namespace troupe::registry {

/// Which actors belong to which group. Each node is the authority on its own actors, so nothing
/// can be in conflict; every member gets a snapshot of every other one, then changes.
///
/// Not thread-safe. What a node said vanishes when it is dead.
class Groups {
 public:
  using Now = base::TimePoint;
  using Actors = std::set<base::ActorId>;
  using ByGroup = std::map<std::string, Actors, std::less<>>;

  Groups(base::NodeId self, GroupsOptions options);

  /// False if the limit is reached.
  bool join(const std::string& group, base::ActorId actor, Outbox& out);
  void part(const std::string& group, base::ActorId actor, Outbox& out);

  void on_view(const std::vector<Member>& members, Outbox& out);
  void on_link_up(const base::NodeId& peer, Outbox& out);
  void tick(Now now, Outbox& out);
  [[nodiscard]] base::TimePoint next_tick() const { return next_beat_; }

  void on(const base::NodeId& from, const GroupState& message, Outbox& out);
  void on(const base::NodeId& from, const GroupChange& message, Outbox& out);
  void on(const base::NodeId& from, const GroupBeat& message, Outbox& out);
  void on(const base::NodeId& from, const GroupRequest& message, Outbox& out);

  /// Null if this node knows nothing of that node.
  [[nodiscard]] const ByGroup* of_node(const base::NodeId& node) const;
  [[nodiscard]] const std::map<base::NodeId, ByGroup>& all() const { return groups_; }

 private:
  void change(const std::string& group, base::ActorId actor, bool joined, Outbox& out);
  void send_state(const base::NodeId& to, Outbox& out) const;
  void forget(const base::NodeId& node, Outbox& out);

  base::NodeId self_;
  GroupsOptions options_;
  std::vector<base::NodeId> others_;                ///< live members but this one
  std::map<base::NodeId, ByGroup> groups_;          ///< with our own
  std::map<base::NodeId, std::uint64_t> versions_;  ///< what we have of each
  std::uint64_t entries_ = 0;
  base::TimePoint next_beat_;
};

}  // namespace troupe::registry
