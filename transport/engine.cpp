#include "transport/engine.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace troupe::transport {

namespace {

// After so many frames in one flush() others get their turn.
constexpr int frames_per_turn = 32;
constexpr base::Duration full_client_retry = std::chrono::milliseconds{5};
constexpr std::array lanes{Lane::control, Lane::data};

std::size_t index_of(Lane lane) {
  return static_cast<std::size_t>(lane);
}

}  // namespace

Engine::Engine(Carrier& carrier, std::shared_ptr<Doorbell> doorbell, base::Random random,
               EngineOptions options)
    : carrier_(carrier), doorbell_(std::move(doorbell)), random_(random), options_(options) {
  while (session_ == 0) {
    session_ = random_.next();
  }
}

void Engine::start(Identity identity, FrameSink& sink) {
  own_ = std::move(identity);
  sink_ = &sink;
}

void Engine::attend(base::TimePoint now) {
  for (const FlushCommand& flushed : std::exchange(again_, {})) {
    Peer* peer = find(flushed.link->peer().id);
    if (peer != nullptr && peer->link == flushed.link) {
      flush(*peer, flushed.lane, now);
    }
  }
  doorbell_->take(commands_);
  for (Command& command : commands_) {
    carry_out(command, now);
  }
  commands_.clear();
}

void Engine::carry_out(Command& command, base::TimePoint now) {
  if (ending_) {
    return;
  }
  if (const auto* flushed = std::get_if<FlushCommand>(&command)) {
    Peer* peer = find(flushed->link->peer().id);
    if (peer != nullptr && peer->link == flushed->link) {
      flush(*peer, flushed->lane, now);
    }
  } else if (const auto* connected = std::get_if<ConnectCommand>(&command)) {
    if (connected->address != own_.address) {
      ensure_dial(connected->address, now).wanted = true;
    }
  } else if (const auto* forgotten = std::get_if<ForgetCommand>(&command)) {
    const auto dial = dials_.find(forgotten->address);
    if (dial != dials_.end() && find(dial->second.peer) == nullptr) {
      erase_dial(forgotten->address);
    }
  } else if (const auto* disconnected = std::get_if<DisconnectCommand>(&command)) {
    if (disconnected->peer != own_.id) {
      const Peer* peer = find(disconnected->peer);
      if (peer == nullptr || !peer->is_client()) {
        incarnations_.note_down(disconnected->peer);
      }
      cut(disconnected->peer, disconnected->reason);
    }
  }
}

Engine::Peer* Engine::find(const base::NodeId& id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : found->second.get();
}

Engine::Peer& Engine::create_peer(const Hello& hello, base::TimePoint now) {
  PeerInfo info = to_peer_info(hello);
  const base::NodeId id = info.id;
  if (!info.is_client) {
    incarnations_.note_up(id);
    std::vector<base::NodeId> replaced;
    for (auto old = peers_.lower_bound({id.name, 0});
         old != peers_.end() && old->first.name == id.name; ++old) {
      if (!old->second->is_client()) {
        replaced.push_back(old->first);
      }
    }
    for (const base::NodeId& old : replaced) {
      cut(old, "replaced by incarnation " + std::to_string(id.incarnation));
    }
  }
  auto peer = std::make_unique<Peer>();
  peer->link = std::make_shared<PeerLink>(std::move(info), doorbell_, options_.outbox);
  peer->session = hello.session;
  peer->lanes.fill(Session{options_.session});
  peer->heard_at = now;
  if (peer->is_client()) {
    wake_at(now + options_.client_timeout);
  }
  return *(peers_[id] = std::move(peer));
}

void Engine::cut(const base::NodeId& id, const std::string& reason) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) {
    return;
  }
  const std::unique_ptr<Peer> peer = std::move(found->second);
  peers_.erase(found);
  for (auto& [connection, inbound] : inbounds_) {
    if (inbound.peer == peer.get()) {
      inbound.peer = nullptr;
      inbound.refused = true;
      if (!ending_) {
        (void)carrier_.answer(connection,
                              refuse_frame(base::Errc::refused, id.text() + ": " + reason));
      }
    }
  }
  std::vector<std::string> addresses;
  for (const auto& [address, dial] : dials_) {
    if (dial.peer == id) {
      addresses.push_back(address);
    }
  }
  for (const std::string& address : addresses) {
    erase_dial(address);
  }
  base::log(base::LogLevel::debug, "transport", "{} is cut off: {}", id.text(), reason);
  report_undelivered(*peer);
  sink_->on_peer_down(*peer->link, reason);
}

void Engine::report_undelivered(Peer& peer) {
  for (const Lane lane : lanes) {
    const auto report = [&](base::ByteView frame) {
      const auto batch = parse_batch(frame);
      TROUPE_CHECK(batch.ok(), "a frame of our own must parse");
      count(counters_.records_undelivered, batch->header.record_count);
      for_each_record(
          *batch, [&](base::ByteView record) { sink_->on_undelivered(*peer.link, lane, record); });
    };
    for (const Frame& frame : peer.lanes[index_of(lane)].unacknowledged()) {
      report(*frame);
    }
    for (Outbox::Gathered& gathered : peer.link->outbox(lane).close()) {
      write_batch_header(gathered.frame, {.lane = static_cast<std::uint8_t>(lane),
                                          .record_count = gathered.record_count,
                                          .sequence = 1});
      report(gathered.frame);
    }
  }
}

void Engine::flush(Peer& peer, Lane lane, base::TimePoint now) {
  for (int i = 0; can_write(peer, lane); ++i) {
    if (!write_kept(peer, lane, now)) {
      return;
    }
    if (i >= frames_per_turn) {
      again_.push_back({peer.link, lane});
      return;
    }
    auto gathered = peer.link->outbox(lane).take();
    if (!gathered) {
      return;
    }
    keep_next(peer, lane, std::move(*gathered));
  }
}

bool Engine::write_kept(Peer& peer, Lane lane, base::TimePoint now) {
  Session& session = peer.lanes[index_of(lane)];
  while (const Frame* frame = session.unwritten()) {
    if (!write(peer, lane, *frame, now)) {
      return false;
    }
    if (base::get_fixed<std::uint64_t>((*frame)->data() + 24) == session.acknowledgement()) {
      session.mark_acknowledged();
    }
    const auto record_count = base::get_fixed<std::uint32_t>((*frame)->data() + 4);
    if (session.mark_written(now)) {
      count(counters_.frames_resent);
    } else {
      count(counters_.records_sent, record_count);
    }
    if (!peer.is_client()) {
      wake_at(session.waiting_since() + options_.silence_timeout);
    }
  }
  return true;
}

void Engine::keep_next(Peer& peer, Lane lane, Outbox::Gathered gathered) {
  Session& session = peer.lanes[index_of(lane)];
  write_batch_header(gathered.frame, {.lane = static_cast<std::uint8_t>(lane),
                                      .record_count = gathered.record_count,
                                      .session = session_,
                                      .sequence = session.next_sequence(),
                                      .acknowledgement = session.acknowledgement()});
  session.keep(std::make_shared<const base::Bytes>(std::move(gathered.frame)));
}

void Engine::acknowledge(Peer& peer, Lane lane, base::TimePoint now) {
  Session& session = peer.lanes[index_of(lane)];
  const Frame frame = acknowledgement_frame({.lane = static_cast<std::uint8_t>(lane),
                                             .session = session_,
                                             .acknowledgement = session.acknowledgement()});
  if (write(peer, lane, frame, now)) {
    session.mark_acknowledged();
  }
}

bool Engine::can_write(Peer& peer, Lane lane) {
  if (peer.is_client()) {
    return peer.retry_at == base::time_never;
  }
  const auto dial = dials_.find(peer.dial_address);
  if (dial == dials_.end() || dial->second.peer != peer.id()) {
    return false;
  }
  const Line& line = dial->second.lines[index_of(lane)];
  return line.state == LineState::established && !line.full;
}

bool Engine::write(Peer& peer, Lane lane, const Frame& frame, base::TimePoint now) {
  auto written = Carrier::Write::written;
  if (peer.is_client()) {
    written = carrier_.answer(peer.inbound[0], frame);
    if (written == Carrier::Write::full) {
      peer.retry_at = now + full_client_retry;
      wake_at(peer.retry_at);
    } else if (written == Carrier::Write::gone) {
      peer.heard_at = now - options_.client_timeout;  // the next tick() cuts it off
      peer.retry_at = now;
      wake_at(now);
    }
  } else {
    Line& line = dials_.find(peer.dial_address)->second.lines[index_of(lane)];
    written = carrier_.write(line.channel, frame);
    line.full = written == Carrier::Write::full;
  }
  if (written != Carrier::Write::written) {
    return false;
  }
  count(counters_.frames_sent);
  count(counters_.bytes_sent, frame->size());
  return true;
}

void Engine::set_connected(Peer& peer, bool connected, const std::string& reason) {
  if (peer.connected == connected && (connected || peer.connection_reason == reason)) {
    return;
  }
  peer.connected = connected;
  peer.connection_reason = reason;
  sink_->on_connection(*peer.link, connected, reason);
}

void Engine::tick(base::TimePoint now) {
  if (now < next_deadline_ || ending_) {
    return;
  }
  next_deadline_ = base::time_never;
  tick_dials(now);
  tick_peers(now);
  if (now >= sweep_at_) {
    sweep(now);
  }
  wake_at(sweep_at_);
}

void Engine::tick_peers(base::TimePoint now) {
  std::vector<base::NodeId> silent;
  for (auto& [id, peer] : peers_) {
    if (peer->is_client()) {
      if (peer->heard_at + options_.client_timeout <= now) {
        silent.push_back(id);
        continue;
      }
      wake_at(peer->heard_at + options_.client_timeout);
      if (peer->retry_at <= now) {
        peer->retry_at = base::time_never;
        flush(*peer, Lane::control, now);
        flush(*peer, Lane::data, now);
      }
      wake_at(peer->retry_at);
    }
    for (const Lane lane : lanes) {
      if (!can_write(*peer, lane)) {
        continue;  // whatever makes it writable also writes what is owed
      }
      Session& session = peer->lanes[index_of(lane)];
      if (session.acknowledgement_due() <= now) {
        acknowledge(*peer, lane, now);
      } else {
        wake_at(session.acknowledgement_due());
      }
    }
  }
  for (const base::NodeId& id : silent) {
    cut(id, "the client is gone");
  }
}

bool Engine::is_drained() const {
  return again_.empty() && std::all_of(peers_.begin(), peers_.end(), [](const auto& entry) {
           PeerLink& link = *entry.second->link;
           return entry.second->connected == false ||
                  (link.outbox(Lane::control).bytes() == 0 && link.outbox(Lane::data).bytes() == 0);
         });
}

void Engine::say_goodbye(const std::string& reason) {
  const Frame frame = goodbye_frame(reason);
  for (auto& [id, peer] : peers_) {
    if (peer->is_client()) {
      (void)carrier_.answer(peer->inbound[0], frame);
    } else if (can_write(*peer, Lane::control)) {
      (void)carrier_.write(dials_.find(peer->dial_address)->second.lines[0].channel, frame);
    }
  }
}

void Engine::end(const std::string& reason) {
  ending_ = true;
  while (!peers_.empty()) {
    const base::NodeId id = peers_.begin()->first;
    cut(id, reason);
  }
  while (!dials_.empty()) {
    const std::string address = dials_.begin()->first;
    erase_dial(address);
  }
  inbounds_.clear();
  again_.clear();
  next_deadline_ = base::time_never;
}

TransportCounters Engine::counters() const {
  const auto read = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  return {.frames_sent = read(counters_.frames_sent),
          .frames_received = read(counters_.frames_received),
          .bytes_sent = read(counters_.bytes_sent),
          .bytes_received = read(counters_.bytes_received),
          .records_sent = read(counters_.records_sent),
          .records_received = read(counters_.records_received),
          .records_undelivered = read(counters_.records_undelivered),
          .frames_resent = read(counters_.frames_resent),
          .frames_duplicate = read(counters_.frames_duplicate),
          .frames_after_gap = read(counters_.frames_after_gap),
          .frames_stale = read(counters_.frames_stale),
          .frames_malformed = read(counters_.frames_malformed),
          .connections_refused = read(counters_.connections_refused)};
}

}  // namespace troupe::transport
