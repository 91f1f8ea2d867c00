#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/detail/copy_message.hpp"

namespace troupe::actors {

/// To a subscriber whose full mailbox refused what was published, before the next message that it
/// gets; only to those whose protocol has it.
struct Missed {
  std::string topic;
  std::uint64_t count = 0;    ///< messages since the last one that it got
  bool unsubscribed = false;  ///< it missed too many in a row, and gets nothing more
  TROUPE_MESSAGE(Missed, topic, count, unsubscribed)
};

struct SubscriberStatus {
  AnyRef subscriber;
  std::string message;  ///< the type it subscribed to
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
  TROUPE_MESSAGE(SubscriberStatus, subscriber, message, delivered, missed)
};
/// Asked of a topic or an event stream.
struct GetSubscribers {
  using Reply = std::vector<SubscriberStatus>;
  TROUPE_MESSAGE(GetSubscribers)
};

struct TopicOptions {
  /// Of the topic's own actor. Its mailbox is what publishers fill; its name is in Missed.
  SpawnOptions spawn;
  /// Who missed so many messages in a row is unsubscribed. 0: never.
  std::uint32_t misses_max = 0;
};

namespace detail {

/// Subscribes to one type of message, or ends that; of type 0, to all.
struct SubscriptionOrder {
  AnyRef subscriber;
  std::uint32_t type_id = 0;
  std::string_view message;
  CopyMessage copy = nullptr;
  bool wants_missed = false;
};

/// Gives each message to all who subscribed to its type. Subscribers are watched: those that ended
/// are forgotten. What a subscriber's mailbox refuses is a dead letter, and counted.
class TopicActor final : public Actor {
 public:
  using Protocol = actors::Protocol<GetSubscribers>;
  explicit TopicActor(TopicOptions options) : options_(std::move(options)) {}

  std::vector<SubscriberStatus> on(const GetSubscribers&);
  void on(const Terminated& notice);
  void on_unhandled(Envelope&& message);

 private:
  struct Subscription {
    SubscriptionOrder order;
    std::uint64_t delivered = 0;
    std::uint64_t missed = 0;
    std::uint64_t missed_in_a_row = 0;
    std::uint64_t missed_untold = 0;
    bool is_cut_off = false;
  };

  void change(const SubscriptionOrder& order);
  void remove(const AnyRef& subscriber, std::uint32_t type_id);
  bool publish(Subscription& to, const MessageBlock& message);
  bool tell_missed(Subscription& to);

  TopicOptions options_;
  std::vector<Subscription> subscriptions_;
};

[[nodiscard]] base::Outcome order_subscription(const AnyRef& topic, SubscriptionOrder order);

template <class M, class T>
base::Outcome subscribe(const AnyRef& topic, const ActorRef<T>& subscriber) {
  static_assert(ProtocolOf<T>::template contains<M>, "the subscriber's Protocol lacks the message");
  static_assert(std::is_void_v<ReplyOf<M>>, "what is published has no Reply: who would give it?");
  return order_subscription(topic, {subscriber, message_type<M>.id, message_type<M>.name,
                                    &copy_message<M>, ProtocolOf<T>::template contains<Missed>});
}

}  // namespace detail

/// One stream of messages M to any number of subscribers: `publish` here, and each gets a copy, in
/// the order of publishing. It is used like an actor that understands M: tell() is publish() and
/// `co_await send()` waits for room. An ask ends when the message was given to all.
///
/// Bounded by mailboxes: the topic's own for publishers, and each subscriber's. What a subscriber's
/// mailbox refuses it misses: that slows nobody, is counted and, by Missed, told. Thread-safe; a
/// handle, cheap to copy. Ended subscribers are removed.
template <class M>
class Topic : public ActorRef<Protocol<M, GetSubscribers>> {
 public:
  using ActorRef<Protocol<M, GetSubscribers>>::ActorRef;

  /// Accepted: all who are subscribed will get it, or miss it.
  [[nodiscard]] base::Outcome publish(M message) const { return this->tell(std::move(message)); }

  /// From the next message on that is published after this. Not accepted: the topic's mailbox is
  /// full, or it has ended. Again has no effect.
  template <class T>
  [[nodiscard]] base::Outcome subscribe(const ActorRef<T>& subscriber) const {
    return detail::subscribe<M>(*this, subscriber);
  }
  [[nodiscard]] base::Outcome unsubscribe(const AnyRef& subscriber) const {
    return detail::order_subscription(*this, {.subscriber = subscriber});
  }
};

/// The same for messages of any type: subscribers choose by type. For what an application has to
/// tell to whoever is interested, and, given to ActorSystem::set_events(), for what happens in the
/// system: see system_events.hpp.
class EventStream : public ActorRef<Protocol<GetSubscribers>> {
 public:
  using ActorRef<actors::Protocol<GetSubscribers>>::ActorRef;

  /// An event that nobody subscribed to is gone.
  template <base::Message M>
  [[nodiscard]] base::Outcome publish(M message) const {
    static_assert(std::is_void_v<ReplyOf<M>>, "what is published has no Reply: who would give it?");
    return post(Envelope::of(BlockKind::message, message_type<M>, std::move(message)));
  }
  template <base::Message M, class T>
  [[nodiscard]] base::Outcome subscribe(const ActorRef<T>& subscriber) const {
    return detail::subscribe<M>(*this, subscriber);
  }
  template <base::Message M>
  [[nodiscard]] base::Outcome unsubscribe(const AnyRef& subscriber) const {
    return detail::order_subscription(*this,
                                      {.subscriber = subscriber, .type_id = message_type<M>.id});
  }
  [[nodiscard]] base::Outcome unsubscribe_all(const AnyRef& subscriber) const {
    return detail::order_subscription(*this, {.subscriber = subscriber});
  }
};

namespace detail {

/// The root's child if there is no other parent.
[[nodiscard]] base::Result<AnyRef> spawn_topic(ActorSystem& system, ActorCell* parent,
                                               TopicOptions options);
[[nodiscard]] base::Result<AnyRef> spawn_topic(Actor& parent, TopicOptions options);

template <class T>
base::Result<T> topic_of(const base::Result<AnyRef>& spawned) {
  return spawned.ok() ? base::Result<T>{T{spawned.value()}} : base::Result<T>{spawned.error()};
}

}  // namespace detail

/// Errors as of ActorSystem::spawn().
template <class M>
base::Result<Topic<M>> spawn_topic(ActorSystem& system, TopicOptions options = {}) {
  return detail::topic_of<Topic<M>>(detail::spawn_topic(system, nullptr, std::move(options)));
}
[[nodiscard]] base::Result<EventStream> spawn_event_stream(ActorSystem& system,
                                                           TopicOptions options = {});
/// The same as a child of an actor, which calls it in its own turn: `spawn_topic<M>(*this)`.
template <class M>
base::Result<Topic<M>> spawn_topic(Actor& parent, TopicOptions options = {}) {
  return detail::topic_of<Topic<M>>(detail::spawn_topic(parent, std::move(options)));
}
[[nodiscard]] base::Result<EventStream> spawn_event_stream(Actor& parent,
                                                           TopicOptions options = {});

}  // namespace troupe::actors
