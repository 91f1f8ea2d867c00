#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "registry/messages.hpp"
#include "registry/name_table.hpp"
#include "registry/names_leader.hpp"
#include "registry/options.hpp"
#include "registry/outbox.hpp"

namespace troupe::registry {

/// Which name lives where. The leader grants; every node keeps a copy of the table; a holder obeys
/// only the leader that it pledged to, by term.
///
/// Not thread-safe. Part of a Cluster, which calls flush() after each input.
class Names {
 public:
  using Now = base::TimePoint;

  Names(base::NodeId self, NamesOptions options);

  void on_view(const std::vector<Member>& members, Now now, Outbox& out);
  void on_link_up(const base::NodeId& peer, Outbox& out);
  /// This node did not run for a while: as the leader it asks whether it still is.
  void on_pause(Now now, Outbox& out);
  void tick(Now now, Outbox& out);
  /// Ends a step: holders look at what changed, the leader sends it.
  void flush(Now now, Outbox& out);
  [[nodiscard]] base::TimePoint next_tick() const { return next_retry_; }

  /// `record` has name, actor, kind, args, respawn and placement.
  void claim(std::uint64_t token, Record record, bool withdraw, Now now, Outbox& out);
  void bound(const std::string& name, std::uint64_t epoch, base::ActorId actor, Outbox& out);
  void failed(const std::string& name, std::uint64_t epoch, std::string text, Outbox& out);
  void stopped(const std::string& name, std::uint64_t epoch, Outbox& out);
  void leave(Now now, Outbox& out);
  /// This node's life is over: stops what it holds, answers what waits.
  void stop_all(const std::string& why, Outbox& out);

  void on(const base::NodeId& from, const SyncRequest& message, Now now, Outbox& out);
  void on(const base::NodeId& from, SyncReply message, Now now, Outbox& out);
  void on(const base::NodeId& from, const OldTerm& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Beat& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const SnapshotRequest& message, Now now, Outbox& out);
  void on(const base::NodeId& from, Snapshot message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Change& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Ask& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Answer& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Start& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Stop& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Report& message, Now now, Outbox& out);

  [[nodiscard]] const NameTable& table() const { return table_; }
  [[nodiscard]] std::optional<base::NodeId> leader() const { return leader_; }
  /// Whether the copy shows what the cluster knows; not yet between joining and the first snapshot.
  [[nodiscard]] bool has_table() const { return version_ != 0 || as_leader_.is_active(); }
  /// What this node holds or is about to.
  [[nodiscard]] const std::map<std::string, Hold>& holds() const { return holds_; }
  [[nodiscard]] std::uint64_t refused_epoch() const { return refused_epoch_; }

 private:
  struct Waiting {
    std::uint64_t token = 0;
    Ask ask;
    base::TimePoint repeat_at;
    base::Duration repeat_after{};
  };

  [[nodiscard]] bool obeys(const base::NodeId& from, std::uint64_t term) const;
  /// False: the message is not of the leader that this node obeys; answered as it deserves.
  bool check_term(const base::NodeId& from, std::uint64_t term, Outbox& out);
  void pledge(const base::NodeId& to, std::uint64_t term, Now now, Outbox& out);
  void lead(Now now, Outbox& out);
  void send_ask(Waiting& waiting, Now now, Outbox& out);
  void ask_again(Now now, Outbox& out);
  void ask_for_snapshot(Now now, Outbox& out);
  /// The copy may show the end of a claim whose answer was lost with a leader. Without this, the
  /// next leader would grant it again once the name was used by somebody else.
  void answer_from_copy(const std::string& name, Outbox& out);
  void accept(const Record& record, Outbox& out);
  void set_hold(Hold& hold, HoldState state, std::string text, Outbox& out);
  void report(const Hold& hold, Outbox& out);
  void lose(Hold& hold, const std::string& why, Outbox& out);
  /// Compares a hold with the table; true if they agree and nothing is left to say.
  bool confirm(const std::string& name, Outbox& out);

  base::NodeId self_;
  NamesOptions options_;
  NameTable table_;
  NamesLeader as_leader_;
  std::vector<Member> members_;
  std::optional<base::NodeId> leader_;  ///< by the view
  std::uint64_t term_ = 0;              ///< the highest pledged to
  base::NodeId term_leader_;
  std::uint64_t version_ = 0;  ///< of the copy, within the term; 0: none yet
  std::vector<Record> snapshot_;
  base::TimePoint snapshot_again_at_;  ///< not asked for again before this
  std::map<std::string, Hold> holds_;
  std::set<std::string> unconfirmed_;  ///< holds that the table does not agree with yet
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t claim_number_ = 0;
  base::TimePoint next_retry_;
  base::TimePoint lead_at_ = base::time_never;
  std::uint64_t moved_ = 0;
  std::uint64_t refused_epoch_ = 0;
  bool leaving_ = false;
  bool drained_ = false;
  bool was_serving_ = false;
};

}  // namespace troupe::registry
