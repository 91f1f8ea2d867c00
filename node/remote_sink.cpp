#include "node/remote_sink.hpp"

#include <set>

#include "actors/actor_system.hpp"
#include "base/record.hpp"
#include "node/envelope_codec.hpp"

namespace troupe::node {

namespace {

using actors::BlockKind;
using actors::Control;
using actors::Envelope;
using base::Outcome;
using base::RecordKind;
using transport::Lane;

/// A relayed request without a deadline is given up after this.
constexpr base::Duration relay_timeout = std::chrono::seconds{60};

base::Bytes& scratch() {
  thread_local base::Bytes buffer;
  buffer.clear();
  return buffer;
}

}  // namespace

RemoteSink::RemoteSink(actors::ActorSystem& system, base::NodeId peer)
    : MessageSink(system), peer_(std::move(peer)) {}

actors::ActorAddress RemoteSink::address_of(base::ActorId actor) const {
  return {peer_, actor, {}};
}

base::ActorId RemoteSink::number_of_sender(base::ActorId theirs) const {
  // The highest bit is never set in an actor's own number, whose upper half counts lives.
  const std::uint64_t node = 0x8000U | (std::hash<base::NodeId>{}(peer_)&0x7FFFU);
  return theirs ? base::ActorId{node << 48U | (theirs.value & ~(std::uint64_t{0xFFFF} << 48U))}
                : theirs;
}

std::shared_ptr<transport::Link> RemoteSink::link() const {
  base::MutexLock lock{mutex_};
  return link_;
}

void RemoteSink::set_link(std::shared_ptr<transport::Link> link) {
  auto types = std::make_shared<std::unordered_set<std::uint64_t>>(link->peer().types.begin(),
                                                                   link->peer().types.end());
  base::MutexLock lock{mutex_};
  link_ = std::move(link);
  known_types_ = std::move(types);
  connected_.store(true, std::memory_order_release);
}

Outcome RemoteSink::deliver(Envelope&& envelope) {
  const std::shared_ptr<transport::Link> to = link();
  if (to == nullptr || is_lost()) {
    return Outcome::node_lost;
  }
  switch (envelope->kind) {
    case BlockKind::message: return send_message(std::move(envelope), *to);
    case BlockKind::control: return send_control(std::move(envelope), *to);
    case BlockKind::reply:
    case BlockKind::failure:
    case BlockKind::receipt: break;
  }
  base::Bytes& record = scratch();
  encode_envelope(*envelope, {}, record);
  return to->send(Lane::data, record);
}

Outcome RemoteSink::send_message(Envelope&& envelope, transport::Link& link) {
  bool by_name = envelope->by_name;
  if (envelope->type != nullptr && !by_name) {
    base::MutexLock lock{mutex_};
    by_name =
        !known_types_->contains(std::uint64_t{envelope->type_id} << 32U | envelope->type->shape());
  }
  const actors::ReplyAddress asker = envelope->reply();
  EncodeOptions options{.by_name = by_name, .now = system().clock().now()};
  if (asker) {
    options.request = open_request(*envelope);
    if (options.request == 0) {
      return Outcome::mailbox_full;
    }
  }
  base::Bytes& record = scratch();
  encode_envelope(*envelope, options, record);
  const Outcome outcome = link.send(Lane::data, record);
  if (outcome == Outcome::accepted) {
    system().count_sent();
    system().count_delivered();
    Envelope sent = std::move(envelope);
    return outcome;
  }
  if (asker) {
    answered({options.request});
    if (asker.sink != &system().requests()) {
      system().requests().close({options.request});
    }
  }
  return outcome;
}

/// The number that the peer answers to. Our own asks have one; for somebody else's ask that passes
/// through here, a request is opened whose reply is passed back.
std::uint64_t RemoteSink::open_request(actors::MessageBlock& message) {
  base::ActorId request = message.reply().request;
  if (message.reply().sink != &system().requests()) {
    const base::TimePoint deadline = message.deadline != base::time_never
                                         ? message.deadline
                                         : system().clock().now() + relay_timeout;
    request = system().requests().open(deadline);
    if (!request) {
      return 0;
    }
    system().requests().call_when_ready(
        request, [to = message.reply(), by_name = message.by_name](Envelope&& reply) {
          actors::ReplyRight{to, by_name, base::time_never}.send(std::move(reply));
        });
  }
  base::MutexLock lock{open_mutex_};
  open_requests_.insert(request.value);
  return request.value;
}

Outcome RemoteSink::send_control(Envelope&& envelope, transport::Link& link) {
  const base::ActorId target = envelope->target;
  switch (static_cast<Control>(envelope->control)) {
    case Control::watch:
      return watches_.watch({envelope->as<actors::WatchOrder>().watcher.id(), target}, link);
    case Control::link:
      return watches_.link({envelope->as<actors::WatchOrder>().watcher.id(), target}, link);
    case Control::unwatch:
      watches_.unwatch({envelope->as<actors::WatchOrder>().watcher.id(), target}, link);
      return Outcome::accepted;
    case Control::unlink:
      watches_.unlink({envelope->as<actors::WatchOrder>().watcher.id(), target}, link);
      return Outcome::accepted;
    case Control::terminated: {
      const auto& ending = envelope->as<actors::Ending>();
      watches_.tell_end({target, ending.actor.id()}, ending.reason, ending.text, link);
      return Outcome::accepted;
    }
    default: return Outcome::refused;  // orders to actors of another node go to its control service
  }
}

void RemoteSink::say_waiting() {
  if (const std::shared_ptr<transport::Link> to = link()) {
    watches_.say_waiting(*to);
  }
}

Outcome RemoteSink::send_cluster(base::ByteView body) {
  const std::shared_ptr<transport::Link> to = link();
  if (to == nullptr) {
    return Outcome::node_lost;
  }
  base::Record record;
  record.kind = RecordKind::cluster;
  record.body = body;
  base::Bytes& out = scratch();
  encode_record(record, out);
  return to->send(Lane::control, out);
}

void RemoteSink::answered(base::ActorId request) {
  base::MutexLock lock{open_mutex_};
  open_requests_.erase(request.value);
}

std::size_t RemoteSink::open_requests() const {
  base::MutexLock lock{open_mutex_};
  return open_requests_.size();
}

void RemoteSink::lose(const std::string& reason) {
  connected_.store(false, std::memory_order_release);
  if (lost_.exchange(true, std::memory_order_acq_rel)) {
    return;
  }
  std::unordered_set<std::uint64_t> requests;
  {
    base::MutexLock lock{open_mutex_};
    requests.swap(open_requests_);
  }
  const std::set<std::uint64_t> in_order{requests.begin(), requests.end()};
  for (const std::uint64_t request : in_order) {
    Envelope failure =
        actors::failure_envelope({actors::AskError::Kind::may_have_run, Outcome::node_lost,
                                  "node '" + peer_.name + "' was lost: " + reason});
    failure->target = {request};
    (void)system().requests().deliver(std::move(failure));
  }
  for (const PeerWatches::Pair& watch : watches_.lose()) {
    if (actors::MessageSink* watcher = system().sink_of(watch.watcher)) {
      (void)watcher->deliver(actors::control_envelope(
          Control::terminated, watch.watcher,
          actors::Ending{{*this, watch.watched}, actors::ExitReason::node_lost, reason}));
    }
  }
}

}  // namespace troupe::node
