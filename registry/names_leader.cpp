#include "registry/names_leader.hpp"

#include <algorithm>
#include <utility>

namespace troupe::registry {

namespace {
constexpr std::size_t records_a_batch = 1000;
}  // namespace

NamesLeader::NamesLeader(const base::NodeId& self, NameTable& table, const NamesOptions& options)
    : self_(self), table_(table), options_(options) {}

// ---- Taking over -------------------------------------------------------------------------------

void NamesLeader::begin(std::uint64_t term, const std::vector<Member>& members, Now now,
                        Outbox& out) {
  end();
  phase_ = Phase::syncing;
  term_ = term;
  members_ = members;
  next_retry_ = now + options_.retry_interval;
  for (const Member& other : members_) {
    if (registry::is_live(other)) {
      awaiting_.insert(other.id);
      out.send(other.id, SyncRequest{term_});
    }
  }
}

void NamesLeader::end() {
  phase_ = Phase::idle;
  version_ = 0;
  awaiting_.clear();
  heard_.clear();
  replies_.clear();
  dirty_.clear();
  unplaced_.clear();
  in_flight_.clear();
  waiting_.clear();
  withdrawing_.clear();
  answers_.clear();
}

void NamesLeader::on(const base::NodeId& from, SyncReply message, Now now, Outbox& out) {
  if (phase_ == Phase::idle || message.term != term_ || !is_live(from)) {
    return;
  }
  SyncReply& so_far = replies_[from];
  std::move(message.holds.begin(), message.holds.end(), std::back_inserter(so_far.holds));
  std::move(message.records.begin(), message.records.end(), std::back_inserter(so_far.records));
  if (message.more) {
    return;
  }
  awaiting_.erase(from);
  if (phase_ == Phase::serving) {
    SyncReply said = std::move(so_far);
    replies_.erase(from);
    hear_late(from, std::move(said), now, out);
    return;
  }
  heard_.insert(from);
  if (awaiting_.empty()) {
    finish_sync(now, out);
  }
}

void NamesLeader::finish_sync(Now now, Outbox& out) {
  phase_ = Phase::serving;
  std::map<base::NodeId, Holds> heard;
  for (auto& [node, reply] : replies_) {
    if (!heard_.contains(node)) {
      continue;
    }
    for (Record& record : reply.records) {
      table_.put(std::move(record), now, out);
    }
    for (Hold& hold : reply.holds) {
      adopt(node, hold, now, out);
      heard[node].insert_or_assign(hold.record.name, std::move(hold));
    }
  }
  replies_.clear();
  std::vector<std::string> names;
  for (const auto& [name, record] : table_.records()) {
    names.push_back(name);
    if (record.state == NameState::released) {
      note_end(record);
    }
  }
  for (const std::string& name : names) {
    settle_name(name, heard, now, out);
  }
  for (const auto& [node, holds] : heard) {
    stop_losers(node, holds, out);
  }
  for (const Member& other : members_) {
    if (other.leaving && registry::is_live(other)) {
      evacuate(other.id, now, out);
    }
  }
  version_ = 1;
  dirty_.clear();
  for (const base::NodeId& node : heard_) {
    send_snapshot(node, out);
  }
  next_beat_ = now + options_.beat_interval;
}

void NamesLeader::hear_late(const base::NodeId& from, SyncReply said, Now now, Outbox& out) {
  const bool again = !heard_.insert(from).second;
  std::vector<std::string> names;
  for (const Record& record : said.records) {
    if (table_.put(record, now, out)) {
      dirty_.insert(record.name);
      names.push_back(record.name);
    }
  }
  std::map<base::NodeId, Holds> heard;
  Holds& holds = heard[from];
  for (Hold& hold : said.holds) {
    adopt(from, hold, now, out);
    names.push_back(hold.record.name);
    holds.insert_or_assign(hold.record.name, std::move(hold));
  }
  if (!again) {
    for (const auto& [name, record] : table_.records()) {
      if (record.holder == from) {
        names.push_back(name);
      }
    }
  }
  for (const std::string& name : names) {
    settle_name(name, heard, now, out);
  }
  stop_losers(from, holds, out);
  if (const Member* node = member(from); node != nullptr && node->leaving) {
    evacuate(from, now, out);
  }
  place_unplaced(now, out);
  flush(out);
  send_snapshot(from, out);
}

void NamesLeader::adopt(const base::NodeId& from, const Hold& hold, Now now, Outbox& out) {
  table_.note_epoch(hold.record.epoch);
  if (!is_alive(hold.state)) {
    return;
  }
  Record record = hold.record;
  record.holder = from;
  record.state = hold.state == HoldState::starting ? NameState::starting
                 : hold.state == HoldState::bound  ? NameState::bound
                                                   : NameState::moving;
  const std::string name = record.name;
  if (table_.put(std::move(record), now, out)) {
    dirty_.insert(name);
  }
}

void NamesLeader::settle_name(const std::string& name, const std::map<base::NodeId, Holds>& heard,
                              Now now, Outbox& out) {
  const Record* record = table_.find(name);
  if (record == nullptr) {
    return;
  }
  if (record->state == NameState::unplaced) {
    unplaced_.insert(name);
    return;
  }
  HolderView view{.holder_live = is_live(record->holder),
                  .holder_heard = heard_.contains(record->holder),
                  .hold = std::nullopt};
  std::string why = "its holder is gone";
  if (const auto node = heard.find(record->holder); node != heard.end()) {
    const auto hold = node->second.find(name);
    if (hold != node->second.end() && hold->second.record.epoch == record->epoch) {
      view.hold = hold->second.state;
      why = hold->second.text;
    }
  }
  const Verdict verdict = settle(*record, view);
  if (verdict == Verdict::keep &&
      (record->state == NameState::starting || record->state == NameState::moving)) {
    in_flight_[name] = now;  // the holder hears from its new leader, too
  }
  carry_out(verdict, name, why, now, out);
}

void NamesLeader::stop_losers(const base::NodeId& from, const Holds& holds, Outbox& out) {
  for (const auto& [name, hold] : holds) {
    const Record* record = table_.find(name);
    const bool holds_it = record != nullptr && is_held(record->state) && record->holder == from &&
                          record->epoch == hold.record.epoch;
    if (is_alive(hold.state) && !holds_it) {
      out.send(from, Stop{term_, name, hold.record.epoch, "held elsewhere with a higher epoch"});
    }
  }
}

void NamesLeader::send_snapshot(const base::NodeId& to, Outbox& out) const {
  if (to == self_) {
    return;
  }
  Snapshot part{.term = term_, .version = version_, .first = true, .more = true, .records = {}};
  for (const auto& [name, record] : table_.records()) {
    part.records.push_back(record);
    if (part.records.size() == records_a_batch) {
      out.send(to, part);
      part.first = false;
      part.records.clear();
    }
  }
  part.more = false;
  out.send(to, part);
}

void NamesLeader::on(const base::NodeId& from, const SnapshotRequest& message, Outbox& out) {
  if (phase_ == Phase::serving && message.term == term_ && heard_.contains(from)) {
    flush(out);
    send_snapshot(from, out);
  }
}

// ---- The view ----------------------------------------------------------------------------------

void NamesLeader::on_view(const std::vector<Member>& members, Now now, Outbox& out) {
  if (phase_ == Phase::idle) {
    return;
  }
  std::set<base::NodeId> leaving_before;
  for (const Member& before : members_) {
    if (before.leaving) {
      leaving_before.insert(before.id);
    }
  }
  members_ = members;
  const auto is_gone = [&](const base::NodeId& id) { return !is_live(id); };
  const std::size_t before = awaiting_.size() + heard_.size();
  std::erase_if(awaiting_, is_gone);
  std::erase_if(heard_, is_gone);
  std::erase_if(answers_, [&](const auto& of) { return is_gone(of.first); });
  std::erase_if(replies_, [&](const auto& of) { return is_gone(of.first); });
  const bool lost = awaiting_.size() + heard_.size() != before;
  for (const Member& other : members_) {
    if (registry::is_live(other) && !heard_.contains(other.id) &&
        awaiting_.insert(other.id).second) {
      out.send(other.id, SyncRequest{term_});
    }
  }
  if (phase_ == Phase::syncing) {
    if (awaiting_.empty()) {
      finish_sync(now, out);
    }
    return;
  }
  if (lost) {
    std::vector<std::string> names;
    for (const auto& [name, record] : table_.records()) {
      if (is_held(record.state) && is_gone(record.holder)) {
        names.push_back(name);
      }
    }
    for (const std::string& name : names) {
      carry_out(after_loss(*table_.find(name)), name, "its node is gone", now, out);
    }
  }
  for (const Member& other : members_) {
    if (other.leaving && registry::is_live(other) && !leaving_before.contains(other.id)) {
      evacuate(other.id, now, out);
    }
  }
  place_unplaced(now, out);
}

void NamesLeader::on_link_up(const base::NodeId& peer, Outbox& out) {
  if (phase_ == Phase::idle) {
    return;
  }
  if (awaiting_.contains(peer)) {
    out.send(peer, SyncRequest{term_});
  } else if (heard_.contains(peer)) {
    out.send(peer, Beat{term_, version_, table_.digest()});
  }
}

void NamesLeader::evacuate(const base::NodeId& node, Now now, Outbox& out) {
  std::vector<Record> held;
  for (const auto& [name, record] : table_.records()) {
    if (record.holder == node &&
        (record.state == NameState::starting || record.state == NameState::bound)) {
      held.push_back(record);
    }
  }
  for (Record& record : held) {
    move_away(std::move(record), "its node is leaving", now, out);
  }
}

// ---- Time --------------------------------------------------------------------------------------

void NamesLeader::tick(Now now, Outbox& out) {
  if (phase_ == Phase::idle || next_retry_ > now) {
    return;
  }
  next_retry_ = now + options_.retry_interval;
  for (const base::NodeId& node : awaiting_) {
    out.send(node, SyncRequest{term_});
  }
  if (phase_ != Phase::serving) {
    return;
  }
  std::vector<std::string> due;
  for (const auto& [name, at] : in_flight_) {
    if (at <= now) {
      due.push_back(name);
    }
  }
  for (const std::string& name : due) {
    const Record* record = table_.find(name);
    if (record != nullptr && record->state == NameState::starting) {
      send_start(*record, now, out);
    } else if (record != nullptr && record->state == NameState::moving) {
      send_stop(*record, "moved", now, out);
    } else {
      in_flight_.erase(name);
    }
  }
  place_unplaced(now, out);
  if (next_beat_ <= now) {
    next_beat_ = now + options_.beat_interval;
    flush(out);
    for (const base::NodeId& node : heard_) {
      if (node != self_) {
        out.send(node, Beat{term_, version_, table_.digest()});
      }
    }
  }
}

void NamesLeader::flush(Outbox& out) {
  if (phase_ == Phase::serving && !dirty_.empty()) {
    Change change{.term = term_, .version = 0, .records = {}};
    const auto send_part = [&] {
      change.version = ++version_;
      const base::Bytes body = encode_message(change);
      for (const base::NodeId& node : heard_) {
        if (node != self_) {
          out.put(node, body);
        }
      }
      change.records.clear();
    };
    for (const std::string& name : dirty_) {
      if (const Record* record = table_.find(name)) {
        change.records.push_back(*record);
      }
      if (change.records.size() == records_a_batch) {
        send_part();
      }
    }
    if (!change.records.empty()) {
      send_part();
    }
    dirty_.clear();
  }
}

// ---- Queries -----------------------------------------------------------------------------------

std::uint64_t NamesLeader::next_epoch() const {
  return std::max(table_.epoch_seen_max(), term_ * epochs_per_term) + 1;
}

const Member* NamesLeader::member(const base::NodeId& id) const {
  const auto at = std::find_if(members_.begin(), members_.end(),
                               [&](const Member& other) { return other.id == id; });
  return at == members_.end() ? nullptr : &*at;
}

bool NamesLeader::is_live(const base::NodeId& id) const {
  const Member* found = member(id);
  return found != nullptr && registry::is_live(*found);
}

std::vector<Member> NamesLeader::candidates() const {
  std::vector<Member> fit;
  for (const Member& other : members_) {
    if (is_placeable(other) && heard_.contains(other.id)) {
      fit.push_back(other);
    }
  }
  return fit;
}

}  // namespace troupe::registry
