#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "transport/engine.hpp"

namespace troupe::transport {

class MemoryTransport;

struct MemoryNetworkOptions {
  base::Duration delay_min = std::chrono::microseconds{50};
  base::Duration delay_max = std::chrono::microseconds{500};
  std::size_t frames_in_flight_max = 16;  ///< a connection; more are refused as `full`
  EngineOptions engine;
};

enum class Direction { one_way, both };

/// A network in memory and in virtual time for simulations: ordered connections like TCP's, which
/// lose what is in flight when they break. Equal seeds and equal calls give equal runs.
///
/// Not thread-safe: one thread calls it, moves the clock, and is called by it; links of its
/// transports are used on that thread too. Outlives its transports.
class MemoryNetwork {
 public:
  MemoryNetwork(base::Random random, MemoryNetworkOptions options);
  ~MemoryNetwork();
  MemoryNetwork(const MemoryNetwork&) = delete;
  MemoryNetwork& operator=(const MemoryNetwork&) = delete;

  /// A process that will listen at this address once it is started. `clock` is the same for all.
  [[nodiscard]] std::unique_ptr<Transport> make_transport(std::string address,
                                                          const base::Clock& clock);

  /// When something happens next; time_never if nothing will.
  [[nodiscard]] base::TimePoint next_event() const;
  /// Delivers all that is due; the clock has been moved to `now` before. Sinks are called here.
  void run_until(base::TimePoint now);

  /// Breaks all connections between the two: each loses a random part of what is in flight, from
  /// its end. They may be opened again at once.
  void break_connection(const std::string& a, const std::string& b);
  /// Nothing passes from `a` to `b` (or in both directions) until heal(); it is held, as TCP does.
  void partition(const std::string& a, const std::string& b, Direction direction);
  void heal(const std::string& a, const std::string& b);
  void heal();
  /// The process vanishes without a word: its connections are reset, later ones are refused, its
  /// sink is not called any more. A new transport may then take the address.
  void crash(const std::string& address);
  /// The process stands still: nothing reaches it, nothing leaves it, its timers rest.
  void freeze(const std::string& address);
  void thaw(const std::string& address);

  [[nodiscard]] std::uint64_t events_delivered() const { return events_delivered_; }

 private:
  friend class MemoryTransport;
  using ProcessId = std::size_t;

  enum class EventKind { connect, opened, forward, back, broken, writable, attend, tick };
  struct Event {
    base::TimePoint at;
    std::uint64_t order = 0;
    EventKind kind = EventKind::tick;
    std::uint64_t subject = 0;  // a connection, or a process for attend and tick
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };
  struct Pipe {
    std::deque<Frame> frames;  // each has one event on its way; events take them in order
    base::TimePoint last_at{};
  };
  struct Connection {
    ProcessId from = 0;
    ProcessId to = 0;
    std::string to_address;
    Channel channel = 0;
    bool accepted = false;
    bool closed = false;
    bool blocked = false;
    std::string reason;
    Pipe forward;
    Pipe back;
  };
  struct Process {
    std::string address;
    MemoryTransport* transport = nullptr;
    bool alive = true;
    bool frozen = false;
    base::TimePoint tick_at = base::time_never;
    std::uint64_t tick_order = 0;  // of the one tick that counts; earlier plans are ignored
    std::vector<Event> parked;
  };

  // for MemoryTransport
  [[nodiscard]] base::Result<ProcessId> add_process(const std::string& address,
                                                    MemoryTransport* transport);
  void remove_process(ProcessId process);
  [[nodiscard]] bool is_alive(ProcessId process) const { return processes_[process].alive; }
  void open(ProcessId from, Channel channel, const std::string& address, base::TimePoint now);
  void close(std::uint64_t connection);
  Carrier::Write write(std::uint64_t connection, const Frame& frame, base::TimePoint now);
  Carrier::Write answer(std::uint64_t connection, const Frame& frame, base::TimePoint now);
  void ring(ProcessId process, base::TimePoint now);
  void schedule_tick(ProcessId process, base::TimePoint at);

  void push(EventKind kind, std::uint64_t subject, base::TimePoint at);
  void send(Pipe& pipe, EventKind kind, std::uint64_t connection, const Frame& frame);
  void deliver(const Event& event);
  void deliver_to_process(const Event& event, ProcessId process);
  void deliver_connect(std::uint64_t id, Connection& connection);
  void deliver_forward(std::uint64_t id, Connection& connection);
  void reset(std::uint64_t id, Connection& connection, const std::string& reason);
  void forget_if_empty(std::uint64_t id);
  void release_held();
  [[nodiscard]] bool is_held(const std::string& from, const std::string& to) const {
    return !blocked_.empty() && blocked_.contains({from, to});
  }
  [[nodiscard]] base::Duration delay();

  base::Random random_;
  const MemoryNetworkOptions options_;
  base::TimePoint now_{};
  std::uint64_t last_order_ = 0;
  std::uint64_t last_connection_ = 0;
  std::uint64_t events_delivered_ = 0;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::vector<Event> held_;  // by a partition
  std::deque<Process> processes_;
  std::map<std::string, ProcessId> by_address_;
  std::map<std::uint64_t, Connection> connections_;
  std::set<std::pair<std::string, std::string>> blocked_;
};

}  // namespace troupe::transport
