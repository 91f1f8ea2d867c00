#include <utility>

#include "base/log.hpp"
#include "transport/engine.hpp"

namespace troupe::transport {

namespace {

constexpr base::Duration sweep_interval = std::chrono::seconds{10};

}  // namespace

void Engine::connection_frame(const ConnectionId& connection, base::ByteView frame,
                              base::TimePoint now) {
  count(counters_.frames_received);
  count(counters_.bytes_received, frame.size());
  auto found = inbounds_.find(connection);
  if (found == inbounds_.end()) {
    if (inbounds_.size() >= options_.connections_max) {
      count(counters_.frames_stale);
      return;
    }
    found = inbounds_.try_emplace(connection).first;
    if (sweep_at_ == base::time_never) {
      sweep_at_ = now + sweep_interval;
      wake_at(sweep_at_);
    }
  }
  Inbound& inbound = found->second;
  inbound.heard_at = now;
  if (inbound.refused) {
    count(counters_.frames_stale);
    return;
  }
  const auto kind = parse_kind(frame);
  if (!kind) {
    refuse(connection, inbound, kind.error());
  } else if (*kind == FrameKind::batch) {
    on_batch(connection, inbound, frame, now);
  } else if (*kind == FrameKind::hello) {
    on_hello(connection, inbound, frame, now);
  } else if (*kind == FrameKind::goodbye) {
    on_goodbye(connection, inbound, frame);
  } else {
    refuse(connection, inbound,
           {base::Errc::malformed, "welcome and refuse are answers, not requests"});
  }
}

void Engine::on_hello(const ConnectionId& connection, Inbound& inbound, base::ByteView frame,
                      base::TimePoint now) {
  const auto hello = parse_hello(frame);
  if (!hello) {
    refuse(connection, inbound, {base::Errc::malformed, "hello: " + hello.error().context});
    return;
  }
  const base::NodeId id{hello->node, hello->incarnation};
  Peer* peer = nullptr;
  inbound.is_own = id == own_.id && hello->session == session_ && hello->role == "node";
  if (!inbound.is_own) {
    if (inbound.peer != nullptr &&
        (inbound.peer->id() != id || inbound.peer->session != hello->session ||
         inbound.lane != hello->lane)) {
      refuse(connection, inbound, {base::Errc::malformed, "a second hello that differs"});
      return;
    }
    const bool is_new = find(id) == nullptr;
    if (const auto error = admit(*hello, now, peer)) {
      refuse(connection, inbound, *error);
      return;
    }
    inbound.peer = peer;
    inbound.lane = hello->lane;
    peer->inbound[peer->is_client() ? 0 : hello->lane] = connection;
    peer->heard_at = now;
    if (is_new) {
      sink_->on_peer_up(peer->link);
    }
  }
  Hello welcome = make_hello(own_);
  welcome.lane = hello->lane;
  welcome.session = session_;
  const Frame answer = hello_frame(FrameKind::welcome, welcome);
  if (carrier_.answer(connection, answer) == Carrier::Write::written) {
    count(counters_.frames_sent);
    count(counters_.bytes_sent, answer->size());
  }
  if (peer != nullptr && !peer->is_client() && peer->dial_address.empty()) {
    peer->dial_address = peer->link->peer().address;
    Dial& dial = ensure_dial(peer->dial_address, now);
    dial.peer = dial.peer.name.empty() ? id : dial.peer;
  }
}

std::optional<base::Error> Engine::admit(const Hello& hello, base::TimePoint now, Peer*& peer) {
  if (auto error = check_hello(hello, own_)) {
    return error;
  }
  const base::NodeId id{hello.node, hello.incarnation};
  if (hello.role == "node") {
    return admit_node(hello, now, peer);
  }
  peer = find(id);
  if (id == own_.id ||
      (peer != nullptr && (!peer->is_client() || peer->session != hello.session))) {
    return base::Error{base::Errc::refused, "the name " + id.text() + " is in use"};
  }
  if (peer == nullptr && peers_.size() >= options_.peers_max) {
    return base::Error{base::Errc::limit_exceeded, "too many peers and clients"};
  }
  if (peer == nullptr) {
    peer = &create_peer(hello, now);
  }
  return std::nullopt;
}

std::optional<base::Error> Engine::admit_node(const Hello& hello, base::TimePoint now,
                                              Peer*& peer) {
  const base::NodeId id{hello.node, hello.incarnation};
  if (auto error = incarnations_.check(id)) {
    return error;
  }
  if (id == own_.id) {
    return base::Error{base::Errc::refused, "the name '" + id.name + "' is in use by the node at " +
                                                own_.address +
                                                "; give one of the two another name"};
  }
  peer = find(id);
  if (peer != nullptr && (peer->session != hello.session || peer->is_client())) {
    return base::Error{base::Errc::refused, "another process also calls itself " + id.text()};
  }
  if (peer == nullptr) {
    if (peers_.size() >= options_.peers_max || incarnations_.size() >= 16 * options_.peers_max) {
      return base::Error{base::Errc::limit_exceeded, "too many peers and clients"};
    }
    peer = &create_peer(hello, now);
  }
  return std::nullopt;
}

void Engine::on_batch(const ConnectionId& connection, Inbound& inbound, base::ByteView frame,
                      base::TimePoint now) {
  if (inbound.peer == nullptr) {
    refuse(connection, inbound, {base::Errc::malformed, "a batch before the hello"});
    return;
  }
  Peer& peer = *inbound.peer;
  const auto batch = parse_batch(frame);
  if (!batch) {
    refuse(connection, inbound, batch.error());
    return;
  }
  const BatchHeader& header = batch->header;
  if (inbound.lane != lane_both && inbound.lane != header.lane) {
    refuse(connection, inbound, {base::Errc::malformed, "a batch of the other lane"});
    return;
  }
  if (header.session != peer.session) {
    count(counters_.frames_stale);
    return;
  }
  peer.heard_at = now;
  const auto lane = static_cast<Lane>(header.lane);
  Session& session = peer.lanes[header.lane];
  const Session::Received received = session.receive(header, frame.size(), now);
  if (received.acknowledges_unsent) {
    count(counters_.frames_malformed);
  }
  if (received.released_bytes > 0 &&
      peer.link->outbox(lane).release(received.released_bytes)) {
    sink_->on_room(*peer.link);
  }
  if (can_write(peer, lane)) {
    wake_at(session.acknowledgement_due());
  }
  switch (received.arrival) {
    case Session::Arrival::deliver: {
      count(counters_.records_received, header.record_count);
      const std::shared_ptr<Link> link = peer.link;
      for_each_record(*batch, [&](base::ByteView record) { sink_->on_record(link, lane, record); });
      return;
    }
    case Session::Arrival::duplicate: count(counters_.frames_duplicate); return;
    case Session::Arrival::gap: count(counters_.frames_after_gap); return;
    case Session::Arrival::control: return;
  }
}

void Engine::on_goodbye(const ConnectionId& connection, Inbound& inbound, base::ByteView frame) {
  const auto goodbye = parse_goodbye(frame);
  if (!goodbye || inbound.peer == nullptr) {
    refuse(connection, inbound,
           goodbye ? base::Error{base::Errc::malformed, "a goodbye before the hello"}
                   : goodbye.error());
    return;
  }
  Peer& peer = *inbound.peer;
  const std::string reason = "it said goodbye: " + goodbye->reason;
  if (peer.is_client()) {
    cut(peer.id(), reason);
  } else {
    set_connected(peer, false, reason);
  }
}

void Engine::refuse(const ConnectionId& connection, Inbound& inbound, const base::Error& error) {
  inbound.refused = true;
  count(counters_.connections_refused);
  if (error.code == base::Errc::malformed) {
    count(counters_.frames_malformed);
  }
  const std::string who = inbound.peer == nullptr ? "a connection" : inbound.peer->id().text();
  // Whoever is refused comes again: the same words once, not once a second.
  const std::string text = who + ": " + error.text();
  const bool is_news = std::exchange(last_refusal_, text) != text;
  base::log(is_news ? base::LogLevel::warn : base::LogLevel::debug, "transport", "refused {}",
            text);
  (void)carrier_.answer(connection, refuse_frame(error.code, error.context));
  if (inbound.peer != nullptr && inbound.peer->is_client()) {
    cut(inbound.peer->id(), error.context);
  }
}

void Engine::sweep(base::TimePoint now) {
  for (auto at = inbounds_.begin(); at != inbounds_.end();) {
    const Inbound& inbound = at->second;
    const bool is_current =
        inbound.peer != nullptr && !inbound.refused &&
        (inbound.peer->inbound[0] == at->first || inbound.peer->inbound[1] == at->first);
    at = !is_current && inbound.heard_at + sweep_interval <= now ? inbounds_.erase(at)
                                                                 : std::next(at);
  }
  sweep_at_ = inbounds_.empty() ? base::time_never : now + sweep_interval;
}

}  // namespace troupe::transport
