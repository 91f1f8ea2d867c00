#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace troupe::actors {

class PendingRequests;

/// Who waits for whom with a held mailbox: the edges along which actors could wait for each other
/// in a ring (Chandy, Misra, Haas: Distributed Deadlock Detection, 1983; here in one memory).
///
/// Thread-safe and lock-free; begin() and end() for one waiter belong to its turn. One line of 64
/// bytes an actor, 1024 together, allocated when the first of them waits. Invariants:
///  1. An entry is written by its actor's turn only; `target` is set last and reset first.
///  2. Who sets its edge and then looks along the chain sees every edge that was set before, in the
///     one order of the sequentially consistent stores: of those that close a ring together, at
///     least one sees it whole. So does who forwards a request, which moves the edge's end: the
///     entry keeps its target, PendingRequests::holder_of() says where the request is.
///  3. Whose edge is still there after a request to it was closed has not handled it: end() and the
///     actor's next look at its mailbox keep their order as well.
class AskChains {
 public:
  static constexpr std::uint32_t entries_a_chunk = 1024;
  static constexpr std::uint32_t hops_max = 64;

  struct alignas(64) Entry {
    std::atomic<std::uint64_t> waiter{0};
    std::atomic<std::uint64_t> target{0};
    std::atomic<std::uint64_t> request{0};
    std::array<std::atomic<std::uint64_t>, 5> name{};  ///< cut to its first 40 bytes
  };
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
  static void end(Entry& entry) { entry.target.store(0, std::memory_order_seq_cst); }

  /// The ring that this wait closes, from its `target` on; empty text if there is none of at most
  /// hops_max.
  [[nodiscard]] Ring find_ring(const Wait& wait, const PendingRequests& requests) const;
  /// The same for who waits for a request that was just forwarded.
  [[nodiscard]] Ring find_ring_of(base::ActorId request, const PendingRequests& requests) const;

  /// Whom an actor waits for with a held mailbox; 0 if for nobody in this process. A moment's view.
  [[nodiscard]] base::ActorId awaited_by(base::ActorId waiter) const;

 private:
  struct Chunk;
  [[nodiscard]] Entry* entry_of(base::ActorId actor) const;

  const std::uint32_t chunk_count_;
  std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
};

}  // namespace troupe::actors
