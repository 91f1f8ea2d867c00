#include <algorithm>
#include <utility>

#include "registry/names_leader.hpp"

namespace troupe::registry {

// ---- What becomes of a name --------------------------------------------------------------------

void NamesLeader::write(Record record, Now now, Outbox& out) {
  dirty_.insert(record.name);
  table_.put(std::move(record), now, out);
}

void NamesLeader::carry_out(Verdict verdict, const std::string& name, const std::string& why,
                            Now now, Outbox& out) {
  const Record* record = table_.find(name);
  if (record == nullptr) {
    return;
  }
  const bool starts = verdict == Verdict::start_again || verdict == Verdict::start_failed;
  if (starts && withdrawing_.contains(name)) {
    verdict = Verdict::release;
  }
  switch (verdict) {
    case Verdict::keep:
    case Verdict::wait: return;
    case Verdict::start_again: start_again(*record, now, out); return;
    case Verdict::start_failed: start_failed(*record, why, now, out); return;
    case Verdict::release: release(*record, why, now, out); return;
  }
}

void NamesLeader::start_again(Record record, Now now, Outbox& out) {
  // The text was checked before the claim was granted.
  const Placement placement = parse_placement(record.placement).value_or(Placement{});
  const auto place_at =
      place(placement, {.name = record.name, .requester = record.claim.requester, .again = true},
            candidates(), table_.loads());
  if (!place_at && waiting_.contains(record.name)) {
    release(std::move(record), place_at.error().context, now, out);
    return;
  }
  record.epoch = next_epoch();
  record.actor = {};
  if (!place_at) {
    record.state = NameState::unplaced;
    unplaced_.insert(record.name);
    in_flight_.erase(record.name);
    write(std::move(record), now, out);
    return;
  }
  record.state = NameState::starting;
  record.holder = *place_at;
  unplaced_.erase(record.name);
  write(record, now, out);
  send_start(record, now, out);
}

void NamesLeader::start_failed(Record record, const std::string& why, Now now, Outbox& out) {
  ++record.failures;
  if (waiting_.contains(record.name) || record.failures >= options_.start_failures_max) {
    release(std::move(record), why, now, out);
    return;
  }
  record.epoch = next_epoch();
  record.actor = {};
  record.state = NameState::unplaced;  // started by the next retry
  unplaced_.insert(record.name);
  in_flight_.erase(record.name);
  write(std::move(record), now, out);
}

void NamesLeader::release(Record record, const std::string& why, Now now, Outbox& out) {
  in_flight_.erase(record.name);
  unplaced_.erase(record.name);
  record.state = NameState::released;
  write(record, now, out);
  answer_waiting(record, false, base::Errc::refused, why.empty() ? "it stopped before it ran" : why,
                 out);
  note_end(record);
  if (const auto at = withdrawing_.find(record.name); at != withdrawing_.end()) {
    for (const ClaimId& claim : at->second) {
      answer(claim, Answer{.ok = true, .text = {}, .record = record}, out);
    }
    withdrawing_.erase(at);
  }
}

void NamesLeader::move_away(Record record, const std::string& why, Now now, Outbox& out) {
  record.state = NameState::moving;
  write(record, now, out);
  send_stop(record, why, now, out);
}

void NamesLeader::place_unplaced(Now now, Outbox& out) {
  if (unplaced_.empty() || candidates().empty()) {
    return;
  }
  for (const std::string& name : std::set<std::string>{unplaced_}) {
    const Record* record = table_.find(name);
    if (record == nullptr || record->state != NameState::unplaced) {
      unplaced_.erase(name);
      continue;
    }
    const Placement placement = parse_placement(record->placement).value_or(Placement{});
    if (place(placement, {.name = name, .requester = record->claim.requester, .again = true},
              candidates(), table_.loads())) {
      start_again(*record, now, out);
    }
  }
}

void NamesLeader::send_start(const Record& record, Now now, Outbox& out) {
  in_flight_[record.name] = now + 3 * options_.retry_interval;
  out.send(record.holder, Start{term_, record});
}

void NamesLeader::send_stop(const Record& record, const std::string& why, Now now, Outbox& out) {
  in_flight_[record.name] = now + 3 * options_.retry_interval;
  out.send(record.holder, Stop{term_, record.name, record.epoch, why});
}

// ---- What holders say --------------------------------------------------------------------------

void NamesLeader::on(const base::NodeId& from, const Report& message, Now now, Outbox& out) {
  if (phase_ != Phase::serving || !heard_.contains(from)) {
    return;  // it will be repeated, or was part of what the sync told
  }
  table_.note_epoch(message.epoch);
  const Record* known = table_.find(message.name);
  if (known == nullptr || known->epoch != message.epoch || known->holder != from ||
      !is_held(known->state)) {
    if (is_alive(message.state) && message.state != HoldState::stopping) {
      out.send(from, Stop{term_, message.name, message.epoch, "its epoch is over"});
    }
    return;
  }
  if (!is_alive(message.state)) {
    carry_out(on_ended(*known, message.state), message.name, message.text, now, out);
    return;
  }
  Record record = *known;
  if (message.state == HoldState::stopping && record.state != NameState::moving) {
    record.state = NameState::moving;
    write(std::move(record), now, out);
  } else if (message.state == HoldState::bound && record.state == NameState::starting) {
    record.state = NameState::bound;
    record.actor = message.actor;
    record.failures = 0;
    in_flight_.erase(record.name);
    write(record, now, out);
    answer_waiting(record, true, base::Errc::internal, {}, out);
    if (const Member* holder = member(from); holder != nullptr && holder->leaving) {
      move_away(std::move(record), "its node is leaving", now, out);
    }
  }
}

// ---- Claims ------------------------------------------------------------------------------------

void NamesLeader::on(const base::NodeId& from, const Ask& message, Now now, Outbox& out) {
  const ClaimId& claim = message.record.claim;
  if (phase_ != Phase::serving || !heard_.contains(from) || claim.requester != from) {
    return;  // repeated until a leader serves
  }
  auto& given = answers_[from];
  given.erase(given.begin(), given.lower_bound(message.done_below));
  if (const auto at = given.find(claim.number); at != given.end()) {
    out.send(from, at->second);
    return;
  }
  message.withdraw ? withdraw(message, now, out) : grant(message, now, out);
}

void NamesLeader::grant(const Ask& message, Now now, Outbox& out) {
  const ClaimId claim = message.record.claim;
  if (const Record* known = table_.find(message.record.name)) {
    const bool is_same = known->claim == claim;
    if (known->state == NameState::released && is_same) {
      answer_error(claim, base::Errc::refused, "it stopped before the claim was answered", out);
      return;
    }
    if (known->state == NameState::bound && is_same) {
      answer(claim, Answer{.ok = true, .text = {}, .record = *known}, out);
      return;
    }
    if (known->state != NameState::released && is_same) {
      auto& waiting = waiting_[known->name];
      if (std::find(waiting.begin(), waiting.end(), claim) == waiting.end()) {
        waiting.push_back(claim);
      }
      return;
    }
    if (known->state != NameState::released) {
      answer_error(claim, base::Errc::already_exists,
                   "'" + known->name + "' is held by " +
                       (is_held(known->state) ? known->holder.name : std::string{"nobody yet"}),
                   out);
      return;
    }
  }
  if (table_.size() >= options_.names_max) {
    answer_error(claim, base::Errc::limit_exceeded,
                 std::to_string(options_.names_max) + " names in the cluster (names_max)", out);
    return;
  }
  Record record = message.record;
  record.failures = 0;
  if (record.actor) {
    record.epoch = next_epoch();
    record.holder = claim.requester;
    record.state = NameState::bound;
    write(record, now, out);
    answer(claim, Answer{.ok = true, .text = {}, .record = record}, out);
    if (const Member* holder = member(claim.requester); holder != nullptr && holder->leaving) {
      move_away(std::move(record), "its node is leaving", now, out);
    }
    return;
  }
  const auto placement = parse_placement(record.placement);
  if (!placement) {
    answer_error(claim, placement.error().code, placement.error().context, out);
    return;
  }
  const auto place_at = place(*placement, {.name = record.name, .requester = claim.requester},
                              candidates(), table_.loads());
  if (!place_at) {
    answer_error(claim, place_at.error().code, place_at.error().context, out);
    return;
  }
  record.epoch = next_epoch();
  record.holder = *place_at;
  record.state = NameState::starting;
  waiting_[record.name].push_back(claim);
  write(record, now, out);
  send_start(record, now, out);
}

void NamesLeader::withdraw(const Ask& message, Now now, Outbox& out) {
  const ClaimId claim = message.record.claim;
  const Record* known = table_.find(message.record.name);
  if (known == nullptr || known->state == NameState::released) {
    if (known != nullptr && message.again) {
      // Most likely our predecessor did it, and its answer was lost.
      answer(claim, Answer{.ok = true, .text = {}, .record = *known}, out);
    } else {
      answer_error(claim, base::Errc::not_found, "no name '" + message.record.name + "'", out);
    }
    return;
  }
  auto& waiting = withdrawing_[known->name];
  if (std::find(waiting.begin(), waiting.end(), claim) == waiting.end()) {
    waiting.push_back(claim);
  }
  Record record = *known;
  if (record.state == NameState::unplaced) {
    release(std::move(record), "withdrawn", now, out);
    return;
  }
  if (record.state != NameState::moving) {
    record.respawn = false;
    move_away(std::move(record), "withdrawn", now, out);
  }
}

void NamesLeader::answer(const ClaimId& claim, Answer answer, Outbox& out) {
  answer.term = term_;
  answer.number = claim.number;
  answers_[claim.requester].insert_or_assign(claim.number, answer);
  // At once, so that it is ahead of an order to stop what it grants.
  out.send(claim.requester, answer);
}

void NamesLeader::note_end(const Record& record) {
  if (is_live(record.claim.requester) && record.claim.number != 0) {
    answers_[record.claim.requester].try_emplace(record.claim.number,
                                                 Answer{.term = term_,
                                                        .number = record.claim.number,
                                                        .ok = false,
                                                        .code = base::Errc::refused,
                                                        .text = "it has already ended",
                                                        .record = {}});
  }
}

void NamesLeader::answer_error(const ClaimId& claim, base::Errc code, const std::string& text,
                               Outbox& out) {
  answer(claim, Answer{.ok = false, .code = code, .text = text, .record = {}}, out);
}

void NamesLeader::answer_waiting(const Record& record, bool ok, base::Errc code,
                                 const std::string& text, Outbox& out) {
  const auto at = waiting_.find(record.name);
  if (at == waiting_.end()) {
    return;
  }
  for (const ClaimId& claim : at->second) {
    if (ok) {
      answer(claim, Answer{.ok = true, .text = {}, .record = record}, out);
    } else {
      answer_error(claim, code, text, out);
    }
  }
  waiting_.erase(at);
}

}  // namespace troupe::registry
