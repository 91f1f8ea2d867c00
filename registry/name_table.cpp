#include "registry/name_table.hpp"

#include <algorithm>

#include "base/message.hpp"
#include "registry/names_rules.hpp"

namespace troupe::registry {

namespace {

std::uint64_t hash_of(const Record& record) {
  std::uint64_t z = (std::uint64_t{base::fnv1a(record.name)} << 32U) ^
                    base::fnv1a(record.holder.name) ^ (record.holder.incarnation << 20U);
  const std::uint64_t parts[] = {record.epoch, record.actor.value,
                                 static_cast<std::uint64_t>(record.state)};
  for (const std::uint64_t part : parts) {
    z = (z ^ part) * 0xBF58476D1CE4E5B9U;
    z ^= z >> 29U;
  }
  return z;
}

}  // namespace

const Record* NameTable::find(std::string_view name) const {
  const auto at = records_.find(name);
  return at == records_.end() ? nullptr : &at->second;
}

void NameTable::note_epoch(std::uint64_t epoch) {
  epoch_seen_max_ = std::max(epoch_seen_max_, epoch);
}

void NameTable::count(const Record& record, bool added) {
  if (record.state == NameState::released) {
    return;
  }
  digest_ ^= hash_of(record);
  added ? ++size_ : --size_;
  if (is_held(record.state)) {
    std::uint64_t& load = loads_[record.holder];
    added ? ++load : --load;
    if (load == 0) {
      loads_.erase(record.holder);
    }
  }
}

bool NameTable::put(Record record, Now now, Outbox& out) {
  const auto at = records_.find(record.name);
  if (at != records_.end() && !is_newer(record, at->second)) {
    return false;
  }
  assign(std::move(record), now, out);
  return true;
}

void NameTable::assign(Record record, Now now, Outbox& out) {
  note_epoch(record.epoch);
  touched_.insert(record.name);
  bool was_bound = false;
  bool same_holder = false;
  if (const auto at = records_.find(record.name); at != records_.end()) {
    const Record& old = at->second;
    was_bound = old.state == NameState::bound || old.state == NameState::moving;
    same_holder = old.epoch == record.epoch && old.holder == record.holder;
    count(old, false);
  }
  count(record, true);
  if (record.state == NameState::released) {
    released_.push_back({now, record.name, record.epoch});
  }
  const Record& stored = records_.insert_or_assign(record.name, record).first->second;
  if (stored.state == NameState::bound && !(was_bound && same_holder)) {
    out.event(NameBound{stored});
  } else if (was_bound && !(same_holder && is_held(stored.state))) {
    out.event(NameReleased{stored});
  }
}

void NameTable::replace(std::vector<Record> records, Now now, Outbox& out) {
  std::set<std::string, std::less<>> kept;
  for (Record& record : records) {
    kept.insert(record.name);
    const Record* known = find(record.name);
    if (known == nullptr || is_newer(record, *known) || is_newer(*known, record)) {
      assign(std::move(record), now, out);
    }
  }
  for (auto at = records_.begin(); at != records_.end();) {
    if (kept.contains(at->first)) {
      ++at;
      continue;
    }
    count(at->second, false);
    touched_.insert(at->first);
    Record gone = std::move(at->second);
    at = records_.erase(at);
    if (gone.state == NameState::bound || gone.state == NameState::moving) {
      gone.state = NameState::released;
      out.event(NameReleased{std::move(gone)});
    }
  }
}

void NameTable::prune(Now before) {
  while (!released_.empty() && released_.front().at < before) {
    const Released& oldest = released_.front();
    const auto at = records_.find(oldest.name);
    if (at != records_.end() && at->second.state == NameState::released &&
        at->second.epoch == oldest.epoch) {
      records_.erase(at);
    }
    released_.pop_front();
  }
}

std::vector<Record> NameTable::copy() const {
  std::vector<Record> all;
  all.reserve(records_.size());
  for (const auto& [name, record] : records_) {
    all.push_back(record);
  }
  return all;
}

}  // namespace troupe::registry
