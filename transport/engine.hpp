#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "transport/frame.hpp"
#include "transport/hello_rules.hpp"
#include "transport/peer_link.hpp"
#include "transport/session.hpp"
#include "transport/transport.hpp"

namespace troupe::transport {

/// One opening of an outbound connection; a number is never used twice.
using Channel = std::uint64_t;
/// An inbound connection, as its driver names it.
using ConnectionId = std::string;

/// What the engine needs of a network. Implementations never call the engine from inside these
/// functions; they report later.
class Carrier {
 public:
  enum class Write { written, full, gone };
  virtual ~Carrier() = default;
  /// Begins to connect; ends in Engine::channel_opened() or channel_broken().
  virtual void open(Channel channel, const std::string& address) = 0;
  /// Nothing is reported of this channel any more. Also for one that broke.
  virtual void close(Channel channel) = 0;
  /// `full`: not taken; channel_writable() follows. Never `gone`: a break is reported.
  virtual Write write(Channel channel, const Frame& frame) = 0;
  /// To the other end of an inbound connection. `full`: not taken, try again later.
  virtual Write answer(const ConnectionId& connection, const Frame& frame) = 0;
};

struct EngineOptions {
  OutboxOptions outbox;
  SessionOptions session;
  base::Duration connect_timeout = std::chrono::seconds{3};  ///< to open, and to be welcomed
  base::Duration silence_timeout = std::chrono::seconds{5};  ///< written, never acknowledged
  base::Duration client_timeout = std::chrono::seconds{30};  ///< a client that says nothing
  base::Duration backoff_min = std::chrono::milliseconds{50};
  base::Duration backoff_max = std::chrono::milliseconds{500};  ///< 20 times after a refusal
  std::size_t peers_max = 4096;        ///< a further hello is refused with limit_exceeded
  std::size_t connections_max = 8192;  ///< frames of further inbound connections are dropped
};

/// The protocol of docs/wire-protocol.md between this node and all others, without a socket: the
/// same code and the same bytes on ZeroMQ and in memory. It keeps peers, the dials towards them
/// and their sessions; a driver feeds it what the network reports and carries out what it says.
///
/// Owned by the transport's thread, except counters(). Calls the sink with no lock held. A peer
/// that breaks a rule is refused, counted and logged once a connection; it never stops the engine.
class Engine {
 public:
  Engine(Carrier& carrier, std::shared_ptr<Doorbell> doorbell, base::Random random,
         EngineOptions options);

  void start(Identity identity, FrameSink& sink);

  /// Carries out what lies at the doorbell and writes what has gathered.
  void attend(base::TimePoint now);
  /// attend() stopped early to let others be heard, and wants to be called again at once.
  [[nodiscard]] bool has_more() const { return !again_.empty(); }

  void channel_opened(Channel channel, base::TimePoint now);
  void channel_broken(Channel channel, const std::string& reason, base::TimePoint now);
  void channel_writable(Channel channel, base::TimePoint now);
  void channel_frame(Channel channel, base::ByteView frame, base::TimePoint now);
  void connection_frame(const ConnectionId& connection, base::ByteView frame, base::TimePoint now);

  /// Does what is due. Cheap before next_deadline().
  void tick(base::TimePoint now);
  [[nodiscard]] base::TimePoint next_deadline() const { return next_deadline_; }

  /// Whether all that can be written to connected peers has been acknowledged.
  [[nodiscard]] bool is_drained() const;
  void say_goodbye(const std::string& reason);
  /// Cuts all peers and dials. The sink is not called afterwards.
  void end(const std::string& reason);

  [[nodiscard]] TransportCounters counters() const;
  [[nodiscard]] const Identity& identity() const { return own_; }

 private:
  struct Peer {
    std::shared_ptr<PeerLink> link;
    std::uint64_t session = 0;  // theirs
    std::array<Session, lane_count> lanes;
    std::array<ConnectionId, lane_count> inbound;  // the latest of each lane
    std::string dial_address;                      // empty for a client
    std::optional<bool> connected;                 // as last told to the sink
    std::string connection_reason;
    base::TimePoint heard_at{};
    base::TimePoint retry_at = base::time_never;  // a client whose connection was full
    [[nodiscard]] bool is_client() const { return link->peer().is_client; }
    [[nodiscard]] const base::NodeId& id() const { return link->peer().id; }
  };
  struct Inbound {
    Peer* peer = nullptr;
    std::uint8_t lane = 0;
    bool is_own = false;  // we dialled ourselves
    bool refused = false;
    base::TimePoint heard_at{};
  };
  enum class LineState { idle, waiting, opening, greeting, established };
  struct Line {
    LineState state = LineState::idle;
    Channel channel = 0;
    base::TimePoint at = base::time_never;  // to retry, or to give up
    bool full = false;
    bool hello_pending = false;
  };
  /// An address that is being reached: one line a lane.
  struct Dial {
    std::string address;
    base::NodeId peer;  // who answered last; no name: nobody yet
    std::array<Line, lane_count> lines;
    bool wanted = false;   // by connect(): failures are told
    bool settled = false;  // leads to ourselves or to a peer that is dialled otherwise
    std::uint32_t failures = 0;
    std::string told_failure;
  };
  struct Place {
    Dial* dial;
    std::size_t lane;
  };
  struct AtomicCounters {
    std::atomic<std::uint64_t> frames_sent, frames_received, bytes_sent, bytes_received,
        records_sent, records_received, records_undelivered, frames_resent, frames_duplicate,
        frames_after_gap, frames_stale, frames_malformed, connections_refused;
  };

  // engine.cpp: peers and what is written to them
  void carry_out(Command& command, base::TimePoint now);
  Peer* find(const base::NodeId& id);
  Peer& create_peer(const Hello& hello, base::TimePoint now);
  void cut(const base::NodeId& id, const std::string& reason);
  void report_undelivered(Peer& peer);
  void flush(Peer& peer, Lane lane, base::TimePoint now);
  bool write_kept(Peer& peer, Lane lane, base::TimePoint now);
  void keep_next(Peer& peer, Lane lane, Outbox::Gathered gathered);
  void acknowledge(Peer& peer, Lane lane, base::TimePoint now);
  bool can_write(Peer& peer, Lane lane);
  bool write(Peer& peer, Lane lane, const Frame& frame, base::TimePoint now);
  void set_connected(Peer& peer, bool connected, const std::string& reason);
  void tick_peers(base::TimePoint now);
  void wake_at(base::TimePoint at) { next_deadline_ = std::min(next_deadline_, at); }

  // engine_dial.cpp: outbound connections
  Dial& ensure_dial(const std::string& address, base::TimePoint now);
  void erase_dial(const std::string& address);
  void open_line(Dial& dial, std::size_t lane, base::TimePoint now);
  void close_line(Line& line);
  void fail_line(Dial& dial, std::size_t lane, const base::Error& error, base::TimePoint now);
  void greet(Dial& dial, std::size_t lane, base::TimePoint now);
  void on_welcome(Place place, base::ByteView frame, base::TimePoint now);
  void establish(Peer& peer, Place place, base::TimePoint now);
  bool settle_if_redundant(Peer& peer, Dial& dial);
  void tick_dials(base::TimePoint now);
  std::optional<Place> find_line(Channel channel);

  // engine_inbound.cpp: inbound connections
  void on_hello(const ConnectionId& connection, Inbound& inbound, base::ByteView frame,
                base::TimePoint now);
  std::optional<base::Error> admit(const Hello& hello, base::TimePoint now, Peer*& peer);
  std::optional<base::Error> admit_node(const Hello& hello, base::TimePoint now, Peer*& peer);
  void on_batch(const ConnectionId& connection, Inbound& inbound, base::ByteView frame,
                base::TimePoint now);
  void on_goodbye(const ConnectionId& connection, Inbound& inbound, base::ByteView frame);
  void refuse(const ConnectionId& connection, Inbound& inbound, const base::Error& error);
  void sweep(base::TimePoint now);

  static void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
    // One writer: no atomic addition is needed.
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  Carrier& carrier_;
  const std::shared_ptr<Doorbell> doorbell_;
  base::Random random_;
  const EngineOptions options_;
  Identity own_;
  std::uint64_t session_ = 0;  // ours, towards everybody
  FrameSink* sink_ = nullptr;
  bool ending_ = false;

  // Ordered maps: what is iterated must not depend on addresses or hashes.
  std::map<base::NodeId, std::unique_ptr<Peer>> peers_;
  std::map<std::string, Dial> dials_;
  std::map<Channel, Place> lines_;
  std::map<ConnectionId, Inbound> inbounds_;
  Incarnations incarnations_;
  std::string last_refusal_;
  Channel last_channel_ = 0;
  std::vector<Command> commands_;
  std::vector<FlushCommand> again_;
  base::TimePoint next_deadline_ = base::time_never;
  base::TimePoint sweep_at_ = base::time_never;
  AtomicCounters counters_{};
};

}  // namespace troupe::transport
