#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "registry/effects.hpp"
#include "registry/member.hpp"
#include "registry/options.hpp"
#include "registry/record.hpp"

namespace troupe::registry {

/// This life of this node, as it will be told to the others.
struct Self {
  base::NodeId id;
  std::string address;
  std::map<std::string, std::string> labels;
};

/// Asks for a name.
struct Claim {
  std::uint64_t token = 0;  ///< the caller's number for ClaimDone
  std::string name;
  /// An actor of this node that already runs; 0: have it started where `placement` says.
  base::ActorId actor;
  std::string kind;
  base::Bytes args;
  bool respawn = false;
  std::string placement;
};

/// Who is alive, which name lives where and who belongs to which group: the whole decision part
/// of a node as one state machine.
///
/// Not thread-safe; no clock, thread or I/O. Every input takes `now`, which must not go back, and
/// returns what to do. Bytes that are not a message are counted and ignored.
class Cluster {
 public:
  using Now = base::TimePoint;

  struct Stats {
    std::uint64_t malformed = 0;       ///< messages that were ignored
    std::uint64_t from_dead = 0;       ///< messages of a life that was declared dead
    std::uint64_t refused_epoch = 0;   ///< orders of a leader that this node does not obey
    std::uint64_t refused_groups = 0;  ///< joins beyond the limit, or without a proper name
  };

  Cluster(Self self, ClusterOptions options, base::Random random);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Once, before all other inputs.
  Effects start(Now now);
  /// To be called at next_tick(), or earlier.
  Effects tick(Now now);
  [[nodiscard]] base::TimePoint next_tick() const;

  /// Both directions to this peer work, its hello was accepted.
  Effects on_link_up(const base::NodeId& peer, const std::string& address, Now now);
  /// A hint: the connection was reset. It may be re-made; messages still go out.
  Effects on_link_lost(const base::NodeId& peer, Now now);
  /// The transport gave up: what was sent may be gone.
  Effects on_link_down(const base::NodeId& peer, Now now);
  Effects on_message(const base::NodeId& from, base::ByteView body, Now now);
  /// A peer refused our hello because this life was declared down or replaced.
  Effects on_refused_as_dead(std::string reason, Now now);
  /// What dns:// and file:// say now.
  Effects set_seeds(std::vector<std::string> seeds, Now now);
  /// A seed turned out to be this node under another address.
  Effects on_seed_is_self(const std::string& address, Now now);

  /// Begins to leave: names are handed over, then Drained comes.
  Effects leave(Now now);
  /// The last words: tells everyone that this node has left. Afterwards close the links.
  Effects depart(Now now);

  /// Ends in exactly one ClaimDone with its token, also across a change of leader.
  Effects claim(Claim claim, Now now);
  /// Ends the name for all: its actor is stopped wherever it is and not started again. Ends in a
  /// ClaimDone with the last record, or not_found.
  Effects withdraw(std::uint64_t token, const std::string& name, Now now);
  /// The answers to StartHere.
  Effects bound(const std::string& name, std::uint64_t epoch, base::ActorId actor, Now now);
  Effects failed(const std::string& name, std::uint64_t epoch, std::string text, Now now);
  /// The named actor has ended, because of StopHere or by itself; by itself, the name is free.
  Effects stopped(const std::string& name, std::uint64_t epoch, Now now);

  /// Adds or removes an actor of this node. Joining twice is once.
  Effects join_group(const std::string& group, base::ActorId actor, Now now);
  Effects part_group(const std::string& group, base::ActorId actor, Now now);

  /// Sorted by name; includes this node and remembered dead ones.
  [[nodiscard]] std::vector<Member> members() const;
  [[nodiscard]] Member self() const;
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] std::optional<base::NodeId> leader() const;
  /// Whether this node's copy of the table shows what the cluster knows: not yet just after joining.
  [[nodiscard]] bool has_table() const;
  /// From this node's copy of the table; null if the name is free. Valid until the next input.
  [[nodiscard]] const Record* find(std::string_view name) const;
  /// All names that are not free, sorted.
  [[nodiscard]] std::vector<Record> names() const;
  /// A number of the whole table: equal tables, equal numbers.
  [[nodiscard]] std::uint64_t names_digest() const;

  struct GroupMember {
    base::NodeId node;
    base::ActorId actor;
    auto operator<=>(const GroupMember&) const = default;
  };
  [[nodiscard]] std::vector<GroupMember> group_members(std::string_view group) const;
  [[nodiscard]] std::vector<std::string> groups() const;
  [[nodiscard]] Stats stats() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace troupe::registry
