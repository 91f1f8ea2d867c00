#include "registry/messages.hpp"

#include <algorithm>

namespace troupe::registry {

namespace {

constexpr std::size_t node_name_bytes_max = 64;
constexpr std::size_t address_bytes_max = 1024;
constexpr std::size_t text_bytes_max = 64 * 1024;

bool valid_name(const std::string& name) {
  return !name.empty() && name.size() <= name_bytes_max;
}

/// A record that may hold nobody yet.
bool valid_claim(const Record& record) {
  return valid_name(record.name) && record.epoch <= epoch_max && is_valid(record.claim.requester) &&
         record.claim.number <= epoch_max && record.kind.size() <= name_bytes_max &&
         record.placement.size() <= address_bytes_max;
}

}  // namespace

bool is_valid(const base::NodeId& id) {
  return !id.name.empty() && id.name.size() <= node_name_bytes_max;
}

bool is_valid(const Member& member) {
  return is_valid(member.id) && member.address.size() <= address_bytes_max &&
         static_cast<std::uint8_t>(member.state) < member_state_count &&
         member.refutation <= epoch_max;
}

bool is_valid(const std::vector<Member>& members) {
  return std::all_of(members.begin(), members.end(),
                     [](const Member& member) { return is_valid(member); });
}

bool is_valid(const Record& record) {
  if (!valid_claim(record) || static_cast<std::uint8_t>(record.state) >= name_state_count) {
    return false;
  }
  const bool held = record.state == NameState::starting || record.state == NameState::bound ||
                    record.state == NameState::moving;
  return record.epoch > 0 && (!held || is_valid(record.holder));
}

bool is_valid(const std::vector<Record>& records) {
  return std::all_of(records.begin(), records.end(),
                     [](const Record& record) { return is_valid(record); });
}

bool is_valid(const State& m) {
  return is_valid(m.sender) && is_valid(m.members);
}
bool is_valid(const Ping& m) {
  return is_valid(m.news);
}
bool is_valid(const Ack& m) {
  return is_valid(m.news);
}
bool is_valid(const PingRequest& m) {
  return is_valid(m.target) && is_valid(m.news);
}
bool is_valid(const PingResult& m) {
  return is_valid(m.news);
}
bool is_valid(const News& m) {
  return is_valid(m.news);
}
bool is_valid(const SyncRequest& m) {
  return m.term <= epoch_max;
}

bool is_valid(const SyncReply& m) {
  return m.term <= epoch_max && is_valid(m.records) &&
         std::all_of(m.holds.begin(), m.holds.end(), [](const Hold& hold) {
           return is_valid(hold.record) && static_cast<std::uint8_t>(hold.state) < hold_state_count;
         });
}

bool is_valid(const OldTerm& m) {
  return m.term <= epoch_max;
}
bool is_valid(const Beat& m) {
  return m.term <= epoch_max && m.version <= epoch_max;
}
bool is_valid(const SnapshotRequest& m) {
  return m.term <= epoch_max;
}

bool is_valid(const Snapshot& m) {
  return m.term <= epoch_max && m.version <= epoch_max && is_valid(m.records);
}

bool is_valid(const Change& m) {
  return m.term <= epoch_max && m.version <= epoch_max && is_valid(m.records);
}

bool is_valid(const Ask& m) {
  return valid_claim(m.record) && m.record.claim.number > 0;
}

bool is_valid(const Answer& m) {
  return m.term <= epoch_max && m.code <= base::Errc::internal && m.text.size() <= text_bytes_max &&
         (!m.ok || is_valid(m.record));
}

bool is_valid(const Start& m) {
  return m.term <= epoch_max && is_valid(m.record) && m.record.state == NameState::starting;
}

bool is_valid(const Stop& m) {
  return m.term <= epoch_max && valid_name(m.name) && m.epoch <= epoch_max;
}

bool is_valid(const Report& m) {
  return valid_name(m.name) && m.epoch <= epoch_max && m.text.size() <= text_bytes_max &&
         static_cast<std::uint8_t>(m.state) < hold_state_count;
}

bool is_valid(const GroupState& m) {
  return m.version <= epoch_max &&
         std::all_of(m.groups.begin(), m.groups.end(),
                     [](const auto& group) { return valid_name(group.first); });
}

bool is_valid(const GroupChange& m) {
  return m.version <= epoch_max && valid_name(m.group);
}
bool is_valid(const GroupBeat& m) {
  return m.version <= epoch_max;
}
bool is_valid(const GroupRequest&) {
  return true;
}

}  // namespace troupe::registry
