#include "registry/names_rules.hpp"

#include <algorithm>

#include "registry/member.hpp"

namespace troupe::registry {

bool is_newer(const Record& a, const Record& b) {
  if (a.epoch != b.epoch) {
    return a.epoch > b.epoch;
  }
  if (a.holder != b.holder) {
    return is_older(a.holder, b.holder);
  }
  return a.state > b.state;
}

std::uint64_t next_term(std::uint64_t term_max, std::uint64_t epoch_seen_max) {
  return std::max(term_max, epoch_seen_max / epochs_per_term) + 1;
}

bool is_alive(HoldState state) {
  return state <= HoldState::stopping;
}

bool is_held(NameState state) {
  return state == NameState::starting || state == NameState::bound || state == NameState::moving;
}

Verdict after_loss(const Record& record) {
  return record.respawn && !record.kind.empty() ? Verdict::start_again : Verdict::release;
}

Verdict on_ended(const Record& record, HoldState state) {
  if (record.state == NameState::moving) {
    return after_loss(record);
  }
  switch (state) {
    case HoldState::failed: return Verdict::start_failed;
    case HoldState::refused: return Verdict::start_again;
    default: return Verdict::release;
  }
}

Verdict settle(const Record& record, const HolderView& view) {
  if (!is_held(record.state)) {
    return Verdict::keep;
  }
  if (!view.holder_live) {
    return after_loss(record);
  }
  if (!view.holder_heard) {
    return Verdict::wait;
  }
  if (view.hold) {
    return is_alive(*view.hold) ? Verdict::keep : on_ended(record, *view.hold);
  }
  switch (record.state) {
    case NameState::starting: return Verdict::start_again;  // it was never told
    case NameState::moving: return after_loss(record);
    default: return Verdict::release;  // it ended there, and only the word of it was lost
  }
}

}  // namespace troupe::registry
