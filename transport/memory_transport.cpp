#include "transport/memory_transport.hpp"

#include <cstring>

#include "transport/address.hpp"

namespace troupe::transport {

MemoryTransport::MemoryTransport(MemoryNetwork& network, std::string address,
                                 const base::Clock& clock, base::Random random,
                                 EngineOptions options)
    : network_(network),
      address_(std::move(address)),
      clock_(clock),
      doorbell_(std::make_shared<Doorbell>([this] {
        if (process_) {
          network_.ring(*process_, clock_.now());
        }
      })),
      engine_(*this, doorbell_, random, options) {}

MemoryTransport::~MemoryTransport() {
  stop(0);
}

base::Result<void> MemoryTransport::start(Identity identity, FrameSink& sink) {
  if (auto parsed = parse_address(address_); !parsed) {
    return parsed.error();
  }
  const auto process = network_.add_process(address_, this);
  if (!process) {
    return process.error();
  }
  process_ = *process;
  identity.address = address_;
  engine_.start(std::move(identity), sink);
  network_.ring(*process_, clock_.now());
  return {};
}

void MemoryTransport::connect(const std::string& address) {
  doorbell_->post(ConnectCommand{address});
}
void MemoryTransport::forget(const std::string& address) {
  doorbell_->post(ForgetCommand{address});
}
void MemoryTransport::disconnect(const base::NodeId& peer, const std::string& reason) {
  doorbell_->post(DisconnectCommand{peer, reason});
}

void MemoryTransport::stop(std::uint32_t linger_ms) {
  (void)linger_ms;
  if (!process_) {
    return;
  }
  if (network_.is_alive(*process_)) {
    const base::TimePoint now = clock_.now();
    do {
      engine_.attend(now);
    } while (engine_.has_more());
    engine_.say_goodbye("stopped");
    engine_.end("this node stopped");
  }
  doorbell_->close();
  network_.remove_process(*process_);
  process_.reset();
}

void MemoryTransport::open(Channel channel, const std::string& address) {
  if (network_.is_alive(*process_)) {
    network_.open(*process_, channel, address, clock_.now());
  }
}

void MemoryTransport::close(Channel channel) {
  const auto found = connections_.find(channel);
  if (found != connections_.end()) {
    const std::uint64_t connection = found->second;
    connections_.erase(found);
    network_.close(connection);
  }
}

Carrier::Write MemoryTransport::write(Channel channel, const Frame& frame) {
  const auto found = connections_.find(channel);
  return found == connections_.end() ? Write::written
                                     : network_.write(found->second, frame, clock_.now());
}

Carrier::Write MemoryTransport::answer(const ConnectionId& connection, const Frame& frame) {
  std::uint64_t number = 0;
  std::memcpy(&number, connection.data(), sizeof number);
  return network_.answer(number, frame, clock_.now());
}

void MemoryTransport::opened(std::uint64_t connection, Channel channel) {
  if (connections_.contains(channel) && connections_[channel] == connection) {
    engine_.channel_opened(channel, clock_.now());
    settle();
  }
}

void MemoryTransport::broken(Channel channel, const std::string& reason) {
  if (connections_.erase(channel) > 0) {
    engine_.channel_broken(channel, reason, clock_.now());
    settle();
  }
}

void MemoryTransport::writable(Channel channel) {
  engine_.channel_writable(channel, clock_.now());
  settle();
}

void MemoryTransport::channel_frame(Channel channel, const Frame& frame) {
  engine_.channel_frame(channel, *frame, clock_.now());
  settle();
}

void MemoryTransport::connection_frame(std::uint64_t connection, const Frame& frame) {
  ConnectionId id(sizeof connection, '\0');
  std::memcpy(id.data(), &connection, sizeof connection);
  engine_.connection_frame(id, *frame, clock_.now());
  settle();
}

void MemoryTransport::attend() {
  settle();
}

void MemoryTransport::tick() {
  engine_.tick(clock_.now());
  settle();
}

void MemoryTransport::settle() {
  do {
    engine_.attend(clock_.now());
  } while (engine_.has_more() || !doorbell_->arm());
  network_.schedule_tick(*process_, engine_.next_deadline());
}

}  // namespace troupe::transport
