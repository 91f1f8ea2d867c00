#include "transport/memory_network.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "transport/memory_transport.hpp"

namespace troupe::transport {

MemoryNetwork::MemoryNetwork(base::Random random, MemoryNetworkOptions options)
    : random_(random), options_(options) {}

MemoryNetwork::~MemoryNetwork() {
  TROUPE_CHECK(std::none_of(processes_.begin(), processes_.end(),
                            [](const Process& process) { return process.transport != nullptr; }),
               "a transport outlives its network");
}

std::unique_ptr<Transport> MemoryNetwork::make_transport(std::string address,
                                                         const base::Clock& clock) {
  return std::make_unique<MemoryTransport>(*this, std::move(address), clock, random_.split(),
                                           options_.engine);
}

base::TimePoint MemoryNetwork::next_event() const {
  return events_.empty() ? base::time_never : events_.top().at;
}

void MemoryNetwork::run_until(base::TimePoint now) {
  now_ = std::max(now_, now);
  while (!events_.empty() && events_.top().at <= now_) {
    const Event event = events_.top();
    events_.pop();
    ++events_delivered_;
    deliver(event);
  }
}

void MemoryNetwork::break_connection(const std::string& a, const std::string& b) {
  for (auto& [id, connection] : connections_) {
    const std::string& from = processes_[connection.from].address;
    if (!connection.closed &&
        ((from == a && connection.to_address == b) || (from == b && connection.to_address == a))) {
      reset(id, connection, "connection reset");
    }
  }
}

void MemoryNetwork::partition(const std::string& a, const std::string& b, Direction direction) {
  blocked_.insert({a, b});
  if (direction == Direction::both) {
    blocked_.insert({b, a});
  }
}

void MemoryNetwork::heal(const std::string& a, const std::string& b) {
  blocked_.erase({a, b});
  blocked_.erase({b, a});
  release_held();
}

void MemoryNetwork::heal() {
  blocked_.clear();
  release_held();
}

void MemoryNetwork::crash(const std::string& address) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) {
    return;
  }
  const ProcessId process = found->second;
  by_address_.erase(found);
  processes_[process].alive = false;
  processes_[process].parked.clear();
  for (auto& [id, connection] : connections_) {
    if (!connection.closed &&
        (connection.from == process || (connection.accepted && connection.to == process))) {
      reset(id, connection, "connection reset: the process is gone");
    }
  }
}

void MemoryNetwork::freeze(const std::string& address) {
  if (const auto found = by_address_.find(address); found != by_address_.end()) {
    processes_[found->second].frozen = true;
  }
}

void MemoryNetwork::thaw(const std::string& address) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end() || !processes_[found->second].frozen) {
    return;
  }
  Process& process = processes_[found->second];
  process.frozen = false;
  for (const Event& event : std::exchange(process.parked, {})) {
    push(event.kind, event.subject, now_);
    if (event.kind == EventKind::tick && event.order == process.tick_order) {
      process.tick_order = last_order_;
    }
  }
}

base::Result<MemoryNetwork::ProcessId> MemoryNetwork::add_process(const std::string& address,
                                                                  MemoryTransport* transport) {
  if (by_address_.contains(address)) {
    return base::Error{base::Errc::address_in_use, address + " is in use; choose another port"};
  }
  const ProcessId process = processes_.size();
  processes_.push_back({.address = address, .transport = transport});
  by_address_[address] = process;
  return process;
}

void MemoryNetwork::remove_process(ProcessId process) {
  Process& gone = processes_[process];
  gone.transport = nullptr;
  if (!gone.alive) {
    return;
  }
  gone.alive = false;
  by_address_.erase(gone.address);
  for (auto& [id, connection] : connections_) {
    if (!connection.closed && connection.accepted && connection.to == process) {
      // The end in order: what was answered before arrives before the end.
      connection.closed = true;
      connection.reason = "connection closed";
      connection.back.last_at = std::max(connection.back.last_at, now_ + delay());
      push(EventKind::broken, id, connection.back.last_at);
    }
  }
}

void MemoryNetwork::open(ProcessId from, Channel channel, const std::string& address,
                         base::TimePoint now) {
  now_ = std::max(now_, now);
  const std::uint64_t id = ++last_connection_;
  Connection& connection = connections_[id];
  connection.from = from;
  connection.to_address = address;
  connection.channel = channel;
  processes_[from].transport->connections_[channel] = id;
  push(EventKind::connect, id, now_ + delay());
}

void MemoryNetwork::close(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) {
    found->second.closed = true;
    found->second.back.frames.clear();
    forget_if_empty(id);
  }
}

Carrier::Write MemoryNetwork::write(std::uint64_t id, const Frame& frame, base::TimePoint now) {
  now_ = std::max(now_, now);
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.closed) {
    return Carrier::Write::written;  // it broke and the report is on its way: this is lost
  }
  Connection& connection = found->second;
  if (connection.forward.frames.size() >= options_.frames_in_flight_max) {
    connection.blocked = true;
    return Carrier::Write::full;
  }
  send(connection.forward, EventKind::forward, id, frame);
  return Carrier::Write::written;
}

Carrier::Write MemoryNetwork::answer(std::uint64_t id, const Frame& frame, base::TimePoint now) {
  now_ = std::max(now_, now);
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.closed) {
    return Carrier::Write::gone;
  }
  send(found->second.back, EventKind::back, id, frame);
  return Carrier::Write::written;
}

void MemoryNetwork::ring(ProcessId process, base::TimePoint now) {
  now_ = std::max(now_, now);
  push(EventKind::attend, process, now_);
}

void MemoryNetwork::schedule_tick(ProcessId process, base::TimePoint at) {
  Process& ticked = processes_[process];
  if (at < ticked.tick_at) {
    ticked.tick_at = at;
    push(EventKind::tick, process, std::max(at, now_));
    ticked.tick_order = last_order_;
  }
}

void MemoryNetwork::push(EventKind kind, std::uint64_t subject, base::TimePoint at) {
  events_.push({.at = at, .order = ++last_order_, .kind = kind, .subject = subject});
}

void MemoryNetwork::send(Pipe& pipe, EventKind kind, std::uint64_t connection, const Frame& frame) {
  pipe.last_at = std::max(pipe.last_at, now_ + delay());
  pipe.frames.push_back(frame);
  push(kind, connection, pipe.last_at);
}

void MemoryNetwork::deliver(const Event& event) {
  if (event.kind == EventKind::attend || event.kind == EventKind::tick) {
    deliver_to_process(event, event.subject);
    return;
  }
  const auto found = connections_.find(event.subject);
  if (found == connections_.end()) {
    return;
  }
  const Connection& connection = found->second;
  const bool is_forward = event.kind == EventKind::forward || event.kind == EventKind::connect;
  const std::string& from = processes_[connection.from].address;
  const bool held =
      event.kind != EventKind::writable &&
      (is_forward ? is_held(from, connection.to_address) : is_held(connection.to_address, from));
  if (held) {
    held_.push_back(event);
    return;
  }
  if (event.kind == EventKind::connect) {
    const auto target = by_address_.find(connection.to_address);
    deliver_to_process(event, target == by_address_.end() ? connection.from : target->second);
  } else {
    deliver_to_process(event, is_forward ? connection.to : connection.from);
  }
}

void MemoryNetwork::deliver_to_process(const Event& event, ProcessId id) {
  Process& process = processes_[id];
  if (process.frozen) {
    process.parked.push_back(event);
    return;
  }
  MemoryTransport* transport = process.alive ? process.transport : nullptr;
  if (event.kind == EventKind::attend || event.kind == EventKind::tick) {
    if (event.kind == EventKind::tick) {
      if (event.order != process.tick_order) {
        return;
      }
      process.tick_at = base::time_never;
    }
    if (transport != nullptr) {
      event.kind == EventKind::attend ? transport->attend() : transport->tick();
    }
    return;
  }
  Connection& connection = connections_.find(event.subject)->second;
  switch (event.kind) {
    case EventKind::connect: deliver_connect(event.subject, connection); return;
    case EventKind::forward: deliver_forward(event.subject, connection); return;
    case EventKind::opened:
      if (transport != nullptr && !connection.closed) {
        transport->opened(event.subject, connection.channel);
      }
      return;
    case EventKind::back:
      if (!connection.back.frames.empty()) {
        const Frame frame = std::move(connection.back.frames.front());
        connection.back.frames.pop_front();
        if (transport != nullptr) {
          transport->channel_frame(connection.channel, frame);
        }
      }
      break;
    case EventKind::broken: {
      const std::string reason = connection.reason;
      connection.back.frames.clear();
      if (transport != nullptr) {
        transport->broken(connection.channel, reason);
      }
      break;
    }
    case EventKind::writable:
      if (transport != nullptr && !connection.closed) {
        transport->writable(connection.channel);
      }
      return;
    default: return;
  }
  forget_if_empty(event.subject);
}

void MemoryNetwork::deliver_connect(std::uint64_t id, Connection& connection) {
  if (connection.closed) {
    return;
  }
  const auto target = by_address_.find(connection.to_address);
  if (target == by_address_.end()) {
    connection.closed = true;
    connection.reason = "connection refused: nobody listens at " + connection.to_address;
    push(EventKind::broken, id, now_ + delay());
    return;
  }
  connection.accepted = true;
  connection.to = target->second;
  connection.back.last_at = now_ + delay();
  push(EventKind::opened, id, connection.back.last_at);
}

void MemoryNetwork::deliver_forward(std::uint64_t id, Connection& connection) {
  if (connection.forward.frames.empty()) {
    return;  // lost when the connection broke
  }
  const Frame frame = std::move(connection.forward.frames.front());
  connection.forward.frames.pop_front();
  if (connection.blocked) {
    connection.blocked = false;
    push(EventKind::writable, id, now_);
  }
  Process& process = processes_[connection.to];
  if (process.alive && process.transport != nullptr) {
    process.transport->connection_frame(id, frame);
  }
  forget_if_empty(id);
}

void MemoryNetwork::reset(std::uint64_t id, Connection& connection, const std::string& reason) {
  for (Pipe* pipe : {&connection.forward, &connection.back}) {
    pipe->frames.resize(random_.below(pipe->frames.size() + 1));
  }
  connection.closed = true;
  connection.reason = reason;
  push(EventKind::broken, id, now_ + delay());
}

void MemoryNetwork::forget_if_empty(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || !found->second.closed ||
      !found->second.forward.frames.empty() || !found->second.back.frames.empty()) {
    return;
  }
  const Connection& connection = found->second;
  const MemoryTransport* from = processes_[connection.from].transport;
  if (from != nullptr && processes_[connection.from].alive &&
      from->connections_.contains(connection.channel)) {
    return;  // its end has not been told yet
  }
  connections_.erase(found);
}

void MemoryNetwork::release_held() {
  for (const Event& event : std::exchange(held_, {})) {
    push(event.kind, event.subject, now_ + delay());
  }
}

base::Duration MemoryNetwork::delay() {
  const auto range = static_cast<std::uint64_t>((options_.delay_max - options_.delay_min).count());
  return options_.delay_min + base::Duration{static_cast<std::int64_t>(random_.below(range + 1))};
}

}  // namespace troupe::transport
