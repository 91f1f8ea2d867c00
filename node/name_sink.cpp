#include "node/name_sink.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/actor_system.hpp"
#include "node/remote_sink.hpp"

namespace troupe::node {

using actors::AskError;
using actors::BlockKind;
using actors::Envelope;
using base::Outcome;

NameSink::NameSink(actors::ActorSystem& system, std::string name)
    : MessageSink(system), name_(std::move(name)) {}

actors::ActorAddress NameSink::address_of(base::ActorId) const {
  return {{}, {}, name_};
}

actors::MessageSink::Reached NameSink::reached(base::ActorId) {
  base::MutexLock lock{mutex_};
  return state_ == State::bound ? Reached{holder_.sink(), holder_.id()} : Reached{};
}

bool NameSink::can_pass() const {
  if (state_ != State::bound) {
    return false;
  }
  const auto* remote = dynamic_cast<const RemoteSink*>(holder_.sink());
  return remote == nullptr || remote->is_connected();
}

/// After every change of what can_pass() or the queues say.
void NameSink::update_shortcut() {
  shortcut_.store(nullptr, std::memory_order_release);
  if (state_ == State::bound && holder_.sink()->local_cell() != nullptr && parked_.empty() &&
      handed_.empty() && !flushing_) {
    shortcut_id_.store(holder_.id().value, std::memory_order_release);
    shortcut_.store(holder_.sink(), std::memory_order_release);
  }
}

Outcome NameSink::deliver(Envelope&& envelope) {
  if (MessageSink* sink = shortcut_.load(std::memory_order_acquire);
      sink != nullptr && envelope->target != handed_over_id) {
    const base::ActorId id{shortcut_id_.load(std::memory_order_acquire)};
    if (shortcut_.load(std::memory_order_acquire) == sink) {
      envelope->target = id;
      return sink->deliver(std::move(envelope));
    }
  }
  return deliver_or_park(std::move(envelope));
}

Outcome NameSink::deliver_or_park(Envelope&& envelope) {
  actors::AnyRef holder;
  base::TimePoint expires = base::time_never;
  {
    base::MutexLock lock{mutex_};
    if (state_ == State::unknown) {
      return Outcome::no_such_actor;
    }
    const bool was_handed_over = envelope->target == handed_over_id;
    if (!was_handed_over && can_pass() && parked_.empty() && handed_.empty() && !flushing_) {
      holder = holder_;
    } else if (envelope->kind == BlockKind::control) {
      return Outcome::no_such_actor;
    } else if (parked_.size() >= parked_max) {
      return Outcome::mailbox_full;
    } else {
      expires = std::min(envelope->deadline, system().clock().now() + parked_time_max);
      (was_handed_over ? handed_ : parked_).push_back({std::move(envelope), expires});
      update_shortcut();
    }
  }
  if (holder) {
    envelope->target = holder.id();
    return holder.sink()->deliver(std::move(envelope));
  }
  system().count_sent();
  (void)system().timers().add(expires, [this] { expire(); });
  flush();  // the holder may have come meanwhile
  return Outcome::accepted;
}

void NameSink::bind(actors::AnyRef holder) {
  {
    base::MutexLock lock{mutex_};
    state_ = State::bound;
    holder_ = holder;
    update_shortcut();
  }
  flush();
}

void NameSink::expect() {
  base::MutexLock lock{mutex_};
  state_ = State::expected;
  holder_ = {};
  update_shortcut();
}

void NameSink::release() {
  std::deque<Envelope> parked;
  {
    base::MutexLock lock{mutex_};
    state_ = State::unknown;
    holder_ = {};
    update_shortcut();
    parked = take_waiting();
  }
  for (Envelope& envelope : parked) {
    system().dead_letter(std::move(envelope), {AskError::Kind::not_run, Outcome::no_such_actor,
                                               "nobody holds the name '" + name_ + "' any more"});
  }
}

/// What waits, in the order in which it is passed on.
std::deque<Envelope> NameSink::take_waiting() {
  std::deque<Envelope> waiting;
  for (auto* queue : {&handed_, &parked_}) {
    for (Parked& parked : *queue) {
      waiting.push_back(std::move(parked.message));
    }
    queue->clear();
  }
  return waiting;
}

void NameSink::flush() {
  for (;;) {
    std::deque<Envelope> parked;
    actors::AnyRef holder;
    {
      base::MutexLock lock{mutex_};
      // One thread at a time passes on, so that the order holds.
      if (flushing_ || (parked_.empty() && handed_.empty()) || !can_pass()) {
        return;
      }
      flushing_ = true;
      update_shortcut();
      parked = take_waiting();
      holder = holder_;
    }
    for (Envelope& envelope : parked) {
      system().count_delivered();  // and sent again, to the holder
      (void)holder.pass_on(std::move(envelope));
    }
    base::MutexLock lock{mutex_};
    flushing_ = false;
    update_shortcut();
  }
}

void NameSink::expire() {
  const base::TimePoint now = system().clock().now();
  std::vector<Envelope> expired;
  {
    base::MutexLock lock{mutex_};
    for (auto* queue : {&handed_, &parked_}) {
      std::deque<Parked> left;
      for (Parked& parked : *queue) {
        if (parked.expires <= now) {
          expired.push_back(std::move(parked.message));
        } else {
          left.push_back(std::move(parked));
        }
      }
      queue->swap(left);
    }
    update_shortcut();
  }
  for (Envelope& envelope : expired) {
    system().dead_letter(std::move(envelope),
                         {AskError::Kind::not_run, Outcome::expired,
                          "the holder of '" + name_ + "' could not be reached in time"});
  }
}

std::size_t NameSink::parked() const {
  base::MutexLock lock{mutex_};
  return parked_.size() + handed_.size();
}

NameSink& NameDirectory::sink(const std::string& name) {
  base::MutexLock lock{mutex_};
  auto& sink = sinks_[name];
  if (sink == nullptr) {
    sink = std::make_unique<NameSink>(system_, name);
    if (!is_ready_) {
      sink->expect();
    }
  }
  return *sink;
}

actors::AnyRef NameDirectory::ref(const std::string& name) {
  return {sink(name), {}};
}

void NameDirectory::set_ready() {
  std::vector<NameSink*> unresolved;
  {
    base::MutexLock lock{mutex_};
    if (std::exchange(is_ready_, true)) {
      return;
    }
    for (NameSink* sink : all()) {
      if (sink->reached({}).sink == nullptr) {
        unresolved.push_back(sink);
      }
    }
  }
  for (NameSink* sink : unresolved) {
    sink->release();
  }
}

/// By name, so that a seeded run repeats.
std::vector<NameSink*> NameDirectory::all() const {
  std::vector<NameSink*> sinks;
  for (const auto& [name, sink] : sinks_) {
    sinks.push_back(sink.get());
  }
  std::sort(sinks.begin(), sinks.end(),
            [](const NameSink* a, const NameSink* b) { return a->name() < b->name(); });
  return sinks;
}

void NameDirectory::flush() {
  std::vector<NameSink*> sinks;
  {
    base::MutexLock lock{mutex_};
    sinks = all();
  }
  for (NameSink* sink : sinks) {
    sink->flush();
  }
}

std::uint64_t NameDirectory::parked() const {
  base::MutexLock lock{mutex_};
  std::uint64_t sum = 0;
  for (const auto& [name, sink] : sinks_) {
    sum += sink->parked();
  }
  return sum;
}

}  // namespace troupe::node
