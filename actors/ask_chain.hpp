#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ask_edge.hpp"
#include "base/ids.hpp"

namespace troupe::actors {

class PendingRequests;

/// Who waits for whom with a held mailbox: the edges along which actors could wait for each other
/// in a ring (Chandy, Misra, Haas: Distributed Deadlock Detection, 1983; here in one memory).
///
/// Thread-safe and lock-free, see ask_edge.hpp; begin() and end() for one waiter belong to its
/// turn. One line of 64 bytes an actor, 1024 together, allocated when the first of them waits.
/// Whose edge is still there after a request to it was closed has not handled it: end() and the
/// actor's next look at its mailbox keep their order.
class AskChains {
 public:
  static constexpr std::uint32_t entries_a_chunk = 1024;

  using Entry = BasicAskEdge<>;
  struct Wait {
    base::ActorId waiter;
    base::ActorId target;
    base::ActorId request;
    std::string_view name;  ///< of the waiter
  };
  /// The names from the first waiter to itself, and the requests between them.
  struct Ring {
    std::string text;
    std::vector<base::ActorId> requests;
  };

  explicit AskChains(std::uint32_t actors_max);
  ~AskChains();
  AskChains(const AskChains&) = delete;
  AskChains& operator=(const AskChains&) = delete;

  [[nodiscard]] Entry& begin(const Wait& wait);
  static void end(Entry& entry) { entry.end(); }

  /// The ring that this wait closes, from its `target` on; empty text if there is none of at most
  /// AskGraph's hops_max.
  [[nodiscard]] Ring find_ring(const Wait& wait, const PendingRequests& requests) const;
  /// The same for who waits for a request that was just forwarded.
  [[nodiscard]] Ring find_ring_of(base::ActorId request, const PendingRequests& requests) const;

  /// Whom an actor waits for with a held mailbox; 0 if for nobody in this process. A moment's view.
  [[nodiscard]] base::ActorId awaited_by(base::ActorId waiter) const;

 private:
  struct Chunk;
  [[nodiscard]] Entry* entry_of(base::ActorId actor) const;
  [[nodiscard]] auto graph(const PendingRequests& requests) const;

  const std::uint32_t chunk_count_;
  std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
};

}  // namespace troupe::actors
