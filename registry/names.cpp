#include "registry/names.hpp"

#include <algorithm>
#include <utility>

namespace troupe::registry {

namespace {
constexpr std::size_t records_a_message = 1000;
constexpr int repeat_after_growth_max = 16;
}  // namespace

Names::Names(base::NodeId self, NamesOptions options)
    : self_(std::move(self)), options_(options), as_leader_(self_, table_, options_) {}

// ---- The view ----------------------------------------------------------------------------------

void Names::on_view(const std::vector<Member>& members, Now now, Outbox& out) {
  members_ = members;
  const auto before = leader_;
  leader_ = leader_of(members_);
  if (leader_ != before && leader_) {
    out.event(LeaderChanged{*leader_});
  }
  if (leader_ == self_) {
    if (as_leader_.is_active()) {
      as_leader_.on_view(members_, now, out);
    } else if (lead_at_ == base::time_never) {
      lead(now, out);
    }
  } else {
    lead_at_ = base::time_never;
    as_leader_.end();
  }
  if (leader_ != before) {
    ask_again(now, out);
  }
}

void Names::lead(Now now, Outbox& out) {
  lead_at_ = base::time_never;
  as_leader_.begin(next_term(term_, table_.epoch_seen_max()), members_, now, out);
}

void Names::on_pause(Now now, Outbox& out) {
  if (as_leader_.is_active()) {
    lead(now, out);
  }
}

void Names::on_link_up(const base::NodeId& peer, Outbox& out) {
  as_leader_.on_link_up(peer, out);
}

void Names::tick(Now now, Outbox& out) {
  if (next_retry_ > now) {
    return;
  }
  next_retry_ = now + options_.retry_interval;
  if (lead_at_ <= now && leader_ == self_) {
    lead(now, out);
  }
  as_leader_.tick(now, out);
  for (auto& [number, waiting] : waiting_) {
    if (waiting.repeat_at <= now) {
      send_ask(waiting, now, out);
    }
  }
  for (const std::string& name : std::set<std::string>{unconfirmed_}) {
    if (confirm(name, out)) {
      unconfirmed_.erase(name);
    } else if (const auto at = holds_.find(name); at != holds_.end()) {
      report(at->second, out);
    }
  }
  table_.prune(now - options_.released_kept);
}

void Names::flush(Now now, Outbox& out) {
  for (const std::string& name : table_.take_touched()) {
    answer_from_copy(name, out);
    if (holds_.contains(name) && !confirm(name, out)) {
      unconfirmed_.insert(name);
    }
  }
  as_leader_.flush(out);
  if (as_leader_.is_serving() && !was_serving_) {
    version_ = 1;  // the leader's own copy is the table
    ask_again(now, out);
  }
  was_serving_ = as_leader_.is_serving();
  if (leaving_ && !drained_ && holds_.empty()) {
    drained_ = true;
    out.event(Drained{moved_});
  }
}

// ---- Obedience ---------------------------------------------------------------------------------

bool Names::obeys(const base::NodeId& from, std::uint64_t term) const {
  return term == term_ && from == term_leader_;
}

void Names::pledge(const base::NodeId& to, std::uint64_t term, Now now, Outbox& out) {
  if (as_leader_.is_active() && to != self_) {
    as_leader_.end();
    lead_at_ = now + options_.retry_interval;  // unless the view says by then that we need not
  }
  if (!obeys(to, term)) {
    term_ = term;
    term_leader_ = to;
    version_ = 0;
    snapshot_.clear();
  }
  SyncReply part{.term = term, .more = true, .holds = {}, .records = {}};
  const auto send_if = [&](bool full) {
    if (full) {
      out.send(to, part);
      part.holds.clear();
      part.records.clear();
    }
  };
  for (const auto& [name, hold] : holds_) {
    part.holds.push_back(hold);
    send_if(part.holds.size() == records_a_message);
  }
  for (const auto& [name, record] : table_.records()) {
    part.records.push_back(record);
    send_if(part.records.size() == records_a_message);
  }
  part.more = false;
  send_if(true);
}

bool Names::check_term(const base::NodeId& from, std::uint64_t term, Outbox& out) {
  if (obeys(from, term)) {
    return true;
  }
  ++refused_epoch_;
  if (term <= term_) {
    out.send(from, OldTerm{term_});
  }
  return false;
}

void Names::on(const base::NodeId& from, const SyncRequest& message, Now now, Outbox& out) {
  if (message.term > term_ || obeys(from, message.term)) {
    pledge(from, message.term, now, out);
  } else {
    ++refused_epoch_;
    out.send(from, OldTerm{term_});
  }
}

void Names::on(const base::NodeId& from, SyncReply message, Now now, Outbox& out) {
  as_leader_.on(from, std::move(message), now, out);
}

void Names::on(const base::NodeId&, const OldTerm& message, Now now, Outbox&) {
  if (!as_leader_.is_active() || message.term < as_leader_.term()) {
    return;
  }
  if (message.term > term_) {
    term_ = message.term;
    term_leader_ = {};
    version_ = 0;
  }
  as_leader_.end();
  lead_at_ = now + options_.retry_interval;
}

// ---- The copy ----------------------------------------------------------------------------------

void Names::ask_for_snapshot(Now now, Outbox& out) {
  if (now < snapshot_again_at_) {
    return;
  }
  snapshot_again_at_ = now + options_.retry_interval;
  out.send(term_leader_, SnapshotRequest{term_});
}

void Names::on(const base::NodeId& from, const Beat& message, Now now, Outbox& out) {
  if (message.term > term_) {
    pledge(from, message.term, now, out);
    return;
  }
  if (!check_term(from, message.term, out)) {
    return;
  }
  if (message.version != version_ || message.digest != table_.digest()) {
    ask_for_snapshot(now, out);
  }
}

void Names::on(const base::NodeId& from, const SnapshotRequest& message, Now, Outbox& out) {
  as_leader_.on(from, message, out);
}

void Names::on(const base::NodeId& from, Snapshot message, Now now, Outbox& out) {
  if (!check_term(from, message.term, out)) {
    return;
  }
  if (message.first) {
    snapshot_.clear();
  }
  std::move(message.records.begin(), message.records.end(), std::back_inserter(snapshot_));
  if (message.more) {
    return;
  }
  const bool is_first = version_ == 0;
  table_.replace(std::exchange(snapshot_, {}), now, out);
  version_ = message.version;
  if (is_first) {
    ask_again(now, out);
  }
}

void Names::on(const base::NodeId& from, const Change& message, Now now, Outbox& out) {
  if (!check_term(from, message.term, out) || message.version <= version_) {
    return;
  }
  if (version_ == 0 || message.version != version_ + 1) {
    ask_for_snapshot(now, out);
    return;
  }
  version_ = message.version;
  for (const Record& record : message.records) {
    table_.put(record, now, out);
  }
}

// ---- Claims ------------------------------------------------------------------------------------

void Names::claim(std::uint64_t token, Record record, bool withdraw, Now now, Outbox& out) {
  if (record.name.empty() || record.name.size() > name_bytes_max) {
    out.event(ClaimDone{
        token, base::Error{base::Errc::invalid_argument, "a name has 1 to 255 bytes, not " +
                                                             std::to_string(record.name.size())}});
    return;
  }
  if (const auto placement = parse_placement(record.placement); !placement) {
    out.event(ClaimDone{token, placement.error()});
    return;
  }
  if (leaving_ && !withdraw) {
    out.event(ClaimDone{token, base::Error{base::Errc::closed, "this node is leaving"}});
    return;
  }
  record.claim = {.requester = self_, .number = ++claim_number_};
  Waiting& waiting = waiting_[claim_number_];
  waiting.token = token;
  waiting.ask = Ask{.record = std::move(record), .withdraw = withdraw};
  send_ask(waiting, now, out);
}

void Names::send_ask(Waiting& waiting, Now now, Outbox& out) {
  waiting.repeat_after = std::clamp(waiting.repeat_after * 2, options_.retry_interval,
                                    options_.retry_interval * repeat_after_growth_max);
  waiting.repeat_at = now + waiting.repeat_after;
  if (!leader_) {
    return;
  }
  waiting.ask.done_below = waiting_.begin()->first;
  out.send(*leader_, waiting.ask);
  waiting.ask.again = true;
}

void Names::ask_again(Now now, Outbox& out) {
  for (auto& [number, waiting] : waiting_) {
    waiting.repeat_after = {};
    send_ask(waiting, now, out);
  }
}

void Names::on(const base::NodeId& from, const Answer& message, Now now, Outbox& out) {
  if (!check_term(from, message.term, out)) {
    return;  // the leader that this node obeys is asked again
  }
  const auto at = waiting_.find(message.number);
  const bool is_own_actor = message.ok && message.record.actor && message.record.holder == self_ &&
                            message.record.state == NameState::bound;
  if (at == waiting_.end()) {
    if (is_own_actor && !holds_.contains(message.record.name)) {
      // Nobody waits for it any more, so nobody would ever release it.
      out.send(from, Report{.name = message.record.name,
                            .epoch = message.record.epoch,
                            .actor = {},
                            .state = HoldState::stopped,
                            .text = {}});
    }
    return;
  }
  const Waiting waiting = std::move(at->second);
  waiting_.erase(at);
  if (!message.ok) {
    out.event(ClaimDone{waiting.token, base::Error{message.code, message.text}});
    return;
  }
  if (is_own_actor && waiting.ask.record.actor == message.record.actor) {
    accept(message.record, out);
  }
  table_.put(message.record, now, out);
  out.event(ClaimDone{waiting.token, message.record});
}

void Names::answer_from_copy(const std::string& name, Outbox& out) {
  const Record* record = table_.find(name);
  if (record == nullptr || record->claim.requester != self_) {
    return;
  }
  const auto at = waiting_.find(record->claim.number);
  const bool is_bound = record->state == NameState::bound;
  if (at == waiting_.end() || (!is_bound && record->state != NameState::released)) {
    return;
  }
  const Waiting waiting = std::move(at->second);
  waiting_.erase(at);
  if (!is_bound) {
    out.event(ClaimDone{waiting.token, base::Error{base::Errc::refused, "it has already ended"}});
    return;
  }
  if (record->actor == waiting.ask.record.actor && record->holder == self_) {
    accept(*record, out);
  }
  out.event(ClaimDone{waiting.token, *record});
}

void Names::accept(const Record& record, Outbox& out) {
  Hold& hold = holds_[record.name];
  hold.record = record;
  set_hold(hold, HoldState::bound, {}, out);
}

}  // namespace troupe::registry
