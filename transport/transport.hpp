#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/errors.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"

namespace troupe::transport {

/// Which queue a record travels in. Control never waits behind data.
enum class Lane : std::uint8_t { control = 0, data = 1 };
inline constexpr std::size_t lane_count = 2;

/// Who is at the other end, as its hello said.
struct PeerInfo {
  base::NodeId id;
  std::string address;  ///< where it can be reached; empty for a client
  bool is_client = false;
  std::vector<std::uint64_t> types;  ///< message types it knows: type << 32 | shape
  std::map<std::string, std::string> labels;
};

/// The way to one incarnation of one peer. Survives broken connections: what was accepted is
/// delivered exactly once and in order a lane, or handed to FrameSink::on_undelivered.
///
/// Thread-safe. Shared among the transport and everyone who sends to this peer; after the peer was
/// cut off every send() ends as node_lost.
class Link {
 public:
  virtual ~Link() = default;
  [[nodiscard]] virtual const PeerInfo& peer() const = 0;
  /// Queues one record; never blocks. accepted, mailbox_full (the link's bound in bytes is
  /// reached), node_lost, or refused (larger than a frame can be).
  virtual base::Outcome send(Lane lane, base::ByteView record) = 0;
  /// The same on the data lane, in order with what send() queued there, for small records that must
  /// not be lost to a flood: they have room beyond the bound. mailbox_full: that is taken too;
  /// FrameSink::on_room() follows, unless the peer is cut off.
  virtual base::Outcome send_notice(base::ByteView record) = 0;
};

/// What the transport tells; called on the transport's thread, never while it holds a lock.
/// Implementations return quickly and may call back into Link and Transport.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// A new incarnation said hello and was welcomed; once an incarnation, before its first record.
  virtual void on_peer_up(const std::shared_ptr<Link>& link) = 0;
  /// The connection broke or came back; the session goes on. A hint for the failure detector.
  virtual void on_connection(const Link& link, bool connected, const std::string& reason) = 0;
  /// No more records will come or go: cut by disconnect(), replaced by a higher incarnation, or a
  /// client that left. Once for every on_peer_up(), after on_undelivered() of what was left.
  virtual void on_peer_down(const Link& link, const std::string& reason) = 0;
  /// One record, in the order sent. The view is valid during the call.
  virtual void on_record(const std::shared_ptr<Link>& from, Lane lane, base::ByteView record) = 0;
  /// A link that refused a notice may have room again.
  virtual void on_room(const Link& link) = 0;
  /// A record that was accepted but not acknowledged when the peer was cut off: it may or may not
  /// have arrived.
  virtual void on_undelivered(const Link& link, Lane lane, base::ByteView record) = 0;
  /// An address given to connect() could not be reached or refused us; told at the first failure
  /// and whenever the reason changes, while attempts go on.
  virtual void on_unreachable(const std::string& address, const base::Error& error) = 0;
};

/// What a transport has done since its start; every number only grows.
struct TransportCounters {
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t records_sent = 0;  ///< first writes only; resent frames are counted below
  std::uint64_t records_received = 0;
  std::uint64_t records_undelivered = 0;
  std::uint64_t frames_resent = 0;
  std::uint64_t frames_duplicate = 0;   ///< received again and dropped
  std::uint64_t frames_after_gap = 0;   ///< dropped; the sender repeats them
  std::uint64_t frames_stale = 0;       ///< of another session, or of a connection refused before
  std::uint64_t frames_malformed = 0;
  std::uint64_t connections_refused = 0;
};

/// Who we are, for our hello.
struct Identity {
  std::string cluster;
  base::NodeId id;
  std::string address;  ///< advertised; may be replaced by start() when it was to be derived
  std::vector<std::uint64_t> types;
  std::map<std::string, std::string> labels;
};

/// Records between this process and others. connect(), forget() and disconnect() are thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Binds and begins. Fails with address_in_use or invalid_argument; the context says what to do.
  /// `sink` outlives stop().
  virtual base::Result<void> start(Identity identity, FrameSink& sink) = 0;
  /// The address where others reach this node; valid after start().
  [[nodiscard]] virtual std::string address() const = 0;
  /// Keeps trying to reach this address, with backoff and jitter, until a peer up under it was cut
  /// off or forget(). Does nothing for our own address or one already being tried.
  virtual void connect(const std::string& address) = 0;
  /// Ends the attempts of connect() for an address under which no peer is up.
  virtual void forget(const std::string& address) = 0;
  /// Declares this incarnation gone for ever: its link is cut, its frames are refused.
  virtual void disconnect(const base::NodeId& peer, const std::string& reason) = 0;
  /// Thread-safe.
  [[nodiscard]] virtual TransportCounters counters() const { return {}; }
  /// Says goodbye, waits at most `linger_ms` for queued records to be written, ends the thread.
  /// After it returns the sink is not called any more.
  virtual void stop(std::uint32_t linger_ms) = 0;
};

}  // namespace troupe::transport
