#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "transport/engine.hpp"
#include "transport/memory_network.hpp"

namespace troupe::transport {

/// One process of a MemoryNetwork: the same engine and the same bytes as on ZeroMQ.
///
/// Used on the network's thread only; the network calls the sink in run_until(). Fails to start
/// with address_in_use. After MemoryNetwork::crash() every call does nothing.
class MemoryTransport final : public Transport, private Carrier {
 public:
  MemoryTransport(MemoryNetwork& network, std::string address, const base::Clock& clock,
                  base::Random random, EngineOptions options);
  ~MemoryTransport() override;

  base::Result<void> start(Identity identity, FrameSink& sink) override;
  [[nodiscard]] std::string address() const override { return address_; }
  void connect(const std::string& address) override;
  void forget(const std::string& address) override;
  void disconnect(const base::NodeId& peer, const std::string& reason) override;
  [[nodiscard]] TransportCounters counters() const override { return engine_.counters(); }
  /// Does not wait: what is queued is written now or reported as undelivered.
  void stop(std::uint32_t linger_ms) override;

 private:
  friend class MemoryNetwork;

  void open(Channel channel, const std::string& address) override;
  void close(Channel channel) override;
  Write write(Channel channel, const Frame& frame) override;
  Write answer(const ConnectionId& connection, const Frame& frame) override;

  // What the network reports; each leaves the engine with nothing to do.
  void opened(std::uint64_t connection, Channel channel);
  void broken(Channel channel, const std::string& reason);
  void writable(Channel channel);
  void channel_frame(Channel channel, const Frame& frame);
  void connection_frame(std::uint64_t connection, const Frame& frame);
  void attend();
  void tick();
  void settle();

  MemoryNetwork& network_;
  const std::string address_;
  const base::Clock& clock_;
  const std::shared_ptr<Doorbell> doorbell_;
  Engine engine_;
  std::optional<std::size_t> process_;
  std::map<Channel, std::uint64_t> connections_;  // opened and not closed
};

}  // namespace troupe::transport
