#include "registry/cluster.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "registry/groups.hpp"
#include "registry/membership.hpp"
#include "registry/messages.hpp"
#include "registry/names.hpp"
#include "registry/outbox.hpp"

namespace troupe::registry {

namespace {
using base::ByteView;
using base::NodeId;
}  // namespace

struct Cluster::Parts {
  NodeId id;
  Membership membership;
  Names names;
  Groups groups;
  Stats stats;
  bool ended = false;

  Parts(Self self, ClusterOptions options, base::Random random)
      : id(self.id),
        membership(Member{.id = self.id,
                          .address = std::move(self.address),
                          .labels = std::move(self.labels)},
                   std::move(options.seeds), options.membership, random),
        names(self.id, options.names),
        groups(self.id, options.groups) {}

  /// Runs one input and everything inside this node that follows from it.
  template <class Input>
  Effects step(Now now, Input&& input) {
    Effects effects;
    Outbox out{id, effects};
    if (ended) {
      return effects;
    }
    if (membership.begin(now, out)) {
      names.on_pause(now, out);
    }
    input(out);
    settle(now, out);
    membership.end(out);
    return effects;
  }

  static Effects refuse_claim(std::uint64_t token) {
    Effects effects;
    effects.events.push_back(
        ClaimDone{token, base::Error{base::Errc::unavailable, "this node is no longer a member"}});
    return effects;
  }

  void settle(Now now, Outbox& out) {
    for (;;) {
      if (membership.take_changed()) {
        const std::vector<Member> members = membership.members();
        names.on_view(members, now, out);
        groups.on_view(members, out);
      }
      names.flush(now, out);
      const std::vector<Send> local = out.take_local();
      if (local.empty()) {
        break;
      }
      for (const Send& message : local) {
        dispatch(id, message.body, now, out);
      }
    }
    if (membership.is_over() && !ended) {
      ended = true;
      names.stop_all("this node is no longer a member", out);
    }
  }

  template <class M, class Handler>
  void decode(base::WireReader& in, Handler&& handler) {
    M message;
    if (decode_message(in, message)) {
      handler(std::move(message));
    } else {
      ++stats.malformed;
    }
  }

  template <class M>
  void to_membership(base::WireReader& in, const NodeId& from, Now now, Outbox& out) {
    decode<M>(in, [&](M message) { membership.on(from, message, now, out); });
  }

  template <class M>
  void to_names(base::WireReader& in, const NodeId& from, Now now, Outbox& out) {
    decode<M>(in, [&](M message) {
      if (!membership.is_live(from)) {
        return;  // not a member yet; whatever matters is repeated
      }
      if constexpr (std::is_same_v<M, SyncRequest>) {
        if (from != id) {
          membership.send_state(from, out);  // the new leader must know every holder we know
        }
      }
      names.on(from, std::move(message), now, out);
    });
  }

  template <class M>
  void to_groups(base::WireReader& in, const NodeId& from, Outbox& out) {
    decode<M>(in, [&](M message) {
      if (membership.is_live(from) && from != id) {
        groups.on(from, message, out);
      }
    });
  }

  void dispatch(const NodeId& from, ByteView body, Now now, Outbox& out) {
    base::WireReader in{body};
    std::uint64_t kind = 0;
    if (!in.unsigned_integer(kind, 255)) {
      ++stats.malformed;
      return;
    }
    switch (static_cast<MessageKind>(kind)) {
      case MessageKind::state: return to_membership<State>(in, from, now, out);
      case MessageKind::ping: return to_membership<Ping>(in, from, now, out);
      case MessageKind::ack: return to_membership<Ack>(in, from, now, out);
      case MessageKind::ping_request: return to_membership<PingRequest>(in, from, now, out);
      case MessageKind::ping_result: return to_membership<PingResult>(in, from, now, out);
      case MessageKind::news: return to_membership<News>(in, from, now, out);
      case MessageKind::sync_request: return to_names<SyncRequest>(in, from, now, out);
      case MessageKind::sync_reply: return to_names<SyncReply>(in, from, now, out);
      case MessageKind::old_term: return to_names<OldTerm>(in, from, now, out);
      case MessageKind::beat: return to_names<Beat>(in, from, now, out);
      case MessageKind::snapshot_request: return to_names<SnapshotRequest>(in, from, now, out);
      case MessageKind::snapshot: return to_names<Snapshot>(in, from, now, out);
      case MessageKind::change: return to_names<Change>(in, from, now, out);
      case MessageKind::ask: return to_names<Ask>(in, from, now, out);
      case MessageKind::answer: return to_names<Answer>(in, from, now, out);
      case MessageKind::start: return to_names<Start>(in, from, now, out);
      case MessageKind::stop: return to_names<Stop>(in, from, now, out);
      case MessageKind::report: return to_names<Report>(in, from, now, out);
      case MessageKind::group_state: return to_groups<GroupState>(in, from, out);
      case MessageKind::group_change: return to_groups<GroupChange>(in, from, out);
      case MessageKind::group_beat: return to_groups<GroupBeat>(in, from, out);
      case MessageKind::group_request: return to_groups<GroupRequest>(in, from, out);
    }
    ++stats.malformed;
  }
};

Cluster::Cluster(Self self, ClusterOptions options, base::Random random)
    : parts_(std::make_unique<Parts>(std::move(self), std::move(options), random)) {}

Cluster::~Cluster() = default;

Effects Cluster::start(Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->membership.start(now, out); });
}

Effects Cluster::tick(Now now) {
  return parts_->step(now, [&](Outbox& out) {
    parts_->membership.tick(now, out);
    parts_->names.tick(now, out);
    parts_->groups.tick(now, out);
  });
}

base::TimePoint Cluster::next_tick() const {
  if (parts_->ended) {
    return base::time_never;
  }
  return std::min(
      {parts_->membership.next_tick(), parts_->names.next_tick(), parts_->groups.next_tick()});
}

// ---- Links -------------------------------------------------------------------------------------

Effects Cluster::on_link_up(const NodeId& peer, const std::string& address, Now now) {
  return parts_->step(now, [&](Outbox& out) {
    parts_->membership.on_link_up(peer, address, now, out);
    parts_->names.on_link_up(peer, out);
    parts_->groups.on_link_up(peer, out);
  });
}

Effects Cluster::on_link_lost(const NodeId& peer, Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->membership.on_link_lost(peer, now, out); });
}

Effects Cluster::on_link_down(const NodeId& peer, Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->membership.on_link_down(peer, now, out); });
}

Effects Cluster::on_message(const NodeId& from, ByteView body, Now now) {
  return parts_->step(now, [&](Outbox& out) {
    if (parts_->membership.on_contact(from, now, out)) {
      parts_->dispatch(from, body, now, out);
    } else {
      ++parts_->stats.from_dead;
    }
  });
}

Effects Cluster::on_refused_as_dead(std::string reason, Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->membership.die(std::move(reason), out); });
}

Effects Cluster::set_seeds(std::vector<std::string> seeds, Now now) {
  return parts_->step(now, [&](Outbox&) { parts_->membership.set_seeds(std::move(seeds), now); });
}

Effects Cluster::on_seed_is_self(const std::string& address, Now now) {
  return parts_->step(now, [&](Outbox&) { parts_->membership.add_own_address(address, now); });
}

// ---- Leaving -----------------------------------------------------------------------------------

Effects Cluster::leave(Now now) {
  return parts_->step(now, [&](Outbox& out) {
    parts_->membership.leave(out);
    parts_->names.leave(now, out);
  });
}

Effects Cluster::depart(Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->membership.depart(out); });
}

// ---- Names -------------------------------------------------------------------------------------

Effects Cluster::claim(Claim claim, Now now) {
  if (parts_->ended) {
    return parts_->refuse_claim(claim.token);
  }
  return parts_->step(now, [&](Outbox& out) {
    Record record;
    record.name = std::move(claim.name);
    record.actor = claim.actor;
    record.kind = std::move(claim.kind);
    record.args = std::move(claim.args);
    record.respawn = claim.respawn;
    record.placement = std::move(claim.placement);
    parts_->names.claim(claim.token, std::move(record), false, now, out);
  });
}

Effects Cluster::withdraw(std::uint64_t token, const std::string& name, Now now) {
  if (parts_->ended) {
    return parts_->refuse_claim(token);
  }
  return parts_->step(now, [&](Outbox& out) {
    Record record;
    record.name = name;
    parts_->names.claim(token, std::move(record), true, now, out);
  });
}

Effects Cluster::bound(const std::string& name, std::uint64_t epoch, base::ActorId actor, Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->names.bound(name, epoch, actor, out); });
}

Effects Cluster::failed(const std::string& name, std::uint64_t epoch, std::string text, Now now) {
  return parts_->step(
      now, [&](Outbox& out) { parts_->names.failed(name, epoch, std::move(text), out); });
}

Effects Cluster::stopped(const std::string& name, std::uint64_t epoch, Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->names.stopped(name, epoch, out); });
}

// ---- Groups ------------------------------------------------------------------------------------

Effects Cluster::join_group(const std::string& group, base::ActorId actor, Now now) {
  return parts_->step(now, [&](Outbox& out) {
    if (group.empty() || group.size() > name_bytes_max || !parts_->groups.join(group, actor, out)) {
      ++parts_->stats.refused_groups;
    }
  });
}

Effects Cluster::part_group(const std::string& group, base::ActorId actor, Now now) {
  return parts_->step(now, [&](Outbox& out) { parts_->groups.part(group, actor, out); });
}

std::vector<Cluster::GroupMember> Cluster::group_members(std::string_view group) const {
  std::vector<GroupMember> members;
  for (const auto& [node, groups] : parts_->groups.all()) {
    if (const auto at = groups.find(group); at != groups.end()) {
      for (const base::ActorId actor : at->second) {
        members.push_back({node, actor});
      }
    }
  }
  return members;
}

std::vector<std::string> Cluster::groups() const {
  std::set<std::string> names;
  for (const auto& [node, groups] : parts_->groups.all()) {
    for (const auto& [group, actors] : groups) {
      names.insert(group);
    }
  }
  return {names.begin(), names.end()};
}

// ---- Queries -----------------------------------------------------------------------------------

std::vector<Member> Cluster::members() const {
  return parts_->membership.members();
}
Member Cluster::self() const {
  return parts_->membership.self();
}
bool Cluster::is_ready() const {
  return parts_->membership.is_ready();
}
bool Cluster::has_table() const { return parts_->names.has_table(); }

std::optional<NodeId> Cluster::leader() const {
  return parts_->names.leader();
}
std::uint64_t Cluster::names_digest() const {
  return parts_->names.table().digest();
}

const Record* Cluster::find(std::string_view name) const {
  const Record* record = parts_->names.table().find(name);
  return record == nullptr || record->state == NameState::released ? nullptr : record;
}

std::vector<Record> Cluster::names() const {
  std::vector<Record> live = parts_->names.table().copy();
  std::erase_if(live, [](const Record& record) { return record.state == NameState::released; });
  return live;
}

Cluster::Stats Cluster::stats() const {
  Stats stats = parts_->stats;
  stats.refused_epoch = parts_->names.refused_epoch();
  return stats;
}

}  // namespace troupe::registry
