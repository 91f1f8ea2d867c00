#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "transport/address.hpp"
#include "transport/engine.hpp"

namespace troupe::transport {

namespace {

constexpr std::uint32_t doublings_max = 10;
// A refusal is rarely over soon.
constexpr std::int64_t refused_factor = 20;

}  // namespace

Engine::Dial& Engine::ensure_dial(const std::string& address, base::TimePoint now) {
  const auto [at, is_new] = dials_.try_emplace(address);
  Dial& dial = at->second;
  if (is_new) {
    dial.address = address;
    open_line(dial, 0, now);
  }
  return dial;
}

void Engine::erase_dial(const std::string& address) {
  const auto found = dials_.find(address);
  if (found == dials_.end()) {
    return;
  }
  for (Line& line : found->second.lines) {
    close_line(line);
  }
  dials_.erase(found);
}

void Engine::open_line(Dial& dial, std::size_t lane, base::TimePoint now) {
  Line& line = dial.lines[lane];
  line = Line{.state = LineState::opening,
              .channel = ++last_channel_,
              .at = now + options_.connect_timeout};
  lines_[line.channel] = {&dial, lane};
  wake_at(line.at);
  carrier_.open(line.channel, dial.address);
}

void Engine::close_line(Line& line) {
  if (line.channel != 0) {
    lines_.erase(line.channel);
    carrier_.close(line.channel);
  }
  line = Line{};
}

void Engine::fail_line(Dial& dial, std::size_t lane, const base::Error& error,
                       base::TimePoint now) {
  Line& line = dial.lines[lane];
  close_line(line);
  line.state = LineState::waiting;
  const std::int64_t factor = error.code == base::Errc::unavailable ? 1 : refused_factor;
  const base::Duration backoff =
      std::min<base::Duration>(
          options_.backoff_min * (1LL << std::min(dial.failures, doublings_max)),
          options_.backoff_max) *
      factor;
  // Jitter, so that the nodes that lost the same peer do not come back at the same moment.
  line.at = now + base::Duration{static_cast<base::Duration::rep>(
                      static_cast<double>(backoff.count()) * (0.5 + 0.5 * random_.unit()))};
  wake_at(line.at);
  ++dial.failures;
  const bool is_news = dial.told_failure != error.text();
  dial.told_failure = error.text();
  if (is_news) {
    base::log(base::LogLevel::info, "transport", "no connection to {}: {}", dial.address,
              error.text());
  }
  if (Peer* peer = find(dial.peer); peer != nullptr && peer->dial_address == dial.address) {
    set_connected(*peer, false, error.context);
  } else if (dial.wanted && is_news) {
    sink_->on_unreachable(dial.address, error);
  }
}

std::optional<Engine::Place> Engine::find_line(Channel channel) {
  const auto found = lines_.find(channel);
  return found == lines_.end() ? std::nullopt : std::optional{found->second};
}

void Engine::channel_opened(Channel channel, base::TimePoint now) {
  const auto place = find_line(channel);
  if (place && place->dial->lines[place->lane].state == LineState::opening) {
    Line& line = place->dial->lines[place->lane];
    line.state = LineState::greeting;
    line.at = now + options_.connect_timeout;
    wake_at(line.at);
    greet(*place->dial, place->lane, now);
  }
}

void Engine::greet(Dial& dial, std::size_t lane, base::TimePoint now) {
  Hello hello = make_hello(own_);
  hello.lane = static_cast<std::uint8_t>(lane);
  hello.session = session_;
  const Frame frame = hello_frame(FrameKind::hello, hello);
  Line& line = dial.lines[lane];
  line.hello_pending = carrier_.write(line.channel, frame) == Carrier::Write::full;
  if (!line.hello_pending) {
    count(counters_.frames_sent);
    count(counters_.bytes_sent, frame->size());
  }
  (void)now;
}

void Engine::channel_broken(Channel channel, const std::string& reason, base::TimePoint now) {
  if (const auto place = find_line(channel)) {
    fail_line(*place->dial, place->lane, {base::Errc::unavailable, reason}, now);
  }
}

void Engine::channel_writable(Channel channel, base::TimePoint now) {
  const auto place = find_line(channel);
  if (!place) {
    return;
  }
  Line& line = place->dial->lines[place->lane];
  if (line.state == LineState::greeting && line.hello_pending) {
    greet(*place->dial, place->lane, now);
  } else if (line.state == LineState::established && line.full) {
    line.full = false;
    if (Peer* peer = find(place->dial->peer)) {
      const auto lane = static_cast<Lane>(place->lane);
      flush(*peer, lane, now);
      wake_at(peer->lanes[place->lane].acknowledgement_due());
    }
  }
}

void Engine::channel_frame(Channel channel, base::ByteView frame, base::TimePoint now) {
  count(counters_.frames_received);
  count(counters_.bytes_received, frame.size());
  const auto place = find_line(channel);
  if (!place) {
    count(counters_.frames_stale);
    return;
  }
  const auto kind = parse_kind(frame);
  if (kind && *kind == FrameKind::welcome) {
    on_welcome(*place, frame, now);
    return;
  }
  base::Error error{base::Errc::malformed, "no welcome, refuse or goodbye came back"};
  if (kind && *kind == FrameKind::refuse) {
    const auto refuse = parse_refuse(frame);
    error = refuse ? to_error(*refuse) : refuse.error();
  } else if (kind && *kind == FrameKind::goodbye) {
    const auto goodbye = parse_goodbye(frame);
    error = goodbye ? base::Error{base::Errc::unavailable, "it said goodbye: " + goodbye->reason}
                    : goodbye.error();
  }
  if (error.code == base::Errc::malformed) {
    count(counters_.frames_malformed);
  }
  fail_line(*place->dial, place->lane, error, now);
}

void Engine::on_welcome(Place place, base::ByteView frame, base::TimePoint now) {
  const auto welcome = parse_hello(frame);
  if (!welcome) {
    count(counters_.frames_malformed);
    fail_line(*place.dial, place.lane, welcome.error(), now);
    return;
  }
  const base::NodeId id{welcome->node, welcome->incarnation};
  if (id == own_.id && welcome->session == session_) {
    place.dial->settled = true;
    std::for_each(place.dial->lines.begin(), place.dial->lines.end(),
                  [this](Line& line) { close_line(line); });
    return;
  }
  auto error = check_hello(*welcome, own_);
  if (!error && welcome->role != "node") {
    error = base::Error{base::Errc::malformed, "a client welcomed us"};
  }
  if (!error) {
    error = incarnations_.check(id);
  }
  Peer* peer = find(id);
  if (!error && peer != nullptr && (peer->session != welcome->session || peer->is_client())) {
    error = base::Error{base::Errc::refused, "another process also calls itself " + id.text()};
  }
  if (error) {
    fail_line(*place.dial, place.lane, *error, now);
    return;
  }
  if (peer == nullptr) {
    // Cutting a lower incarnation ends the dial that led to it, and this line with it.
    const std::string address = place.dial->address;
    const bool wanted = place.dial->wanted;
    const Channel channel = place.dial->lines[place.lane].channel;
    peer = &create_peer(*welcome, now);
    sink_->on_peer_up(peer->link);
    if (!find_line(channel)) {
      peer->dial_address = address;
      Dial& dial = ensure_dial(address, now);
      dial.wanted = wanted;
      dial.peer = id;
      return;
    }
  }
  establish(*peer, place, now);
}

bool Engine::settle_if_redundant(Peer& peer, Dial& dial) {
  if (peer.dial_address.empty() || peer.dial_address == dial.address) {
    return false;
  }
  const auto other = dials_.find(peer.dial_address);
  if (other == dials_.end() || other->second.peer != peer.id()) {
    return false;
  }
  Dial& redundant = other->second.lines[0].state == LineState::established ? dial : other->second;
  redundant.settled = true;
  redundant.peer = peer.id();
  for (Line& line : redundant.lines) {
    close_line(line);
  }
  return &redundant == &dial;
}

void Engine::establish(Peer& peer, Place place, base::TimePoint now) {
  Dial& dial = *place.dial;
  if (settle_if_redundant(peer, dial)) {
    return;
  }
  if (dial.peer != peer.id()) {
    if (place.lane == 1) {  // the control line still leads to another process
      fail_line(dial, 1, {base::Errc::unavailable, "another node answered"}, now);
      return;
    }
    close_line(dial.lines[1]);
    dial.peer = peer.id();
  }
  peer.dial_address = dial.address;
  dial.told_failure.clear();
  Line& line = dial.lines[place.lane];
  const bool is_repeated = line.state == LineState::established;
  line.state = LineState::established;
  line.at = base::time_never;
  if (is_repeated) {
    return;
  }
  if (place.lane == 0 && dial.lines[1].state != LineState::established) {
    close_line(dial.lines[1]);
    open_line(dial, 1, now);
  }
  peer.lanes[place.lane].reconnected(now);
  wake_at(peer.lanes[place.lane].acknowledgement_due());
  flush(peer, static_cast<Lane>(place.lane), now);
  if (std::all_of(dial.lines.begin(), dial.lines.end(),
                  [](const Line& each) { return each.state == LineState::established; })) {
    dial.failures = 0;
    set_connected(peer, true, "");
  }
}

void Engine::tick_dials(base::TimePoint now) {
  for (auto& [address, dial] : dials_) {
    Peer* peer = find(dial.peer);
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
      Line& line = dial.lines[lane];
      const auto waiting_since = peer == nullptr || line.state != LineState::established
                                     ? base::time_never
                                     : peer->lanes[lane].waiting_since();
      const bool is_silent =
          waiting_since != base::time_never && waiting_since + options_.silence_timeout <= now;
      if (line.state == LineState::waiting && line.at <= now) {
        open_line(dial, lane, now);
      } else if (line.at <= now || is_silent) {
        const base::Error error{base::Errc::unavailable,
                                is_silent ? "what was sent is not acknowledged"
                                : line.state == LineState::greeting
                                    ? "connected, but no welcome came"
                                    : "no connection within the time limit"};
        fail_line(dial, lane, error, now);
      } else if (waiting_since != base::time_never) {
        wake_at(waiting_since + options_.silence_timeout);
      }
      wake_at(line.at);
    }
  }
}

}  // namespace troupe::transport
