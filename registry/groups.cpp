#include "registry/groups.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::registry {

Groups::Groups(base::NodeId self, GroupsOptions options)
    : self_(std::move(self)), options_(options) {
  versions_[self_] = 1;
}

bool Groups::join(const std::string& group, base::ActorId actor, Outbox& out) {
  if (entries_ >= options_.entries_max) {
    return false;
  }
  if (groups_[self_][group].insert(actor).second) {
    ++entries_;
    change(group, actor, true, out);
  }
  return true;
}

void Groups::part(const std::string& group, base::ActorId actor, Outbox& out) {
  ByGroup& own = groups_[self_];
  const auto at = own.find(group);
  if (at == own.end() || at->second.erase(actor) == 0) {
    return;
  }
  if (at->second.empty()) {
    own.erase(at);
  }
  --entries_;
  change(group, actor, false, out);
}

void Groups::change(const std::string& group, base::ActorId actor, bool joined, Outbox& out) {
  const GroupChange message{
      .version = ++versions_[self_], .group = group, .actor = actor, .joined = joined};
  const base::Bytes body = encode_message(message);
  for (const base::NodeId& to : others_) {
    out.put(to, body);
  }
  GroupChanged event{.group = group, .node = self_, .joined = {}, .parted = {}};
  (joined ? event.joined : event.parted).push_back(actor);
  out.event(std::move(event));
}

void Groups::on_view(const std::vector<Member>& members, Outbox& out) {
  std::vector<base::NodeId> others;
  for (const Member& member : members) {
    if (is_live(member) && member.id != self_) {
      others.push_back(member.id);
    }
  }
  for (const base::NodeId& before : others_) {
    if (std::find(others.begin(), others.end(), before) == others.end()) {
      forget(before, out);
    }
  }
  for (const base::NodeId& node : others) {
    if (std::find(others_.begin(), others_.end(), node) == others_.end()) {
      send_state(node, out);
    }
  }
  others_ = std::move(others);
}

void Groups::on_link_up(const base::NodeId& peer, Outbox& out) {
  if (std::find(others_.begin(), others_.end(), peer) != others_.end()) {
    send_state(peer, out);
  }
}

void Groups::tick(Now now, Outbox& out) {
  if (next_beat_ > now) {
    return;
  }
  next_beat_ = now + options_.beat_interval;
  const base::Bytes body = encode_message(GroupBeat{versions_[self_]});
  for (const base::NodeId& to : others_) {
    out.put(to, body);
  }
}

void Groups::send_state(const base::NodeId& to, Outbox& out) const {
  GroupState state{.version = versions_.at(self_), .groups = {}};
  if (const auto own = groups_.find(self_); own != groups_.end()) {
    for (const auto& [group, actors] : own->second) {
      state.groups[group].assign(actors.begin(), actors.end());
    }
  }
  out.send(to, state);
}

void Groups::forget(const base::NodeId& node, Outbox& out) {
  versions_.erase(node);
  const auto at = groups_.find(node);
  if (at == groups_.end()) {
    return;
  }
  for (auto& [group, actors] : at->second) {
    out.event(GroupChanged{
        .group = group, .node = node, .joined = {}, .parted = {actors.begin(), actors.end()}});
  }
  groups_.erase(at);
}

void Groups::on(const base::NodeId& from, const GroupState& message, Outbox& out) {
  std::uint64_t& version = versions_[from];
  if (message.version < version) {
    return;
  }
  version = message.version;
  ByGroup& known = groups_[from];
  ByGroup said;
  for (const auto& [group, actors] : message.groups) {
    said[group].insert(actors.begin(), actors.end());
  }
  std::set<std::string> names;
  for (const auto& [group, actors] : known) {
    names.insert(group);
  }
  for (const auto& [group, actors] : said) {
    names.insert(group);
  }
  for (const std::string& group : names) {
    const Actors& before = known[group];
    const Actors& after = said[group];
    GroupChanged event{.group = group, .node = from, .joined = {}, .parted = {}};
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                        std::back_inserter(event.joined));
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                        std::back_inserter(event.parted));
    if (!event.joined.empty() || !event.parted.empty()) {
      out.event(std::move(event));
    }
  }
  std::erase_if(said, [](const auto& group) { return group.second.empty(); });
  known = std::move(said);
}

void Groups::on(const base::NodeId& from, const GroupChange& message, Outbox& out) {
  std::uint64_t& version = versions_[from];
  if (message.version <= version) {
    return;
  }
  if (message.version != version + 1) {
    out.send(from, GroupRequest{});
    return;
  }
  version = message.version;
  ByGroup& known = groups_[from];
  Actors& actors = known[message.group];
  const bool changed =
      message.joined ? actors.insert(message.actor).second : actors.erase(message.actor) > 0;
  if (actors.empty()) {
    known.erase(message.group);
  }
  if (changed) {
    GroupChanged event{.group = message.group, .node = from, .joined = {}, .parted = {}};
    (message.joined ? event.joined : event.parted).push_back(message.actor);
    out.event(std::move(event));
  }
}

void Groups::on(const base::NodeId& from, const GroupBeat& message, Outbox& out) {
  const auto at = versions_.find(from);
  if (at == versions_.end() || at->second != message.version) {
    out.send(from, GroupRequest{});
  }
}

void Groups::on(const base::NodeId& from, const GroupRequest&, Outbox& out) {
  send_state(from, out);
}

const Groups::ByGroup* Groups::of_node(const base::NodeId& node) const {
  const auto at = groups_.find(node);
  return at == groups_.end() ? nullptr : &at->second;
}

}  // namespace troupe::registry
