#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "transport/engine.hpp"

namespace troupe::transport {

struct ZmqTransportOptions {
  /// tcp://host:port; host "*" or 0.0.0.0 for all interfaces, port 0 for a free one.
  std::string listen = "tcp://127.0.0.1:7400";
  /// What others are told to connect to. Empty: the listen address, or for all interfaces the
  /// machine's first address that is not loopback. Port 0: the port that is listened on.
  std::string advertise;
  /// Of backoff and sessions.
  std::uint64_t seed = 0;
  EngineOptions engine;
};

/// A Transport over ZeroMQ: one ROUTER that is bound, two DEALERs towards each peer, and one
/// thread that owns them all and calls the sink. Names of hosts are resolved on a second thread.
/// `clock` outlives the transport. The destructor stops it without lingering.
[[nodiscard]] std::unique_ptr<Transport> make_zmq_transport(ZmqTransportOptions options,
                                                            const base::Clock& clock);

}  // namespace troupe::transport
