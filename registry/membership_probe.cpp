#include <algorithm>
#include <bit>
#include <utility>

#include "registry/membership.hpp"

namespace troupe::registry {

// ---- Probing -----------------------------------------------------------------------------------

base::Duration Membership::stretched(base::Duration plain) const {
  return plain * (1 + health_);
}

void Membership::tick_probes(Now now, Outbox& out) {
  std::vector<Probe> ended;
  for (auto at = probes_.begin(); at != probes_.end();) {
    Probe& probe = at->second;
    if (!probe.asked_others && probe.ask_others_at <= now) {
      ask_others(at->first, probe, out);
    }
    if (probe.ends_at <= now) {
      ended.push_back(probe);
      at = probes_.erase(at);
    } else {
      ++at;
    }
  }
  for (const Probe& probe : ended) {
    end_probe(probe, now, out);
  }
  for (auto at = relays_.begin(); at != relays_.end();) {
    if (at->second.ends_at <= now) {
      out.send(at->second.requester,
               PingResult{at->second.sequence, false, take_news(at->second.requester)});
      at = relays_.erase(at);
    } else {
      ++at;
    }
  }
  if (ready_ && next_probe_ <= now) {
    next_probe_ = now + stretched(options_.probe_interval);
    probe_next(now, out);
  }
}

void Membership::probe_next(Now now, Outbox& out) {
  // A suspect is asked in every round, so that it can refute.
  for (auto& [name, entry] : entries_) {
    if (entry.suspicion && entry.linked) {
      out.send(entry.member.id, Ping{++sequence_, take_news(entry.member.id)});
    }
  }
  const auto may_be_probed = [&](const Entry& entry) {
    return registry::is_live(entry.member) && !entry.suspicion &&
           (entry.linked || now - entry.known_since > options_.suspicion_max);
  };
  for (int round = 0; round < 2; ++round) {
    while (!order_.empty()) {
      const std::string name = std::move(order_.back());
      order_.pop_back();
      const auto at = entries_.find(name);
      if (at != entries_.end() && may_be_probed(at->second)) {
        probe(at->second, false, now, out);
        return;
      }
    }
    for (const auto& [name, entry] : entries_) {
      if (may_be_probed(entry)) {
        order_.push_back(name);
      }
    }
    for (std::size_t i = order_.size(); i > 1; --i) {
      std::swap(order_[i - 1], order_[random_.below(i)]);
    }
  }
}

void Membership::probe(Entry& entry, bool after_reset, Now now, Outbox& out) {
  const std::uint64_t sequence = ++sequence_;
  Probe probe{.target = entry.member.id,
              .ask_others_at = now + stretched(options_.probe_timeout),
              .ends_at = now + stretched(options_.probe_timeout * 5 / 2),
              .after_reset = after_reset};
  if (entry.linked) {
    out.send(entry.member.id, Ping{sequence, take_news(entry.member.id)});
  }
  if (after_reset || !entry.linked) {
    ask_others(sequence, probe, out);
  }
  probes_.emplace(sequence, std::move(probe));
}

void Membership::ask_others(std::uint64_t sequence, Probe& probe, Outbox& out) {
  probe.asked_others = true;
  for (const base::NodeId& helper : pick_linked(options_.indirect_probes, probe.target)) {
    ++probe.helpers;
    out.send(helper, PingRequest{sequence, probe.target, take_news(helper)});
  }
}

void Membership::end_probe(const Probe& probe, Now now, Outbox& out) {
  if (probe.answers < probe.helpers) {
    // Not even the helpers' "no" came in time: the slow one may be us (Lifeguard).
    health_ = std::min(health_ + 1, options_.health_max);
  }
  Entry* entry = find(probe.target);
  if (entry == nullptr || !registry::is_live(entry->member)) {
    return;
  }
  if (probe.after_reset) {
    if (entry->suspicion) {
      entry->suspicion->reset = true;
    }
    return;
  }
  suspect(*entry, self_.id, now, out);
}

void Membership::reached(const base::NodeId& target) {
  for (auto at = probes_.begin(); at != probes_.end();) {
    at = at->second.target == target ? probes_.erase(at) : std::next(at);
  }
  if (health_ > 0) {
    --health_;
  }
}

void Membership::on(const base::NodeId& from, const Ping& message, Now now, Outbox& out) {
  hear_all(message.news, from, now, out);
  if (!over_) {
    out.send(from, Ack{message.sequence, take_news(from)});
  }
}

void Membership::on(const base::NodeId& from, const Ack& message, Now now, Outbox& out) {
  hear_all(message.news, from, now, out);
  if (over_) {
    return;
  }
  const auto relay = relays_.find(message.sequence);
  if (relay != relays_.end() && relay->second.target == from) {
    out.send(relay->second.requester,
             PingResult{relay->second.sequence, true, take_news(relay->second.requester)});
    relays_.erase(relay);
    return;
  }
  const auto probe = probes_.find(message.sequence);
  if (probe != probes_.end() && probe->second.target == from) {
    reached(from);
  }
}

void Membership::on(const base::NodeId& from, const PingRequest& message, Now now, Outbox& out) {
  hear_all(message.news, from, now, out);
  if (over_) {
    return;
  }
  const Entry* target = find(message.target);
  if (target == nullptr || !target->linked) {
    const bool is_self = message.target == self_.id;
    out.send(from, PingResult{message.sequence, is_self, take_news(from)});
    return;
  }
  const std::uint64_t sequence = ++sequence_;
  relays_.emplace(sequence, Relay{from, message.sequence, message.target,
                                  now + stretched(options_.probe_timeout)});
  out.send(message.target, Ping{sequence, take_news(message.target)});
}

void Membership::on(const base::NodeId& from, const PingResult& message, Now now, Outbox& out) {
  hear_all(message.news, from, now, out);
  const auto at = probes_.find(message.sequence);
  if (over_ || at == probes_.end()) {
    return;
  }
  Probe& probe = at->second;
  if (message.alive) {
    const base::NodeId target = probe.target;
    reached(target);
    return;
  }
  ++probe.answers;
  if (probe.after_reset && probe.answers == probe.helpers) {
    if (Entry* entry = find(probe.target); entry != nullptr && entry->suspicion) {
      entry->suspicion->reset = true;
    }
  }
}

// ---- Suspicion ---------------------------------------------------------------------------------

base::TimePoint Membership::down_at(const Entry& entry) const {
  const Suspicion& suspicion = *entry.suspicion;
  base::Duration wait =
      suspicion.own && suspicion.others ? options_.suspicion_min : options_.suspicion_max;
  if (suspicion.reset) {
    wait = std::min(wait, options_.suspicion_reset);
  }
  return std::max(suspicion.since + wait, entry.last_contact + options_.silence_min);
}

void Membership::tick_suspicions(Now now, Outbox& out) {
  for (auto& [name, entry] : entries_) {
    if (entry.suspicion && down_at(entry) <= now) {
      bury(entry, MemberState::down,
           entry.suspicion->reset ? "connection reset, and nobody reaches it" : "does not answer",
           out);
    }
  }
}

// ---- Gossip ------------------------------------------------------------------------------------

std::uint32_t Membership::repeats() const {
  const auto members = static_cast<std::uint32_t>(entries_.size() + 1);
  return options_.gossip_repeat * static_cast<std::uint32_t>(std::bit_width(members));
}

std::vector<Member> Membership::take_news(const base::NodeId& to) {
  // Ourselves always: that is how a refutation gets back; and what is believed of the receiver, so
  // that it can refute.
  std::vector<Member> news{self_};
  if (const Entry* entry = find(to); entry != nullptr && entry->suspicion) {
    news.push_back(entry->member);
  }
  for (auto at = rumours_.begin();
       at != rumours_.end() && news.size() < options_.gossip_members_max;) {
    const auto entry = entries_.find(at->first);
    if (entry != entries_.end() && at->first != to.name) {
      news.push_back(entry->second.member);
    }
    at = --at->second == 0 ? rumours_.erase(at) : std::next(at);
  }
  if (!ready_) {
    news.clear();
  }
  return news;
}

std::vector<base::NodeId> Membership::pick_linked(std::size_t count, const base::NodeId& except) {
  std::vector<base::NodeId> picked;
  for (const auto& [name, entry] : entries_) {
    if (entry.linked && registry::is_live(entry.member) && !entry.suspicion &&
        entry.member.id != except) {
      picked.push_back(entry.member.id);
    }
  }
  for (std::size_t i = 0; i < picked.size() && i < count; ++i) {
    std::swap(picked[i], picked[i + random_.below(picked.size() - i)]);
  }
  picked.resize(std::min(count, picked.size()));
  return picked;
}

void Membership::exchange(Now now, Outbox& out) {
  if (next_exchange_ > now) {
    return;
  }
  next_exchange_ = now + options_.exchange_interval;
  for (const base::NodeId& to : pick_linked(1, self_.id)) {
    send_state(to, out);
  }
}

// ---- Discovery ---------------------------------------------------------------------------------

bool Membership::is_own(const std::string& address) const {
  return own_addresses_.contains(address);
}

base::TimePoint Membership::form_at() const {
  bool alone = true;
  std::uint32_t rank = 0;
  std::optional<std::uint32_t> own_rank;
  for (const std::string& seed : seeds_) {
    if (is_own(seed)) {
      own_rank = own_rank.value_or(rank);
    } else {
      alone = false;
      ++rank;
    }
  }
  if (alone) {
    return started_at_;
  }
  if (!own_rank) {
    return base::time_never;
  }
  return started_at_ +
         (*own_rank == 0 ? options_.form_alone_first
                         : options_.form_alone_other + options_.form_alone_first * (*own_rank - 1));
}

void Membership::tick_dials(Now now, Outbox& out) {
  if (next_dial_ > now) {
    return;
  }
  next_dial_ = now + (ready_ ? options_.dial_interval : options_.dial_interval_joining);
  std::set<std::string> wanted;
  for (const std::string& seed : seeds_) {
    if (!is_own(seed)) {
      wanted.insert(seed);
    }
  }
  for (const auto& [name, entry] : entries_) {
    if (registry::is_live(entry.member) && !entry.linked) {
      wanted.insert(entry.member.address);
    }
  }
  for (const auto& [name, entry] : entries_) {
    if (entry.linked) {
      wanted.erase(entry.member.address);
    }
  }
  for (const std::string& address : wanted) {
    out.connect(address);
  }
}

void Membership::set_seeds(std::vector<std::string> seeds, Now now) {
  seeds_ = std::move(seeds);
  next_dial_ = std::min(next_dial_, now);
}

void Membership::add_own_address(const std::string& address, Now) {
  own_addresses_.insert(address);
}

}  // namespace troupe::registry
