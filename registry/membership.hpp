#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "registry/member.hpp"
#include "registry/messages.hpp"
#include "registry/options.hpp"
#include "registry/outbox.hpp"

namespace troupe::registry {

/// Who is alive: SWIM (Das, Gupta, Motivala 2002) with suspicion, and Lifeguard's local health
/// (Dadgar, Phillips, Currey 2018), over links instead of datagrams.
///
/// Not thread-safe. Part of a Cluster, which calls begin() before and end() after each input.
/// Remembers at most members_max names; the dead are forgotten first.
class Membership {
 public:
  using Now = base::TimePoint;

  Membership(Member self, std::vector<std::string> seeds, MembershipOptions options,
             base::Random random);

  void start(Now now, Outbox& out);
  /// True if this node did not run for longer than pause_tolerated.
  bool begin(Now now, Outbox& out);
  void tick(Now now, Outbox& out);
  /// Sends fresh news.
  void end(Outbox& out);
  [[nodiscard]] base::TimePoint next_tick() const;

  void on_link_up(const base::NodeId& peer, const std::string& address, Now now, Outbox& out);
  void on_link_lost(const base::NodeId& peer, Now now, Outbox& out);
  void on_link_down(const base::NodeId& peer, Now now, Outbox& out);

  void on(const base::NodeId& from, const State& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Ping& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const Ack& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const PingRequest& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const PingResult& message, Now now, Outbox& out);
  void on(const base::NodeId& from, const News& message, Now now, Outbox& out);

  /// Any message is a sign of life. False: the sender's life is over (it is told), ignore it.
  [[nodiscard]] bool on_contact(const base::NodeId& from, Now now, Outbox& out);

  void set_seeds(std::vector<std::string> seeds, Now now);
  void add_own_address(const std::string& address, Now now);
  void leave(Outbox& out);
  void depart(Outbox& out);
  void die(std::string reason, Outbox& out);

  /// The whole state, so that `to` knows every member that this node knows.
  void send_state(const base::NodeId& to, Outbox& out) const;

  /// Sorted by name, with this node.
  [[nodiscard]] std::vector<Member> members() const;
  [[nodiscard]] const Member& self() const { return self_; }
  [[nodiscard]] bool is_ready() const { return ready_; }
  /// Declared down, or departed: nothing is answered any more.
  [[nodiscard]] bool is_over() const { return over_; }
  [[nodiscard]] bool is_linked(const base::NodeId& id) const;
  [[nodiscard]] bool is_live(const base::NodeId& id) const;
  /// True once after members() changed.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }

 private:
  struct Suspicion {
    base::TimePoint since;
    bool own = false;     ///< our probe failed
    bool others = false;  ///< somebody else says so
    bool reset = false;   ///< the connection broke and nobody else reaches it
  };
  struct Entry {
    Member member;
    bool linked = false;
    base::TimePoint known_since;
    base::TimePoint last_contact;
    std::optional<Suspicion> suspicion;
  };
  struct Probe {
    base::NodeId target;
    base::TimePoint ask_others_at;
    base::TimePoint ends_at;
    bool asked_others = false;
    bool after_reset = false;
    std::uint32_t helpers = 0;
    std::uint32_t answers = 0;  ///< of helpers: not reached
  };
  /// A ping on behalf of another.
  struct Relay {
    base::NodeId requester;
    std::uint64_t sequence = 0;
    base::NodeId target;
    base::TimePoint ends_at;
  };

  Entry* find(const base::NodeId& id);
  [[nodiscard]] const Entry* find(const base::NodeId& id) const;

  // What is said of a member, and what follows.
  void hear(const Member& said, const base::NodeId& by, Now now, Outbox& out);
  void hear_all(const std::vector<Member>& said, const base::NodeId& by, Now now, Outbox& out);
  void hear_of_self(const Member& said, Outbox& out);
  void hear_of_known(Entry& entry, const Member& said, const base::NodeId& by, Now now,
                     Outbox& out);
  void add(const Member& said, const base::NodeId& by, Now now, Outbox& out);
  bool make_room();
  void apply(Entry& entry, const Member& said, const base::NodeId& by, Now now, Outbox& out);
  void suspect(Entry& entry, const base::NodeId& by, Now now, Outbox& out);
  void bury(Entry& entry, MemberState state, std::string reason, Outbox& out);
  void tell(const Member& member);
  void become_ready(Outbox& out);

  // Probing.
  void probe_next(Now now, Outbox& out);
  void probe(Entry& entry, bool after_reset, Now now, Outbox& out);
  void ask_others(std::uint64_t sequence, Probe& probe, Outbox& out);
  void end_probe(const Probe& probe, Now now, Outbox& out);
  void reached(const base::NodeId& target);
  void tick_probes(Now now, Outbox& out);
  void tick_suspicions(Now now, Outbox& out);
  void tick_dials(Now now, Outbox& out);
  void exchange(Now now, Outbox& out);
  [[nodiscard]] base::TimePoint down_at(const Entry& entry) const;
  [[nodiscard]] base::Duration stretched(base::Duration plain) const;
  [[nodiscard]] std::vector<base::NodeId> pick_linked(std::size_t count,
                                                      const base::NodeId& except);

  // Gossip and discovery.
  [[nodiscard]] std::vector<Member> take_news(const base::NodeId& to);
  [[nodiscard]] std::uint32_t repeats() const;
  [[nodiscard]] base::TimePoint form_at() const;
  [[nodiscard]] bool is_own(const std::string& address) const;

  Member self_;
  MembershipOptions options_;
  base::Random random_;
  std::vector<std::string> seeds_;
  std::set<std::string> own_addresses_;
  std::map<std::string, Entry> entries_;          ///< by node name: its latest life
  std::map<std::string, std::uint32_t> rumours_;  ///< node name → times still to be told
  std::set<std::string> fresh_;                   ///< news of this step
  std::vector<std::string> order_;                ///< of the current round of probes
  std::map<std::uint64_t, Probe> probes_;
  std::map<std::uint64_t, Relay> relays_;
  std::uint64_t sequence_ = 0;
  std::uint32_t health_ = 0;  ///< 0 is well
  base::TimePoint started_at_;
  base::TimePoint next_probe_ = base::time_never;
  base::TimePoint next_dial_ = base::time_never;
  base::TimePoint next_exchange_ = base::time_never;
  base::TimePoint promised_ = base::time_never;  ///< next_tick() after the last input
  bool ready_ = false;
  bool over_ = false;
  bool changed_ = false;
};

}  // namespace troupe::registry
