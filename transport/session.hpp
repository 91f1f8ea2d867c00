#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.hpp"
#include "transport/frame.hpp"

namespace troupe::transport {

struct SessionOptions {
  /// A received batch is acknowledged at the latest after this time …
  base::Duration acknowledgement_delay = std::chrono::milliseconds{20};
  /// … or at once when so many bytes wait for it, so that a fast sender is not held up.
  std::size_t acknowledgement_bytes = 1U << 20U;
};

/// One lane between two node incarnations, both directions: what we sent and they have not
/// acknowledged, and what of theirs has arrived. Turns a network that loses everything in flight
/// at a break into exactly once and in order.
///
/// Not thread-safe; no socket, no clock. Keeps sent frames by shared ownership until acknowledged;
/// their number of bytes is bounded by who calls keep() (see Outbox).
class Session {
 public:
  enum class Arrival {
    deliver,    ///< the next in order: hand its records on
    duplicate,  ///< has been delivered before
    gap,        ///< something before it is missing; the sender will repeat both
    control,    ///< sequence 0: only an acknowledgement
  };
  struct Received {
    Arrival arrival = Arrival::control;
    std::size_t released_bytes = 0;    ///< of our frames that are now acknowledged
    bool acknowledges_unsent = false;  ///< the acknowledgement was nonsense and is ignored
  };

  explicit Session(SessionOptions options = {}) : options_(options) {}

  /// The sequence that the next kept frame must carry.
  [[nodiscard]] std::uint64_t next_sequence() const { return first_ + kept_.size(); }
  void keep(Frame frame);

  /// The oldest kept frame that the present connection has not carried; null if there is none.
  [[nodiscard]] const Frame* unwritten() const;
  /// The frame that unwritten() returned went out. Returns whether it had gone out before.
  bool mark_written(base::TimePoint now);
  /// A new connection stands: all that is kept must be written again, and what has arrived must be
  /// acknowledged again, since the old connection may have lost both.
  void reconnected(base::TimePoint now);

  /// A batch of the other side came; `bytes` is its frame's size.
  [[nodiscard]] Received receive(const BatchHeader& header, std::size_t bytes, base::TimePoint now);

  /// What every outgoing header says: all sequences up to here have arrived.
  [[nodiscard]] std::uint64_t acknowledgement() const { return arrived_; }
  /// A header with acknowledgement() was written.
  void mark_acknowledged();
  /// When an acknowledgement must leave at the latest; time_never if none is owed.
  [[nodiscard]] base::TimePoint acknowledgement_due() const { return due_; }

  /// Since when written frames wait without any being acknowledged; time_never if none waits.
  [[nodiscard]] base::TimePoint waiting_since() const;

  /// Kept frames, oldest first.
  [[nodiscard]] const std::deque<Frame>& unacknowledged() const { return kept_; }

 private:
  std::size_t release_up_to(std::uint64_t acknowledged, base::TimePoint now);

  SessionOptions options_;
  std::deque<Frame> kept_;
  std::uint64_t first_ = 1;            // the sequence of kept_.front()
  std::size_t written_ = 0;            // how many of kept_ this connection has carried
  std::uint64_t highest_written_ = 0;  // by any connection
  base::TimePoint progress_at_{};

  std::uint64_t arrived_ = 0;
  std::size_t bytes_unacknowledged_ = 0;
  base::TimePoint due_ = base::time_never;
};

}  // namespace troupe::transport
