#include "actors/topic.hpp"

#include <algorithm>

namespace troupe::actors {

namespace detail {

std::vector<SubscriberStatus> TopicActor::on(const GetSubscribers&) {
  std::vector<SubscriberStatus> all;
  for (const Subscription& one : subscriptions_) {
    all.push_back(
        {one.order.subscriber, std::string{one.order.message}, one.delivered, one.missed});
  }
  return all;
}

void TopicActor::on(const Terminated& notice) {
  std::erase_if(subscriptions_, [&](const Subscription& subscription) {
    return subscription.order.subscriber == notice.actor;
  });
}

void TopicActor::on_unhandled(Envelope&& message) {
  ReplyRight asker{message->take_reply(), message->by_name, message->deadline};
  if (message->type == &local_type<SubscriptionOrder>) {
    change(message->as<SubscriptionOrder>());
    return;
  }
  std::vector<AnyRef> gone;
  for (Subscription& subscription : subscriptions_) {
    if (subscription.order.type_id == message->type_id && !publish(subscription, *message)) {
      gone.push_back(subscription.order.subscriber);
    }
  }
  for (const AnyRef& subscriber : gone) {
    remove(subscriber, message->type_id);
  }
  asker.send(Envelope::of(BlockKind::reply, message_type<Done>, Done{}));
}

void TopicActor::change(const SubscriptionOrder& order) {
  if (order.copy == nullptr) {
    remove(order.subscriber, order.type_id);
    return;
  }
  for (Subscription& subscription : subscriptions_) {
    if (subscription.order.subscriber == order.subscriber &&
        subscription.order.type_id == order.type_id) {
      subscription.is_cut_off = false;
      subscription.missed_in_a_row = 0;
      return;
    }
  }
  Subscription subscription;
  subscription.order = order;
  subscriptions_.push_back(std::move(subscription));
  watch(order.subscriber);
}

void TopicActor::remove(const AnyRef& subscriber, std::uint32_t type_id) {
  std::erase_if(subscriptions_, [&](const Subscription& subscription) {
    return subscription.order.subscriber == subscriber &&
           (type_id == 0 || subscription.order.type_id == type_id);
  });
  const bool has_more = std::any_of(subscriptions_.begin(), subscriptions_.end(),
                                    [&](const Subscription& subscription) {
                                      return subscription.order.subscriber == subscriber;
                                    });
  if (!has_more) {
    unwatch(subscriber);
  }
}

/// False: it is a subscriber no longer.
bool TopicActor::publish(Subscription& to, const MessageBlock& message) {
  if (to.is_cut_off) {
    return !tell_missed(to);
  }
  base::Outcome outcome = base::Outcome::mailbox_full;
  Envelope copy = to.order.copy(message, Answerable::no);
  copy->sender = message.sender;
  copy->deadline = message.deadline;
  if (tell_missed(to)) {
    outcome = to.order.subscriber.pass_on(std::move(copy));
  } else {
    system().reject(copy, outcome);  // nothing after a gap that it does not know of
  }
  if (outcome == base::Outcome::accepted) {
    ++to.delivered;
    to.missed_in_a_row = 0;
    return true;
  }
  if (outcome != base::Outcome::mailbox_full) {
    return false;
  }
  ++to.missed;
  ++to.missed_untold;
  ++to.missed_in_a_row;
  if (options_.misses_max == 0 || to.missed_in_a_row < options_.misses_max) {
    return true;
  }
  to.is_cut_off = true;
  return to.order.wants_missed;
}

/// True: it knows of all that it missed.
bool TopicActor::tell_missed(Subscription& to) {
  if (!to.order.wants_missed || to.missed_untold == 0) {
    to.missed_untold = 0;
    return true;
  }
  Envelope notice = Envelope::of(BlockKind::message, message_type<Missed>,
                                 Missed{options_.spawn.name, to.missed_untold, to.is_cut_off});
  notice->sender = self().id();
  notice->target = to.order.subscriber.id();
  // Not accepted, it is tried again later, and so no loss.
  if (to.order.subscriber.sink()->deliver(std::move(notice)) != base::Outcome::accepted) {
    return false;
  }
  to.missed_untold = 0;
  return true;
}

base::Outcome order_subscription(const AnyRef& topic, SubscriptionOrder order) {
  if (!order.subscriber) {
    return base::Outcome::no_such_actor;
  }
  return topic.post(
      Envelope::of(BlockKind::message, local_type<SubscriptionOrder>, std::move(order)));
}

base::Result<AnyRef> spawn_topic(ActorSystem& system, ActorCell* parent, TopicOptions options) {
  SpawnOptions spawn = options.spawn;
  return system.spawn_any(actor_type<TopicActor>(), make_maker<TopicActor>(std::move(options)),
                          std::move(spawn), parent);
}

base::Result<AnyRef> spawn_topic(Actor& parent, TopicOptions options) {
  ActorCell& cell = cell_of(parent);
  return spawn_topic(cell.system(), &cell, std::move(options));
}

}  // namespace detail

base::Result<EventStream> spawn_event_stream(ActorSystem& system, TopicOptions options) {
  return detail::topic_of<EventStream>(detail::spawn_topic(system, nullptr, std::move(options)));
}

base::Result<EventStream> spawn_event_stream(Actor& parent, TopicOptions options) {
  return detail::topic_of<EventStream>(detail::spawn_topic(parent, std::move(options)));
}

}  // namespace troupe::actors
