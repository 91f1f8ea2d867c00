#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "actors/actor.hpp"
#include "actors/dispatch.hpp"

namespace troupe::actors {

/// A second set of handlers for an actor of class A, in use between become() and unbecome(): a
/// class with handlers `on` for a part of A's protocol, which it names in its own `using Protocol`.
/// What it does not name is still handled by the actor. Written as a class inside A, it may touch
/// A's private state by actor().
///
///   class Door : public Actor {
///    public:
///     using Protocol = troupe::Protocol<Open, Close, Knock>;
///     void on(const Open&) { become<Opened>(*this); }
///     …
///     struct Opened : Behaviour<Door> {
///       using Protocol = troupe::Protocol<Close>;
///       using Behaviour::Behaviour;
///       void on(const Close&) { actor().unbecome(); }
///     };
///
/// Belongs to the actor's turn. Lives until another behaviour takes its place and none of its
/// handlers runs any more; gone after a restart.
template <class A>
class Behaviour {
 public:
  using ActorClass = A;
  explicit Behaviour(A& actor) : actor_(&actor) {}

 protected:
  [[nodiscard]] A& actor() const { return *actor_; }

 private:
  A* actor_;
};

namespace detail {

template <class B>
class BehaviourOf final : public BehaviourBase {
 public:
  template <class... Args>
  explicit BehaviourOf(Args&&... args) : behaviour_(std::forward<Args>(args)...) {}
  Handled dispatch(ActorCell& cell, MessageBlock& block) override {
    return dispatch_to(behaviour_, cell, block, std::type_identity<ProtocolOf<B>>{});
  }

 private:
  B behaviour_;
};

}  // namespace detail

template <class B, class... Args>
void Actor::become(typename B::ActorClass& actor, Args&&... args) {
  static_assert(ProtocolOf<B>::template is_part_of<ProtocolOf<typename B::ActorClass>>,
                "a behaviour's Protocol must be a part of its actor's");
  TROUPE_CHECK(&actor == this, "an actor changes its own behaviour only");
  cell().become(std::make_unique<detail::BehaviourOf<B>>(actor, std::forward<Args>(args)...));
}

}  // namespace troupe::actors
