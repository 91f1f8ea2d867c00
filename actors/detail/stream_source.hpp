#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "actors/actor_ref.hpp"
#include "actors/actor_system.hpp"
#include "actors/suspension.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// To a stream's source: so many more items are wanted, there.
struct StreamDemand {
  std::uint64_t items = 0;
  AnyRef to;
  TROUPE_MESSAGE(StreamDemand, items, to)
};

/// Numbered from 0 without a gap.
template <class T>
struct StreamItem {
  std::uint64_t number = 0;
  T value{};
  TROUPE_MESSAGE(StreamItem, number, value)
};

struct StreamEnd {
  std::uint64_t items = 0;  ///< that were sent
  bool is_complete = false;
  AskError error;  ///< unless it is complete
  TROUPE_MESSAGE(StreamEnd, items, is_complete, error)
};

namespace detail {

/// What the writer and its source share. Thread-safe.
class StreamDoor {
 public:
  enum class Entry : std::uint8_t { granted, wait, over };

  /// Takes the right to send one item.
  [[nodiscard]] Entry enter();
  /// Wakes the writer when there is credit or the end; one at a time.
  void wait(Suspension writer);
  /// Sends an item that enter() granted.
  [[nodiscard]] base::Outcome send(Envelope item);
  [[nodiscard]] std::uint64_t next_number() { return sent_++; }
  /// Only the first end counts.
  void end(bool is_complete, AskError error);
  [[nodiscard]] bool is_over() const;
  /// Keeps two things, for who counts its streams: until the writer has nothing more to write, and
  /// until the reader has all of it.
  void hold(std::shared_ptr<void> until_written, std::shared_ptr<void> until_read);

  // The source's side.
  void demand(const StreamDemand& demand);
  /// Nobody reads any more.
  void close();

 private:
  mutable base::Mutex mutex_;
  AnyRef reader_ TROUPE_GUARDED_BY(mutex_);
  std::uint64_t credit_ TROUPE_GUARDED_BY(mutex_) = 0;
  std::optional<StreamEnd> end_ TROUPE_GUARDED_BY(mutex_);
  bool is_closed_ TROUPE_GUARDED_BY(mutex_) = false;
  Suspension writer_ TROUPE_GUARDED_BY(mutex_);
  std::shared_ptr<void> until_written_ TROUPE_GUARDED_BY(mutex_);
  std::shared_ptr<void> until_read_ TROUPE_GUARDED_BY(mutex_);
  std::uint64_t sent_ = 0;  // the writer's
};

/// Spawns the source as a child of the actor that runs now; an empty reference if that is ending.
[[nodiscard]] ActorRef<Protocol<StreamDemand>> spawn_source(ActorCell& cell,
                                                            std::shared_ptr<StreamDoor> door);

}  // namespace detail

}  // namespace troupe::actors
