#pragma once

#include <string>

#include "actors/envelope.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"

namespace troupe::actors {

class ActorCell;
class ActorSystem;

/// An actor's place in the cluster, as a reference travels in a message. With a name, the reference
/// follows whoever holds it and the rest is empty.
struct ActorAddress {
  base::NodeId node;
  base::ActorId actor;
  std::string name;
};

/// Where an envelope goes next: a mailbox, another node, a pending request, a name. Remote is one
/// more implementation; what arrives from the wire takes the same deliver() as a local send.
/// Thread-safe. A sink lives as long as its actor system, so that references may keep its address.
class MessageSink {
 public:
  explicit MessageSink(ActorSystem& system) : system_(&system) {}
  virtual ~MessageSink() = default;
  MessageSink(const MessageSink&) = delete;
  MessageSink& operator=(const MessageSink&) = delete;

  /// Takes the envelope if it is accepted. With any other outcome it stays with the caller, who
  /// tells the sender. Never blocks.
  [[nodiscard]] virtual base::Outcome deliver(Envelope&& envelope) = 0;

  /// The address of an actor that is reached through this sink.
  [[nodiscard]] virtual ActorAddress address_of(base::ActorId actor) const = 0;

  /// Who is reached through this sink now: for a name, its holder. Null sink: nobody.
  struct Reached {
    MessageSink* sink = nullptr;
    base::ActorId actor;
  };
  [[nodiscard]] virtual Reached reached(base::ActorId actor) { return {this, actor}; }

  /// The cell, if this sink is an actor of this process.
  [[nodiscard]] virtual ActorCell* local_cell() { return nullptr; }

  /// The system that accounts for what is sent through this sink.
  [[nodiscard]] ActorSystem& system() const { return *system_; }

 private:
  ActorSystem* system_;
};

/// Finds the sink for a reference that arrived in a message. Thread-safe.
class RefResolver {
 public:
  virtual ~RefResolver() = default;
  /// Never null: an address that leads nowhere gets a sink that says node_lost or no_such_actor.
  [[nodiscard]] virtual MessageSink* sink_for(const ActorAddress& address) = 0;
};

}  // namespace troupe::actors
