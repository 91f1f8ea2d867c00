#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "transport/transport.hpp"

namespace troupe::transport {

struct ClientOptions {
  /// tried in this order, each with all IPv4 addresses of its host
  std::vector<std::string> addresses;
  /// name of the cluster; empty: whichever the node belongs to
  std::string cluster;
  /// 1 to 64 letters, digits, '.', '_', '-'
  std::string name = "client";
  /// must differ between clients of one name that run at the same time
  std::uint64_t seed = 0;
};

/// A connection to one node for a program that is not a node itself. Exchanges records with it, in
/// order; what was sent and not answered when the connection breaks may or may not have arrived.
///
/// Not thread-safe; does its work inside receive() and send(). While neither runs for 30 s, the
/// node takes the client for gone. The destructor says goodbye. `clock` outlives the client.
class Client {
 public:
  virtual ~Client() = default;

  /// unavailable (lists what was tried and why it failed), timed_out, invalid_argument, or the
  /// node's refusal with its code and text.
  [[nodiscard]] static base::Result<std::unique_ptr<Client>> connect(const ClientOptions& options,
                                                                     const base::Clock& clock,
                                                                     base::TimePoint deadline);

  /// The node at the other end.
  [[nodiscard]] virtual const PeerInfo& node() const = 0;
  /// How the node knows us.
  [[nodiscard]] virtual const base::NodeId& id() const = 0;
  /// Name of the cluster that the node belongs to.
  [[nodiscard]] virtual const std::string& cluster() const = 0;

  /// Blocks while the connection is full. limit_exceeded for a record larger than a frame,
  /// timed_out, unavailable if the connection is lost.
  virtual base::Result<void> send(base::ByteView record, base::TimePoint deadline) = 0;
  /// The next record. timed_out; unavailable if the connection is lost or the node left; refused.
  virtual base::Result<base::Bytes> receive(base::TimePoint deadline) = 0;
};

}  // namespace troupe::transport
