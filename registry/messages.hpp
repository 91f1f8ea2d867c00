#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/errors.hpp"
#include "base/ids.hpp"
#include "base/ids_wire.hpp"
#include "base/message.hpp"
#include "registry/member.hpp"
#include "registry/record.hpp"

/// What the registries of two nodes say to each other: the body of a cluster record is the kind
/// as a MessagePack integer, then the struct.
namespace troupe::registry {

enum class MessageKind : std::uint8_t {
  state = 1,
  ping = 2,
  ack = 3,
  ping_request = 4,
  ping_result = 5,
  news = 6,
  sync_request = 10,
  sync_reply = 11,
  old_term = 12,
  beat = 13,
  snapshot_request = 14,
  snapshot = 15,
  change = 16,
  ask = 17,
  answer = 18,
  start = 19,
  stop = 20,
  report = 21,
  group_state = 30,
  group_change = 31,
  group_beat = 32,
  group_request = 33,
};

// Membership.

/// The first word on a link, repeated when the sender becomes ready and now and then after that.
struct State {
  static constexpr auto kind = MessageKind::state;
  Member sender;
  bool ready = false;           ///< the sender is part of a cluster, and these are its members
  std::vector<Member> members;  ///< without the sender
  TROUPE_MESSAGE(State, sender, ready, members)
};

struct Ping {
  static constexpr auto kind = MessageKind::ping;
  std::uint64_t sequence = 0;
  std::vector<Member> news;
  TROUPE_MESSAGE(Ping, sequence, news)
};

struct Ack {
  static constexpr auto kind = MessageKind::ack;
  std::uint64_t sequence = 0;
  std::vector<Member> news;
  TROUPE_MESSAGE(Ack, sequence, news)
};

/// Asks the receiver to ping `target` in our place.
struct PingRequest {
  static constexpr auto kind = MessageKind::ping_request;
  std::uint64_t sequence = 0;
  base::NodeId target;
  std::vector<Member> news;
  TROUPE_MESSAGE(PingRequest, sequence, target, news)
};

struct PingResult {
  static constexpr auto kind = MessageKind::ping_result;
  std::uint64_t sequence = 0;
  bool alive = false;
  std::vector<Member> news;
  TROUPE_MESSAGE(PingResult, sequence, alive, news)
};

struct News {
  static constexpr auto kind = MessageKind::news;
  std::vector<Member> news;
  TROUPE_MESSAGE(News, news)
};

// Names. A term is one leadership; who has heard a higher one refuses the lower.

/// The new leader asks what the receiver holds and knows; answering pledges obedience.
struct SyncRequest {
  static constexpr auto kind = MessageKind::sync_request;
  std::uint64_t term = 0;
  TROUPE_MESSAGE(SyncRequest, term)
};

/// Where a name stands at its holder. The first three are alive.
enum class HoldState : std::uint8_t {
  starting = 0,
  bound = 1,
  stopping = 2,
  stopped = 3,
  failed = 4,   ///< the start failed
  refused = 5,  ///< not started: this node is leaving or still stops an older one
};
inline constexpr std::uint8_t hold_state_count = 6;

struct Hold {
  Record record;
  HoldState state = HoldState::starting;
  std::string text;
  TROUPE_MESSAGE(Hold, record, state, text)
};

struct SyncReply {
  static constexpr auto kind = MessageKind::sync_reply;
  std::uint64_t term = 0;
  bool more = false;  ///< another part follows
  std::vector<Hold> holds;
  std::vector<Record> records;
  TROUPE_MESSAGE(SyncReply, term, more, holds, records)
};

/// The answer to a message of a lower term.
struct OldTerm {
  static constexpr auto kind = MessageKind::old_term;
  std::uint64_t term = 0;
  TROUPE_MESSAGE(OldTerm, term)
};

struct Beat {
  static constexpr auto kind = MessageKind::beat;
  std::uint64_t term = 0;
  std::uint64_t version = 0;
  std::uint64_t digest = 0;
  TROUPE_MESSAGE(Beat, term, version, digest)
};

struct SnapshotRequest {
  static constexpr auto kind = MessageKind::snapshot_request;
  std::uint64_t term = 0;
  TROUPE_MESSAGE(SnapshotRequest, term)
};

/// The whole table; what is not in it is not.
struct Snapshot {
  static constexpr auto kind = MessageKind::snapshot;
  std::uint64_t term = 0;
  std::uint64_t version = 0;
  bool first = true;
  bool more = false;
  std::vector<Record> records;
  TROUPE_MESSAGE(Snapshot, term, version, first, more, records)
};

/// Leads from version - 1 to version.
struct Change {
  static constexpr auto kind = MessageKind::change;
  std::uint64_t term = 0;
  std::uint64_t version = 0;
  std::vector<Record> records;
  TROUPE_MESSAGE(Change, term, version, records)
};

/// A claim, or the wish to end a name; repeated until answered.
struct Ask {
  static constexpr auto kind = MessageKind::ask;
  Record record;  ///< name, actor, kind, args, respawn, placement and claim
  bool withdraw = false;
  bool again = false;            ///< not the first time
  std::uint64_t done_below = 0;  ///< all lower numbers of this requester are answered
  TROUPE_MESSAGE(Ask, record, withdraw, again, done_below)
};

struct Answer {
  static constexpr auto kind = MessageKind::answer;
  std::uint64_t term = 0;
  std::uint64_t number = 0;  ///< of the claim
  bool ok = false;
  base::Errc code = base::Errc::internal;
  std::string text;
  Record record;
  TROUPE_MESSAGE(Answer, term, number, ok, code, text, record)
};

struct Start {
  static constexpr auto kind = MessageKind::start;
  std::uint64_t term = 0;
  Record record;
  TROUPE_MESSAGE(Start, term, record)
};

struct Stop {
  static constexpr auto kind = MessageKind::stop;
  std::uint64_t term = 0;
  std::string name;
  std::uint64_t epoch = 0;
  std::string reason;
  TROUPE_MESSAGE(Stop, term, name, epoch, reason)
};

/// The holder says where a name stands; repeated until the table agrees.
struct Report {
  static constexpr auto kind = MessageKind::report;
  std::string name;
  std::uint64_t epoch = 0;
  base::ActorId actor;
  HoldState state = HoldState::starting;
  std::string text;
  TROUPE_MESSAGE(Report, name, epoch, actor, state, text)
};

// Groups.

struct GroupState {
  static constexpr auto kind = MessageKind::group_state;
  std::uint64_t version = 0;
  std::map<std::string, std::vector<base::ActorId>> groups;
  TROUPE_MESSAGE(GroupState, version, groups)
};

/// Leads from version - 1 to version.
struct GroupChange {
  static constexpr auto kind = MessageKind::group_change;
  std::uint64_t version = 0;
  std::string group;
  base::ActorId actor;
  bool joined = false;
  TROUPE_MESSAGE(GroupChange, version, group, actor, joined)
};

struct GroupBeat {
  static constexpr auto kind = MessageKind::group_beat;
  std::uint64_t version = 0;
  TROUPE_MESSAGE(GroupBeat, version)
};

struct GroupRequest {
  static constexpr auto kind = MessageKind::group_request;
  TROUPE_MESSAGE(GroupRequest)
};

template <class M>
[[nodiscard]] base::Bytes encode_message(const M& message) {
  base::Bytes out;
  base::WireWriter writer{out};
  writer.unsigned_integer(static_cast<std::uint64_t>(M::kind));
  base::wire_encode(writer, message);
  return out;
}

/// Names of actors and groups: not empty, at most this long.
inline constexpr std::size_t name_bytes_max = 255;
/// No epoch or term from the wire is above this, so that counting on cannot overflow.
inline constexpr std::uint64_t epoch_max = std::uint64_t{1} << 62U;

/// Whether every value is one that the code may rely on; decoding checks types only.
[[nodiscard]] bool is_valid(const base::NodeId& id);
[[nodiscard]] bool is_valid(const Member& member);
[[nodiscard]] bool is_valid(const std::vector<Member>& members);
[[nodiscard]] bool is_valid(const Record& record);
[[nodiscard]] bool is_valid(const std::vector<Record>& records);
[[nodiscard]] bool is_valid(const State& m);
[[nodiscard]] bool is_valid(const Ping& m);
[[nodiscard]] bool is_valid(const Ack& m);
[[nodiscard]] bool is_valid(const PingRequest& m);
[[nodiscard]] bool is_valid(const PingResult& m);
[[nodiscard]] bool is_valid(const News& m);
[[nodiscard]] bool is_valid(const SyncRequest& m);
[[nodiscard]] bool is_valid(const SyncReply& m);
[[nodiscard]] bool is_valid(const OldTerm& m);
[[nodiscard]] bool is_valid(const Beat& m);
[[nodiscard]] bool is_valid(const SnapshotRequest& m);
[[nodiscard]] bool is_valid(const Snapshot& m);
[[nodiscard]] bool is_valid(const Change& m);
[[nodiscard]] bool is_valid(const Ask& m);
[[nodiscard]] bool is_valid(const Answer& m);
[[nodiscard]] bool is_valid(const Start& m);
[[nodiscard]] bool is_valid(const Stop& m);
[[nodiscard]] bool is_valid(const Report& m);
[[nodiscard]] bool is_valid(const GroupState& m);
[[nodiscard]] bool is_valid(const GroupChange& m);
[[nodiscard]] bool is_valid(const GroupBeat& m);
[[nodiscard]] bool is_valid(const GroupRequest& m);

/// Decodes the rest of a body whose kind was read.
template <class M>
[[nodiscard]] bool decode_message(base::WireReader& in, M& message) {
  return base::wire_decode(in, message) && in.at_end() && is_valid(message);
}

}  // namespace troupe::registry
