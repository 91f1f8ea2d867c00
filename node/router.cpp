#include "node/router.hpp"

#include <utility>

#include "base/log.hpp"
#include "base/message.hpp"
#include "node/envelope_codec.hpp"
#include "node/wire_messages.hpp"

namespace troupe::node {

using actors::AskError;
using actors::BlockKind;
using actors::Control;
using actors::Envelope;
using base::LogLevel;
using base::Outcome;
using base::RecordKind;
using transport::Lane;

namespace {

constexpr base::Duration client_timeout_default = std::chrono::seconds{60};

void send_envelope(transport::Link& link, const Envelope& envelope, base::ActorId target) {
  base::Bytes record;
  envelope->target = target;
  encode_envelope(*envelope, {}, record);
  if (link.send(Lane::data, record) != Outcome::accepted) {
    base::log(LogLevel::debug, "node", "an answer for {} could not be sent any more",
              link.peer().id.text());
  }
}

}  // namespace

/// Where references to nodes lead that nobody here knows.
class Router::LostSink final : public actors::MessageSink {
 public:
  using MessageSink::MessageSink;
  Outcome deliver(Envelope&&) override { return Outcome::node_lost; }
  [[nodiscard]] actors::ActorAddress address_of(base::ActorId) const override { return {}; }
};

Router::Router(actors::ActorSystem& system, NameDirectory& names, RouterListener& listener)
    : system_(system),
      names_(names),
      listener_(listener),
      lost_(std::make_unique<LostSink>(system)) {}

Router::~Router() = default;

RemoteSink* Router::remote(const base::NodeId& node) {
  base::MutexLock lock{mutex_};
  auto found = remotes_.find(node);
  if (found == remotes_.end()) {
    if (remotes_.size() >= nodes_max) {
      return nullptr;
    }
    found = remotes_.emplace(node, std::make_unique<RemoteSink>(system_, node)).first;
  }
  return found->second.get();
}

actors::MessageSink* Router::sink_for(const actors::ActorAddress& address) {
  if (!address.name.empty()) {
    return &names_.sink(address.name);
  }
  if (address.node == system_.node()) {
    actors::MessageSink* sink = system_.sink_of(address.actor);
    return sink != nullptr ? sink : lost_.get();
  }
  RemoteSink* sink = remote(address.node);
  return sink != nullptr ? static_cast<actors::MessageSink*>(sink) : lost_.get();
}

void Router::on_peer_up(const std::shared_ptr<transport::Link>& link) {
  const transport::PeerInfo& peer = link->peer();
  if (peer.is_client) {
    counters_.clients.fetch_add(1, std::memory_order_relaxed);
    base::log(LogLevel::debug, "node", "client {} connected", peer.id.text());
    return;
  }
  if (RemoteSink* sink = remote(peer.id)) {
    sink->set_link(link);
    listener_.on_link_up(peer.id, peer.address);
    names_.flush();
  }
}

void Router::on_connection(const transport::Link& link, bool connected, const std::string& reason) {
  if (link.peer().is_client) {
    return;
  }
  if (RemoteSink* sink = remote(link.peer().id)) {
    sink->set_connected(connected);
    if (connected) {
      names_.flush();
    } else {
      base::log(LogLevel::info, "node", "connection to {} broke: {}", link.peer().id.text(),
                reason);
      listener_.on_link_lost(link.peer().id, reason);
    }
  }
}

void Router::on_peer_down(const transport::Link& link, const std::string& reason) {
  last_ = {};
  if (link.peer().is_client) {
    counters_.clients.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  if (RemoteSink* sink = remote(link.peer().id)) {
    sink->lose(reason);
    listener_.on_link_down(link.peer().id);
  }
}

void Router::on_unreachable(const std::string& address, const base::Error& error) {
  listener_.on_unreachable(address, error);
}

void Router::on_record(const std::shared_ptr<transport::Link>& from, Lane, base::ByteView bytes) {
  if (last_.link != from) {
    last_ = {from, from->peer().is_client ? nullptr : remote(from->peer().id)};
  }
  const auto record = base::decode_record(bytes);
  if (!record.ok() || (last_.sink == nullptr && record->kind != RecordKind::message)) {
    if (counters_.malformed_records.fetch_add(1, std::memory_order_relaxed) == 0) {
      base::log(LogLevel::warn, "node", "{} sent a record that is refused: {}",
                from->peer().id.text(),
                record.ok() ? "clients send messages only" : record.error().context);
    }
    return;
  }
  switch (record->kind) {
    case RecordKind::message: on_message(last_, *record); return;
    case RecordKind::reply:
    case RecordKind::failure:
    case RecordKind::receipt: on_answer(last_, *record); return;
    case RecordKind::watch:
    case RecordKind::unwatch:
    case RecordKind::link:
    case RecordKind::unlink: on_watch(last_, *record); return;
    case RecordKind::terminated: on_terminated(last_, *record); return;
    case RecordKind::cluster:
      listener_.on_cluster_message(from->peer().id,
                                   base::Bytes{record->body.begin(), record->body.end()});
      return;
  }
}

/// A node's request is answered by its number; a client's through a request of our own, so that
/// nothing of a client remains when it is gone.
actors::ReplyAddress Router::reply_address(const Source& from, const base::Record& record,
                                           base::TimePoint deadline) {
  if (record.request == 0) {
    return {};
  }
  if (from.sink != nullptr) {
    return {from.sink, {record.request}};
  }
  if (deadline == base::time_never) {
    deadline = system_.clock().now() + client_timeout_default;
  }
  const base::ActorId relay = system_.requests().open(deadline);
  if (relay) {
    system_.requests().call_when_ready(
        relay, [link = from.link, request = base::ActorId{record.request}](Envelope&& reply) {
          send_envelope(*link, reply, request);
        });
  }
  return {&system_.requests(), relay};
}

void Router::on_message(const Source& from, const base::Record& record) {
  Envelope envelope = decode_envelope(record, system_.clock().now());
  envelope->sender =
      from.sink != nullptr ? from.sink->number_of_sender(envelope->sender) : base::ActorId{};
  envelope->set_reply(reply_address(from, record, envelope->deadline));
  if (envelope->reply() && !envelope->reply().request) {
    system_.reject(envelope, Outcome::mailbox_full);
    send_envelope(*from.link,
                  actors::failure_envelope({AskError::Kind::not_run, Outcome::mailbox_full,
                                            "too many asks are open in this node"}),
                  {record.request});
    return;
  }
  const Outcome outcome = deliver(envelope, record);
  if (outcome == Outcome::accepted) {
    return;
  }
  system_.reject(envelope, outcome);
  actors::ReplyRight asker{envelope->reply(), envelope->by_name, envelope->deadline};
  if (envelope->wants_receipt) {
    asker.send(Envelope::of(BlockKind::receipt, actors::message_type<actors::Receipt>,
                            actors::Receipt{outcome}));
  } else {
    asker.fail({AskError::Kind::not_run, outcome,
                record.name.empty()
                    ? "the message was not accepted"
                    : "the message for '" + std::string{record.name} + "' was not accepted"});
  }
}

Outcome Router::deliver(Envelope& envelope, const base::Record& record) {
  if (!record.name.empty()) {
    return names_.sink(std::string{record.name}).deliver(std::move(envelope));
  }
  actors::MessageSink* sink = system_.sink_of(envelope->target);
  const bool is_here = sink != nullptr && sink->local_cell() != nullptr;
  const Outcome outcome = is_here ? sink->deliver(std::move(envelope)) : Outcome::no_such_actor;
  if (outcome == Outcome::stopped || outcome == Outcome::no_such_actor) {
    const std::string name = moved_name(envelope->target);
    if (!name.empty()) {
      return names_.sink(name).deliver(std::move(envelope));
    }
  }
  return outcome;
}

void Router::on_answer(const Source& from, const base::Record& record) {
  from.sink->answered({record.target});
  Envelope reply = decode_envelope(record, system_.clock().now());
  if ((record.target & actors::PendingRequests::request_bit) == 0 ||
      system_.requests().deliver(std::move(reply)) != Outcome::accepted) {
    system_.count_late_reply();
  }
}

/// Watch, link and their opposites.
void Router::on_watch(const Source& from, const base::Record& record) {
  const actors::AnyRef theirs{*from.sink, {record.sender}};
  const base::ActorId ours{record.target};
  actors::MessageSink* sink = system_.sink_of(ours);
  const bool is_here = sink != nullptr && sink->local_cell() != nullptr;
  PeerWatches& watches = from.sink->watches();
  Control order = Control::watch;
  bool is_news = true;
  switch (record.kind) {
    case RecordKind::link:
      order = Control::link;
      is_news = !is_here || watches.linked({ours, theirs.id()});
      break;
    case RecordKind::unlink:
      order = Control::unlink;
      is_news = watches.unlinked({ours, theirs.id()});
      break;
    case RecordKind::unwatch:
      order = Control::unwatch;
      watches.unwatched({theirs.id(), ours});
      break;
    default: break;
  }
  if (is_here && is_news) {
    (void)sink->deliver(actors::control_envelope(order, ours, actors::WatchOrder{theirs}));
  } else if (!is_here && (order == Control::watch || order == Control::link)) {
    (void)theirs.sink()->deliver(actors::control_envelope(
        Control::terminated, theirs.id(),
        actors::Ending{
            {*lost_, ours}, actors::ExitReason::no_such_actor, "there is no such actor"}));
  }
}

void Router::on_terminated(const Source& from, const base::Record& record) {
  const auto body = base::from_wire<TerminatedBody>(record.body);
  if (!body.ok() || body->reason >= actors::exit_reason_count) {
    counters_.malformed_records.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  actors::MessageSink* watcher = system_.sink_of({record.target});
  if (from.sink->watches().end({{record.target}, {record.sender}}) && watcher != nullptr) {
    (void)watcher->deliver(
        actors::control_envelope(Control::terminated, {record.target},
                                 actors::Ending{{*from.sink, {record.sender}},
                                                static_cast<actors::ExitReason>(body->reason),
                                                body->text}));
  }
}

void Router::on_room(const transport::Link& link) {
  if (RemoteSink* sink = link.peer().is_client ? nullptr : remote(link.peer().id)) {
    sink->say_waiting();
  }
}

void Router::on_undelivered(const transport::Link& link, Lane, base::ByteView bytes) {
  const auto record = base::decode_record(bytes);
  if (link.peer().is_client || !record.ok() || record->kind != RecordKind::message) {
    return;
  }
  const Envelope envelope = decode_envelope(*record, system_.clock().now());
  system_.undeliver(*envelope, Outcome::node_lost);
  if (record->request != 0) {
    fail_request(record->request, "node '" + link.peer().id.name + "' was lost");
  }
}

void Router::fail_request(std::uint64_t request, const std::string& why) {
  Envelope failure =
      actors::failure_envelope({AskError::Kind::may_have_run, Outcome::node_lost, why});
  failure->target = {request};
  (void)system_.requests().deliver(std::move(failure));
}

std::size_t Router::open_requests() const {
  base::MutexLock lock{mutex_};
  std::size_t sum = 0;
  for (const auto& [node, sink] : remotes_) {
    sum += sink->open_requests();
  }
  return sum;
}

void Router::remember_moved(base::ActorId actor, const std::string& name) {
  base::MutexLock lock{mutex_};
  moved_.insert_or_assign(actor.value, name);
  moved_order_.push_back(actor.value);
  if (moved_order_.size() > moved_max) {
    moved_.erase(moved_order_.front());
    moved_order_.pop_front();
  }
}

std::string Router::moved_name(base::ActorId actor) const {
  base::MutexLock lock{mutex_};
  const auto found = moved_.find(actor.value);
  return found == moved_.end() ? std::string{} : found->second;
}

}  // namespace troupe::node
