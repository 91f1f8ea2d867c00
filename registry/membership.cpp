#include "registry/membership.hpp"

#include <algorithm>
#include <utility>

namespace troupe::registry {

namespace {

bool is_dead(const Member& member) {
  return member.state == MemberState::left || member.state == MemberState::down;
}

/// Whether `said` outdoes `known`, both of one life and not dead: the later refutation; within one
/// refutation suspicion beats life.
bool is_news(const Member& said, const Member& known) {
  if (said.refutation != known.refutation) {
    return said.refutation > known.refutation;
  }
  return said.state == MemberState::suspect && known.state != MemberState::suspect;
}

}  // namespace

Membership::Membership(Member self, std::vector<std::string> seeds, MembershipOptions options,
                       base::Random random)
    : self_(std::move(self)), options_(options), random_(random), seeds_(std::move(seeds)) {
  self_.state = MemberState::joining;
  own_addresses_.insert(self_.address);
}

void Membership::start(Now now, Outbox& out) {
  started_at_ = now;
  next_probe_ = now + options_.probe_interval;
  next_exchange_ = now + options_.exchange_interval;
  next_dial_ = now;
  changed_ = true;
  tick(now, out);
}

bool Membership::begin(Now now, Outbox& out) {
  if (promised_ == base::time_never || now <= promised_ + options_.pause_tolerated) {
    return false;
  }
  // We did not run, so nobody had a chance to answer: what waited for an answer waits anew.
  const base::Duration gap = now - promised_;
  probes_.clear();
  relays_.clear();
  for (auto& [name, entry] : entries_) {
    entry.last_contact += gap;
    if (entry.suspicion) {
      entry.suspicion->since += gap;
    }
  }
  next_probe_ = std::min(next_probe_, now);
  out.event(SelfPaused{gap});
  return true;
}

void Membership::end(Outbox& out) {
  if (!fresh_.empty() && !over_) {
    News message;
    for (const std::string& name : fresh_) {
      const auto at = entries_.find(name);
      message.news.push_back(at == entries_.end() ? self_ : at->second.member);
    }
    const base::Bytes body = encode_message(message);
    for (const base::NodeId& to : pick_linked(options_.gossip_fanout, self_.id)) {
      out.put(to, body);
    }
  }
  fresh_.clear();
  promised_ = next_tick();
}

void Membership::tick(Now now, Outbox& out) {
  if (over_) {
    return;
  }
  if (!ready_ && form_at() <= now) {
    become_ready(out);
  }
  tick_probes(now, out);
  tick_suspicions(now, out);
  tick_dials(now, out);
  exchange(now, out);
}

base::TimePoint Membership::next_tick() const {
  if (over_) {
    return base::time_never;
  }
  base::TimePoint next = std::min(next_dial_, next_exchange_);
  next = std::min(next, ready_ ? next_probe_ : form_at());
  for (const auto& [sequence, probe] : probes_) {
    next = std::min(next, probe.asked_others ? probe.ends_at : probe.ask_others_at);
  }
  for (const auto& [sequence, relay] : relays_) {
    next = std::min(next, relay.ends_at);
  }
  for (const auto& [name, entry] : entries_) {
    if (entry.suspicion) {
      next = std::min(next, down_at(entry));
    }
  }
  return next;
}

// ---- Links -------------------------------------------------------------------------------------

void Membership::on_link_up(const base::NodeId& peer, const std::string& address, Now now,
                            Outbox& out) {
  if (over_ || peer == self_.id) {
    return;
  }
  Entry* entry = nullptr;
  if (const auto at = entries_.find(peer.name);
      at == entries_.end() || at->second.member.id.incarnation < peer.incarnation) {
    // Known by its link only until it says more; an older life under this name is over.
    hear(Member{.id = peer, .address = address, .state = MemberState::joining}, peer, now, out);
  }
  entry = find(peer);
  if (entry == nullptr) {
    return;
  }
  if (is_dead(entry->member)) {
    out.send(peer, News{{entry->member}});
    return;
  }
  entry->linked = true;
  entry->last_contact = now;
  send_state(peer, out);
}

void Membership::on_link_lost(const base::NodeId& peer, Now now, Outbox& out) {
  Entry* entry = find(peer);
  if (over_ || entry == nullptr) {
    return;
  }
  if (entry->member.state == MemberState::joining) {
    entry->linked = false;
    return;
  }
  if (registry::is_live(entry->member)) {
    suspect(*entry, self_.id, now, out);
    probe(*entry, true, now, out);
  }
}

void Membership::on_link_down(const base::NodeId& peer, Now now, Outbox& out) {
  Entry* entry = find(peer);
  if (over_ || entry == nullptr) {
    return;
  }
  entry->linked = false;
  if (entry->member.state == MemberState::joining) {
    entries_.erase(peer.name);
    changed_ = true;
    return;
  }
  next_dial_ = std::min(next_dial_, now + options_.dial_interval_joining);
  on_link_lost(peer, now, out);
}

void Membership::send_state(const base::NodeId& to, Outbox& out) const {
  State state{.sender = self_, .ready = ready_, .members = {}};
  for (const auto& [name, entry] : entries_) {
    if (entry.member.state != MemberState::joining) {
      state.members.push_back(entry.member);
    }
  }
  out.send(to, state);
}

void Membership::become_ready(Outbox& out) {
  if (ready_) {
    return;
  }
  ready_ = true;
  self_.state = self_.leaving ? MemberState::leaving : MemberState::up;
  changed_ = true;
  out.event(Ready{});
  for (const auto& [name, entry] : entries_) {
    if (entry.linked) {
      send_state(entry.member.id, out);
    }
  }
  tell(self_);
}

// ---- What is said ------------------------------------------------------------------------------

bool Membership::on_contact(const base::NodeId& from, Now now, Outbox& out) {
  const auto at = entries_.find(from.name);
  if (over_ || from.name == self_.id.name) {
    return false;
  }
  if (at == entries_.end()) {
    return true;
  }
  Entry& entry = at->second;
  if (entry.member.id.incarnation > from.incarnation ||
      (entry.member.id == from && is_dead(entry.member))) {
    Member dead = entry.member;
    dead.id = from;
    dead.state = entry.member.id == from ? dead.state : MemberState::down;
    out.send(from, News{{dead}});
    return false;
  }
  if (entry.member.id == from) {
    entry.last_contact = std::max(entry.last_contact, now);
  }
  return true;
}

void Membership::on(const base::NodeId& from, const State& message, Now now, Outbox& out) {
  if (message.sender.id != from) {
    return;
  }
  hear(message.sender, from, now, out);
  if (!message.ready) {
    return;
  }
  hear_all(message.members, from, now, out);
  become_ready(out);
}

void Membership::on(const base::NodeId& from, const News& message, Now now, Outbox& out) {
  hear_all(message.news, from, now, out);
}

void Membership::hear_all(const std::vector<Member>& said, const base::NodeId& by, Now now,
                          Outbox& out) {
  for (const Member& member : said) {
    hear(member, by, now, out);
    if (over_) {
      return;
    }
  }
}

void Membership::hear(const Member& said, const base::NodeId& by, Now now, Outbox& out) {
  if (said.id.name == self_.id.name) {
    hear_of_self(said, out);
    return;
  }
  if (said.state == MemberState::joining && said.id != by) {
    return;  // only its own link tells of a node that is not a member yet
  }
  const auto at = entries_.find(said.id.name);
  if (at == entries_.end()) {
    add(said, by, now, out);
    return;
  }
  Entry& known = at->second;
  if (said.id.incarnation < known.member.id.incarnation) {
    return;
  }
  if (said.id.incarnation > known.member.id.incarnation) {
    bury(known, MemberState::down, "replaced by " + said.id.text(), out);
    entries_.erase(at);
    add(said, by, now, out);
    return;
  }
  hear_of_known(known, said, by, now, out);
}

void Membership::hear_of_self(const Member& said, Outbox& out) {
  if (said.id.incarnation < self_.id.incarnation) {
    return;
  }
  if (said.id.incarnation > self_.id.incarnation) {
    die("replaced by " + said.id.text(), out);
    return;
  }
  if (is_dead(said)) {
    die("the others declared this node " + std::string{to_string(said.state)}, out);
    return;
  }
  if (said.refutation > self_.refutation ||
      (said.refutation == self_.refutation && said.state == MemberState::suspect)) {
    self_.refutation = said.refutation + 1;
    health_ = std::min(health_ + 1, options_.health_max);
    tell(self_);
  }
}

bool Membership::make_room() {
  if (entries_.size() < options_.members_max) {
    return true;
  }
  const auto dead = std::find_if(entries_.begin(), entries_.end(),
                                 [](const auto& at) { return is_dead(at.second.member); });
  if (dead == entries_.end()) {
    return false;
  }
  entries_.erase(dead);
  return true;
}

void Membership::add(const Member& said, const base::NodeId& by, Now now, Outbox& out) {
  if (!entries_.contains(said.id.name) && !make_room()) {
    return;
  }
  Entry& entry = entries_[said.id.name];
  entry.member = said;
  entry.known_since = now;
  entry.last_contact = now;
  changed_ = true;
  if (said.state == MemberState::joining) {
    return;
  }
  tell(entry.member);
  if (is_dead(said)) {
    return;
  }
  next_dial_ = std::min(next_dial_, now);
  entry.member.state = said.leaving ? MemberState::leaving : MemberState::up;
  out.event(MemberUp{entry.member});
  if (said.leaving) {
    out.event(MemberLeaving{entry.member});
  }
  if (said.state == MemberState::suspect) {
    suspect(entry, by, now, out);
  }
}

void Membership::hear_of_known(Entry& entry, const Member& said, const base::NodeId& by, Now now,
                               Outbox& out) {
  Member& known = entry.member;
  if (is_dead(known)) {
    if (known.state == MemberState::down && said.state == MemberState::left) {
      known.state = MemberState::left;  // an order among the two, so that all views end equal
      changed_ = true;
      tell(known);
    }
    return;
  }
  if (is_dead(said)) {
    bury(entry, said.state, "said by " + by.name, out);
    return;
  }
  if (known.state == MemberState::joining) {
    if (said.state != MemberState::joining) {
      const bool linked = entry.linked;
      add(said, by, now, out);
      entry.linked = linked;
    } else {
      known.address = said.address;
      known.labels = said.labels;
      changed_ = true;
    }
    return;
  }
  if (said.state == MemberState::joining) {
    return;
  }
  if (is_news(said, known)) {
    apply(entry, said, by, now, out);
  } else if (said.state == MemberState::suspect && known.state == MemberState::suspect &&
             said.refutation == known.refutation && entry.suspicion && by != self_.id) {
    entry.suspicion->others = true;
  }
}

void Membership::apply(Entry& entry, const Member& said, const base::NodeId& by, Now now,
                       Outbox& out) {
  Member& known = entry.member;
  known.refutation = said.refutation;
  known.address = said.address;
  known.labels = said.labels;
  const bool began_to_leave = said.leaving && !known.leaving;
  known.leaving = known.leaving || said.leaving;
  changed_ = true;
  tell(known);
  if (said.state == MemberState::suspect) {
    suspect(entry, by, now, out);
  } else {
    const bool was_suspect = known.state == MemberState::suspect;
    known.state = known.leaving ? MemberState::leaving : MemberState::up;
    entry.suspicion.reset();
    if (was_suspect) {
      out.event(MemberAlive{known});
    }
  }
  if (began_to_leave) {
    out.event(MemberLeaving{known});
  }
}

void Membership::suspect(Entry& entry, const base::NodeId& by, Now now, Outbox& out) {
  if (!entry.suspicion) {
    entry.suspicion = Suspicion{.since = now};
  }
  (by == self_.id ? entry.suspicion->own : entry.suspicion->others) = true;
  if (entry.member.state != MemberState::suspect) {
    entry.member.state = MemberState::suspect;
    changed_ = true;
    tell(entry.member);
    out.event(MemberSuspect{entry.member});
  }
}

void Membership::bury(Entry& entry, MemberState state, std::string reason, Outbox& out) {
  const bool was_member = registry::is_live(entry.member);
  entry.member.state = state;
  entry.suspicion.reset();
  changed_ = true;
  tell(entry.member);
  if (entry.linked) {
    // Its last chance to hear it from us: it may only be frozen.
    out.send(entry.member.id, News{{entry.member}});
  }
  entry.linked = false;
  if (!was_member) {
    return;
  }
  if (state == MemberState::left) {
    out.event(MemberLeft{entry.member});
  } else {
    out.event(MemberDown{entry.member, std::move(reason)});
  }
}

void Membership::tell(const Member& member) {
  rumours_[member.id.name] = repeats();
  fresh_.insert(member.id.name);
}

// ---- Leaving -----------------------------------------------------------------------------------

void Membership::leave(Outbox&) {
  if (self_.leaving || over_) {
    return;
  }
  self_.leaving = true;
  ++self_.refutation;
  changed_ = true;
  if (ready_) {
    self_.state = MemberState::leaving;
    tell(self_);
  }
}

void Membership::depart(Outbox& out) {
  if (over_) {
    return;
  }
  self_.state = MemberState::left;
  self_.leaving = true;
  for (const auto& [name, entry] : entries_) {
    if (entry.linked) {
      out.send(entry.member.id, News{{self_}});
    }
  }
  over_ = true;
  changed_ = true;
}

void Membership::die(std::string reason, Outbox& out) {
  if (over_) {
    return;
  }
  over_ = true;
  self_.state = MemberState::down;
  changed_ = true;
  out.event(SelfDown{std::move(reason)});
}

// ---- Queries -----------------------------------------------------------------------------------

std::vector<Member> Membership::members() const {
  std::vector<Member> members;
  members.reserve(entries_.size() + 1);
  for (const auto& [name, entry] : entries_) {
    members.push_back(entry.member);
  }
  const auto at =
      std::lower_bound(members.begin(), members.end(), self_,
                       [](const Member& a, const Member& b) { return a.id.name < b.id.name; });
  members.insert(at, self_);
  return members;
}

Membership::Entry* Membership::find(const base::NodeId& id) {
  const auto at = entries_.find(id.name);
  return at == entries_.end() || at->second.member.id != id ? nullptr : &at->second;
}

const Membership::Entry* Membership::find(const base::NodeId& id) const {
  const auto at = entries_.find(id.name);
  return at == entries_.end() || at->second.member.id != id ? nullptr : &at->second;
}

bool Membership::is_linked(const base::NodeId& id) const {
  const Entry* entry = find(id);
  return id == self_.id || (entry != nullptr && entry->linked);
}

bool Membership::is_live(const base::NodeId& id) const {
  const Entry* entry = find(id);
  return id == self_.id ? registry::is_live(self_)
                        : entry != nullptr && registry::is_live(entry->member);
}

}  // namespace troupe::registry
