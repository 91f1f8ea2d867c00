#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "registry/messages.hpp"
#include "registry/name_table.hpp"
#include "registry/names_rules.hpp"
#include "registry/options.hpp"
#include "registry/outbox.hpp"

namespace troupe::registry {

/// The part of Names that grants, while this node is the leader.
///
/// Not thread-safe. First it hears every live member (syncing), settles what it heard, and only
/// then serves. Writes the node's own table and sends each change to all members that it heard.
class NamesLeader {
 public:
  using Now = base::TimePoint;

  NamesLeader(const base::NodeId& self, NameTable& table, const NamesOptions& options);

  /// Starts, or starts again, with a term that is higher than all others.
  void begin(std::uint64_t term, const std::vector<Member>& members, Now now, Outbox& out);
  void end();
  void on_view(const std::vector<Member>& members, Now now, Outbox& out);
  void on_link_up(const base::NodeId& peer, Outbox& out);
  void tick(Now now, Outbox& out);
  /// Sends what changed in this step.
  void flush(Outbox& out);

  void on(const base::NodeId& from, SyncReply message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Ask& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Report& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const SnapshotRequest& message, Outbox& out);

  [[nodiscard]] bool is_active() const { return phase_ != Phase::idle; }
  [[nodiscard]] bool is_serving() const { return phase_ == Phase::serving; }
  [[nodiscard]] std::uint64_t term() const { return term_; }

 private:
  enum class Phase { idle, syncing, serving };
  using Holds = std::map<std::string, Hold, std::less<>>;

  // Taking over.
  void finish_sync(Now now, Outbox& out);
  void hear_late(const base::NodeId& from, SyncReply said, Now now, Outbox& out);
  void adopt(const base::NodeId& from, const Hold& hold, Now now, Outbox& out);
  void settle_name(const std::string& name, const std::map<base::NodeId, Holds>& heard, Now now,
                   Outbox& out);
  void stop_losers(const base::NodeId& from, const Holds& holds, Outbox& out);
  void send_snapshot(const base::NodeId& to, Outbox& out) const;

  // What becomes of a name.
  void carry_out(Verdict verdict, const std::string& name, const std::string& why, Now now,
                 Outbox& out);
  void start_again(Record record, Now now, Outbox& out);
  void start_failed(Record record, const std::string& why, Now now, Outbox& out);
  void release(Record record, const std::string& why, Now now, Outbox& out);
  void move_away(Record record, const std::string& why, Now now, Outbox& out);
  void evacuate(const base::NodeId& node, Now now, Outbox& out);
  void place_unplaced(Now now, Outbox& out);
  void write(Record record, Now now, Outbox& out);
  void send_start(const Record& record, Now now, Outbox& out);
  void send_stop(const Record& record, const std::string& why, Now now, Outbox& out);

  // Claims.
  void grant(const Ask& message, Now now, Outbox& out);
  void withdraw(const Ask& message, Now now, Outbox& out);
  void answer(const ClaimId& claim, Answer answer, Outbox& out);
  /// A repeated claim may still be on its way when its name has ended and is used anew.
  void note_end(const Record& record);
  void answer_error(const ClaimId& claim, base::Errc code, const std::string& text, Outbox& out);
  void answer_waiting(const Record& record, bool ok, base::Errc code, const std::string& text,
                      Outbox& out);

  [[nodiscard]] std::uint64_t next_epoch() const;
  [[nodiscard]] std::vector<Member> candidates() const;
  [[nodiscard]] const Member* member(const base::NodeId& id) const;
  [[nodiscard]] bool is_live(const base::NodeId& id) const;

  const base::NodeId& self_;
  NameTable& table_;
  const NamesOptions& options_;
  Phase phase_ = Phase::idle;
  std::uint64_t term_ = 0;
  std::uint64_t version_ = 0;
  std::vector<Member> members_;
  std::set<base::NodeId> awaiting_;            ///< not heard in this term yet
  std::set<base::NodeId> heard_;               ///< heard, pledged to this term
  std::map<base::NodeId, SyncReply> replies_;  ///< so far
  std::set<std::string> dirty_;                ///< changed in this step
  std::set<std::string> unplaced_;
  std::map<std::string, base::TimePoint> in_flight_;  ///< started or stopping → to be repeated at
  std::map<std::string, std::vector<ClaimId>> waiting_;      ///< claims of names being started
  std::map<std::string, std::vector<ClaimId>> withdrawing_;  ///< wishes to end a name
  std::map<base::NodeId, std::map<std::uint64_t, Answer>> answers_;  ///< given, by requester
  base::TimePoint next_retry_;
  base::TimePoint next_beat_;
};

}  // namespace troupe::registry
