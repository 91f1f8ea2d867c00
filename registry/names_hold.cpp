#include <utility>

#include "registry/names.hpp"

namespace troupe::registry {

// ---- What this node holds ----------------------------------------------------------------------

void Names::set_hold(Hold& hold, HoldState state, std::string text, Outbox& out) {
  hold.state = state;
  hold.text = std::move(text);
  if (state != HoldState::starting) {
    unconfirmed_.insert(hold.record.name);
    if (!confirm(hold.record.name, out)) {
      report(hold, out);
    }
  }
}

void Names::report(const Hold& hold, Outbox& out) {
  if (term_leader_.name.empty()) {
    return;
  }
  out.send(term_leader_, Report{.name = hold.record.name,
                                .epoch = hold.record.epoch,
                                .actor = hold.record.actor,
                                .state = hold.state,
                                .text = hold.text});
}

void Names::lose(Hold& hold, const std::string& why, Outbox& out) {
  if (hold.state == HoldState::stopping) {
    return;
  }
  out.event(StopHere{hold.record.name, hold.record.epoch, hold.record.actor, why});
  set_hold(hold, HoldState::stopping, why, out);
}

bool Names::confirm(const std::string& name, Outbox& out) {
  const auto at = holds_.find(name);
  if (at == holds_.end()) {
    return true;
  }
  Hold& hold = at->second;
  const Record* record = table_.find(name);
  const std::uint64_t epoch = hold.record.epoch;
  const bool is_over = record != nullptr && (record->epoch > epoch ||
                                             (record->epoch == epoch && !is_held(record->state)));
  if (!is_alive(hold.state)) {
    // Only a copy of this term can show that the leader knows: an absent name is a known end.
    if (is_over || (record == nullptr && version_ != 0)) {
      holds_.erase(at);
      return true;
    }
    return false;
  }
  if (is_over) {
    if (hold.state != HoldState::stopping) {
      lose(hold, "its epoch is over", out);
    }
    return true;  // once it stopped, that is reported
  }
  if (record == nullptr || record->epoch != epoch) {
    return false;
  }
  switch (hold.state) {
    case HoldState::bound:
      return record->state == NameState::bound || record->state == NameState::moving;
    case HoldState::stopping: return record->state == NameState::moving;
    default: return true;
  }
}

void Names::on(const base::NodeId& from, const Start& message, Now now, Outbox& out) {
  if (!check_term(from, message.term, out) || message.record.holder != self_) {
    return;
  }
  const Record& record = message.record;
  const auto at = holds_.find(record.name);
  const bool holds_older =
      at != holds_.end() && at->second.record.epoch < record.epoch && is_alive(at->second.state);
  if (at != holds_.end() && at->second.record.epoch >= record.epoch) {
    report(at->second, out);
    return;
  }
  if (drained_ || holds_older) {
    out.send(from,
             Report{.name = record.name,
                    .epoch = record.epoch,
                    .actor = {},
                    .state = HoldState::refused,
                    .text = drained_ ? "this node is leaving" : "its older epoch still stops"});
    if (holds_older) {
      lose(at->second, "a later epoch was granted", out);
    }
    return;
  }
  Hold& hold = holds_[record.name];
  hold = Hold{.record = record, .state = HoldState::starting, .text = {}};
  unconfirmed_.insert(record.name);
  table_.put(record, now, out);
  out.event(StartHere{record});
}

void Names::on(const base::NodeId& from, const Stop& message, Now, Outbox& out) {
  if (!check_term(from, message.term, out)) {
    return;
  }
  const auto at = holds_.find(message.name);
  if (at == holds_.end() || at->second.record.epoch != message.epoch) {
    out.send(from, Report{.name = message.name,
                          .epoch = message.epoch,
                          .actor = {},
                          .state = HoldState::stopped,
                          .text = {}});
    return;
  }
  Hold& hold = at->second;
  if (!is_alive(hold.state)) {
    report(hold, out);
  } else if (hold.state != HoldState::stopping) {
    lose(hold, message.reason, out);
  }
}

void Names::on(const base::NodeId& from, const Report& message, Now now, Outbox& out) {
  as_leader_.on(from, message, now, out);
}

void Names::on(const base::NodeId& from, const Ask& message, Now now, Outbox& out) {
  as_leader_.on(from, message, now, out);
}

void Names::bound(const std::string& name, std::uint64_t epoch, base::ActorId actor, Outbox& out) {
  const auto at = holds_.find(name);
  if (at == holds_.end() || at->second.record.epoch != epoch || !is_alive(at->second.state)) {
    out.event(StopHere{name, epoch, actor, "its epoch is over"});
    return;
  }
  Hold& hold = at->second;
  hold.record.actor = actor;
  if (hold.state == HoldState::stopping) {
    out.event(StopHere{name, epoch, actor, hold.text});  // it was asked for while it started
  } else if (hold.state == HoldState::starting) {
    hold.record.state = NameState::bound;
    set_hold(hold, HoldState::bound, {}, out);
  }
}

void Names::failed(const std::string& name, std::uint64_t epoch, std::string text, Outbox& out) {
  const auto at = holds_.find(name);
  if (at == holds_.end() || at->second.record.epoch != epoch) {
    return;
  }
  if (at->second.state == HoldState::starting) {
    set_hold(at->second, HoldState::failed, std::move(text), out);
  } else {
    stopped(name, epoch, out);
  }
}

void Names::stopped(const std::string& name, std::uint64_t epoch, Outbox& out) {
  const auto at = holds_.find(name);
  if (at == holds_.end() || at->second.record.epoch != epoch || !is_alive(at->second.state)) {
    return;
  }
  Hold& hold = at->second;
  if (leaving_ && hold.state == HoldState::stopping && hold.record.respawn) {
    ++moved_;
  }
  set_hold(hold, HoldState::stopped, {}, out);
}

// ---- Leaving -----------------------------------------------------------------------------------

void Names::leave(Now, Outbox& out) {
  leaving_ = true;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (at->second.ask.withdraw) {
      ++at;
      continue;
    }
    out.event(ClaimDone{at->second.token, base::Error{base::Errc::closed, "this node is leaving"}});
    at = waiting_.erase(at);
  }
}

void Names::stop_all(const std::string& why, Outbox& out) {
  for (const auto& [name, hold] : holds_) {
    if (is_alive(hold.state) && hold.state != HoldState::stopping) {
      out.event(StopHere{name, hold.record.epoch, hold.record.actor, why});
    }
  }
  holds_.clear();
  unconfirmed_.clear();
  for (const auto& [number, waiting] : waiting_) {
    out.event(ClaimDone{waiting.token, base::Error{base::Errc::unavailable, why}});
  }
  waiting_.clear();
  as_leader_.end();
}

}  // namespace troupe::registry
