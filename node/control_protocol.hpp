#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/message.hpp"
#include "base/schema.hpp"

namespace troupe::node {

/// What the actor "system/control" of every node understands: the command line speaks nothing else.
/// A request that cannot be met is answered with a refusal whose text begins with a base::Errc
/// name and a colon ("not_found: no actor 'hist' in the cluster (3 nodes asked); did you mean
/// 'hits'?").
namespace control {

inline constexpr const char* actor_name = "system/control";

/// A member as the asked node sees it; figures are -1 where the member did not answer in time.
struct MemberRow {
  std::string name;
  std::uint64_t incarnation = 0;
  std::string state;  ///< up, suspect, leaving
  std::string address;
  std::int64_t actors = -1;
  std::int64_t messages_per_second = -1;
  std::int64_t mailbox_messages = -1;
  std::int64_t uptime_ms = -1;
  TROUPE_MESSAGE(MemberRow, name, incarnation, state, address, actors, messages_per_second,
                 mailbox_messages, uptime_ms)
};
struct StatusReply {
  std::string cluster;
  std::string node;  ///< the one that answers
  bool ready = false;
  std::uint64_t epoch = 0;  ///< version of the membership view
  std::vector<MemberRow> members;
  TROUPE_MESSAGE(StatusReply, cluster, node, ready, epoch, members)
};
struct Status {
  using Reply = StatusReply;
  TROUPE_MESSAGE(Status)
};

/// One node's own figures; nodes ask each other for these.
struct NodeStats {
  using Reply = MemberRow;
  TROUPE_MESSAGE(NodeStats)
};

struct NameRow {
  std::string name;
  std::string kind;
  std::string node;
  std::uint64_t epoch = 0;
  std::uint64_t actor = 0;  ///< 0 while it is being started
  std::string state;        ///< running, starting
  TROUPE_MESSAGE(NameRow, name, kind, node, epoch, actor, state)
};
struct ListReply {
  std::vector<NameRow> names;
  TROUPE_MESSAGE(ListReply, names)
};
/// All names of the cluster, sorted.
struct List {
  using Reply = ListReply;
  TROUPE_MESSAGE(List)
};

/// A message of a kind's protocol. `reply` is empty if it cannot be asked, else a type as in
/// base::FieldSchema.
struct MessageRow {
  std::string name;
  std::string reply;
  TROUPE_MESSAGE(MessageRow, name, reply)
};
struct KindRow {
  std::string kind;
  std::string args;  ///< the struct of its arguments, or empty
  std::vector<MessageRow> messages;
  std::vector<base::StructSchema> structs;  ///< the messages and all structs inside them
  TROUPE_MESSAGE(KindRow, kind, args, messages, structs)
};
struct TypesReply {
  std::vector<KindRow> kinds;
  TROUPE_MESSAGE(TypesReply, kinds)
};
/// Kinds that can be spawned on the asked node.
struct Types {
  using Reply = TypesReply;
  TROUPE_MESSAGE(Types)
};

struct DescribeReply {
  NameRow where;
  KindRow kind;
  TROUPE_MESSAGE(DescribeReply, where, kind)
};
/// Where a name lives and what it understands. Refused: not_found.
struct Describe {
  using Reply = DescribeReply;
  std::string name;
  TROUPE_MESSAGE(Describe, name)
};

/// An actor whose handler keeps a worker of its node and does not return.
struct HeldWorker {
  std::uint32_t worker = 0;
  std::uint64_t actor = 0;
  std::string name;  ///< empty without one in the cluster
  std::string type;  ///< its class
  std::int64_t held_ms = 0;  ///< at least
  TROUPE_MESSAGE(HeldWorker, worker, actor, name, type, held_ms)
};
/// A message that nobody handled. `reason` is a base::Outcome; `sender` is 0 from outside.
struct LostMessage {
  std::string message;
  std::uint64_t sender = 0;
  std::string reason;
  std::string cause;  ///< for a person; may be empty
  TROUPE_MESSAGE(LostMessage, message, sender, reason, cause)
};
/// What the holder's node knows at that moment. `state` is one of
///   starting  nobody holds the name yet
///   ended     its actor is gone, and the name is about to be free or started again
///   stuck     its handler does not return: `held_ms` tells for how long, at least
///   blocking  its handler runs on a thread of its own, where it may block: `own_thread_ms` tells for
///             how long, at least
///   waiting   its handler waits for the reply of `waits_for`, and the mailbox waits with it
///   starved   it has messages, and handlers of others keep all workers of its node
///   full      its mailbox takes no more
///   busy      it has messages
///   idle      it has none
struct WhyReply {
  NameRow where;
  std::string state;
  std::string verdict;  ///< the state as a sentence
  std::string type;     ///< its class
  std::int64_t mailbox_messages = -1;  ///< with the one that is being handled; -1: not known
  std::int64_t mailbox_messages_max = -1;
  std::int64_t held_ms = -1;  ///< -1: it keeps no worker for long
  /// -1: it has no thread of its own, or keeps that for no handler for long
  std::int64_t own_thread_ms = -1;
  std::string waits_for;      ///< a name or a class; empty: for nobody of its own node
  std::uint32_t workers = 0;  ///< of its node
  std::vector<HeldWorker> held_workers;
  std::vector<LostMessage> dead_letters;  ///< the last ones to this actor, the oldest first
  TROUPE_MESSAGE(WhyReply, where, state, verdict, type, mailbox_messages, mailbox_messages_max,
                 held_ms, own_thread_ms, waits_for, workers, held_workers, dead_letters)
};
/// Why a named actor does not answer. Another node's actor is asked for there, with its number in
/// `where`. Refused: not_found, timed_out (the holder's node does not answer).
struct Why {
  using Reply = WhyReply;
  std::string name;
  NameRow where;  ///< empty, but between nodes
  TROUPE_MESSAGE(Why, name, where)
};

/// Starts an actor of a registered kind under a name. `node` is a node's name, a placement policy
/// ("local", "any", "spread", "least_loaded", "label:KEY=VALUE") or empty for "any". `args` is a
/// MessagePack struct or map for the kind's arguments, or empty. Refused: already_exists,
/// not_found (kind or node), invalid_argument.
struct Spawn {
  using Reply = NameRow;
  std::string kind;
  std::string name;
  std::string node;
  base::Bytes args;
  bool respawn = true;  ///< start it elsewhere when its node dies
  TROUPE_MESSAGE(Spawn, kind, name, node, args, respawn)
};
/// Stops a named actor for good and frees the name. Refused: not_found.
struct Stop {
  using Reply = NameRow;
  std::string name;
  TROUPE_MESSAGE(Stop, name)
};

struct DrainReply {
  std::string node;
  std::uint32_t moved = 0;  ///< names handed over
  std::uint32_t lost = 0;   ///< messages and names left behind
  std::uint32_t duration_ms = 0;
  TROUPE_MESSAGE(DrainReply, node, moved, lost, duration_ms)
};
/// The node hands its names over, leaves and stops. Refused: not_found.
struct Drain {
  using Reply = DrainReply;
  std::string node;
  TROUPE_MESSAGE(Drain, node)
};

struct ReasonCount {
  std::string reason;
  std::uint64_t count = 0;
  TROUPE_MESSAGE(ReasonCount, reason, count)
};
/// sent = delivered + in_flight + the sum of dead, of one node. Messages that left for another
/// node count as delivered here and as sent there.
struct LedgerRow {
  std::string node;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t in_flight = 0;
  std::vector<ReasonCount> dead;
  bool balanced = false;
  TROUPE_MESSAGE(LedgerRow, node, sent, delivered, in_flight, dead, balanced)
};
struct LedgerReply {
  std::vector<LedgerRow> nodes;
  TROUPE_MESSAGE(LedgerReply, nodes)
};
/// `cluster_wide` asks all members; otherwise the asked node only.
struct Ledger {
  using Reply = LedgerReply;
  bool cluster_wide = true;
  TROUPE_MESSAGE(Ledger, cluster_wide)
};

struct HealthReply {
  bool live = false;
  bool ready = false;
  std::string reason;  ///< why not, for a person
  TROUPE_MESSAGE(HealthReply, live, ready, reason)
};
struct Health {
  using Reply = HealthReply;
  TROUPE_MESSAGE(Health)
};

}  // namespace control
}  // namespace troupe::node
