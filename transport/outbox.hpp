#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "base/outcome.hpp"
#include "transport/frame.hpp"

namespace troupe::transport {

/// Who may take the room beyond an outbox's bound.
enum class Room : std::uint8_t { of_messages, of_notices };

struct OutboxOptions {
  /// Bytes that wait or are not acknowledged yet; a record beyond it ends as mailbox_full.
  std::size_t bytes_max = 64U << 20U;
  /// Room beyond it that only notices take.
  std::size_t notice_bytes_max = 1U << 20U;
  /// A batch takes no further record beyond this size.
  std::size_t batch_bytes_max = 64U << 10U;
};

/// The records on their way to one lane of one peer, gathered into batches without a timer: what
/// comes while the last batch is being written goes into the next one.
///
/// Thread-safe: push() from any thread; the rest from the transport's thread. Owns the bytes until
/// take(). A full outbox refuses; it never blocks.
class Outbox {
 public:
  /// A frame with room for its header in front.
  struct Gathered {
    base::Bytes frame;
    std::uint32_t record_count = 0;
  };
  struct Pushed {
    base::Outcome outcome;
    bool ring;  ///< the transport's thread does not know that something lies here
  };

  explicit Outbox(OutboxOptions options) : options_(options) {}

  [[nodiscard]] Pushed push(base::ByteView record, Room room = Room::of_messages)
      TROUPE_EXCLUDES(mutex_);

  /// The next batch; nothing means empty, and that the next push() rings.
  [[nodiscard]] std::optional<Gathered> take() TROUPE_EXCLUDES(mutex_);
  /// So many bytes of taken frames were acknowledged: they make room. True: a notice was refused
  /// since this was last true.
  [[nodiscard]] bool release(std::size_t bytes) TROUPE_EXCLUDES(mutex_);
  /// Every later push() ends as node_lost; returns what was not taken.
  [[nodiscard]] std::vector<Gathered> close() TROUPE_EXCLUDES(mutex_);

  [[nodiscard]] std::size_t bytes() const TROUPE_EXCLUDES(mutex_);

 private:
  void seal() TROUPE_REQUIRES(mutex_);

  const OutboxOptions options_;
  mutable base::Mutex mutex_;
  Gathered open_ TROUPE_GUARDED_BY(mutex_);
  std::deque<Gathered> sealed_ TROUPE_GUARDED_BY(mutex_);
  std::size_t bytes_ TROUPE_GUARDED_BY(mutex_) = 0;
  std::size_t reserve_bytes_ TROUPE_GUARDED_BY(mutex_) = 512;
  bool known_ TROUPE_GUARDED_BY(mutex_) = false;
  bool refused_notice_ TROUPE_GUARDED_BY(mutex_) = false;
  bool closed_ TROUPE_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe::transport
