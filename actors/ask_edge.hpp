#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "actors/atomics.hpp"
#include "base/ids.hpp"

namespace troupe::actors {

/// An actor's wait for another one's answer, and its name, for others to follow; see AskGraph.
///
/// begin() and end() belong to the actor's turn, the looks to anybody. Lock-free. Invariants:
///  1. target_ is set last and reset first.
///  2. Who begins and then follows the chain sees every edge that was begun before, in the one
///     order of the sequentially consistent operations: of those who close a ring together, at
///     least one sees it whole. So does who forwards a request, which moves the edge's end: the
///     target stays, BasicRequestHolder says where the request is.
///  3. What was read is of one wait, or of two with one target: still_waits_for() is asked after.
template <class Atomics = StdAtomics>
class alignas(64) BasicAskEdge {
 public:
  /// Of the actor's name, 40 bytes.
  using Name = std::array<std::uint64_t, 5>;
  struct View {
    base::ActorId target;  ///< 0: it waits for nobody
    base::ActorId request;
    Name name{};
  };

  void begin(base::ActorId waiter, const View& wait) {
    waiter_.store(waiter.value, std::memory_order_relaxed);
    request_.store(wait.request.value, std::memory_order_relaxed);
    for (std::size_t i = 0; i < name_.size(); ++i) {
      name_[i].store(wait.name[i], std::memory_order_relaxed);
    }
    target_.store(wait.target.value, std::memory_order_seq_cst);
  }
  void end() { target_.store(0, std::memory_order_seq_cst); }

  /// Of this actor, which may share the place with earlier ones.
  [[nodiscard]] View look(base::ActorId waiter) const {
    View seen{{target_.load(std::memory_order_seq_cst)}, {}};
    if (!seen.target || waiter_.load(std::memory_order_relaxed) != waiter.value) {
      return {};
    }
    seen.request = {request_.load(std::memory_order_relaxed)};
    for (std::size_t i = 0; i < name_.size(); ++i) {
      seen.name[i] = name_[i].load(std::memory_order_relaxed);
    }
    return seen;
  }
  [[nodiscard]] bool still_waits_for(base::ActorId target) const {
    return target_.load(std::memory_order_acquire) == target.value;
  }

 private:
  using Number = typename Atomics::template Atomic<std::uint64_t>;
  Number waiter_{0};
  Number target_{0};
  Number request_{0};
  std::array<Number, 5> name_{};
};

/// Who must answer the requests of one place, used for one after another, beside whom each was sent
/// to. Thread-safe and lock-free; the marks belong to who has the right to answer. Invariant: a
/// mark names its request, so that those of an earlier one say nothing of a later one.
template <class Atomics = StdAtomics>
class BasicRequestHolder {
 public:
  /// Anybody may answer it from now on.
  void pass_on(base::ActorId request) {
    forwarded_.store(0, std::memory_order_release);
    passed_on_.store(request.value, std::memory_order_release);
  }
  void forward(base::ActorId request, base::ActorId to) {
    forwarded_to_.store(to.value, std::memory_order_release);
    passed_on_.store(request.value, std::memory_order_release);
    // seq_cst with the edges: of those who close a ring, one sees it whole
    forwarded_.store(request.value, std::memory_order_seq_cst);
  }
  /// Of an open request that was sent to `receiver`; 0 where it is not known.
  [[nodiscard]] base::ActorId holder_of(base::ActorId request, base::ActorId receiver) const {
    if (forwarded_.load(std::memory_order_seq_cst) == request.value) {
      const base::ActorId to{forwarded_to_.load(std::memory_order_acquire)};
      return forwarded_.load(std::memory_order_acquire) == request.value ? to : base::ActorId{};
    }
    return passed_on_.load(std::memory_order_acquire) == request.value ? base::ActorId{} : receiver;
  }

 private:
  using Number = typename Atomics::template Atomic<std::uint64_t>;
  /// The last request whose right to answer was passed on.
  Number passed_on_{0};
  /// The last request that was forwarded, and to whom.
  Number forwarded_{0};
  Number forwarded_to_{0};
};

/// The edges, followed: `edge_of(actor)`, null if it has none, and `holder_of(request, target)`, 0
/// where nobody is known.
template <class EdgeOf, class HolderOf>
struct AskGraph {
  static constexpr std::uint32_t hops_max = 64;
  EdgeOf edge_of;
  HolderOf holder_of;

  /// The waits from `at` on, in the order of the chain. False: they do not lead to `waiter` in at
  /// most hops_max, or not all of them were there at once.
  template <class View>
  [[nodiscard]] bool find_ring(base::ActorId at, base::ActorId waiter,
                               std::vector<View>& ring) const {
    if (!leads_to(at, waiter, ring)) {
      return false;
    }
    // A request is awaited once: what is there before and after is there between. What closes the
    // ring last finds it whole twice.
    std::vector<View> again;
    return leads_to(at, waiter, again) &&
           std::equal(ring.begin(), ring.end(), again.begin(), again.end(),
                      [](const View& a, const View& b) { return a.request == b.request; });
  }
  /// What `waiter` waits for with this very request; no target if for nothing.
  [[nodiscard]] auto wait_of(base::ActorId waiter, base::ActorId request) const {
    const auto* edge = edge_of(waiter);
    auto seen = edge != nullptr ? edge->look(waiter) : decltype(edge->look(waiter)){};
    const bool is_it = seen.target && seen.request == request && edge->still_waits_for(seen.target);
    return is_it ? seen : decltype(seen){};
  }

 private:
  template <class View>
  [[nodiscard]] bool leads_to(base::ActorId at, base::ActorId waiter,
                              std::vector<View>& way) const {
    for (std::uint32_t hop = 0; hop < hops_max; ++hop) {
      if (at == waiter) {
        return true;
      }
      const auto* edge = edge_of(at);
      if (edge == nullptr) {
        return false;
      }
      const View seen = edge->look(at);
      if (!seen.target) {
        return false;
      }
      // A request that was answered, or whose right to answer was kept, holds nobody responsible.
      const base::ActorId holder = holder_of(seen.request, seen.target);
      if (!holder || !edge->still_waits_for(seen.target)) {
        return false;
      }
      way.push_back(seen);
      at = holder;
    }
    return false;
  }
};
template <class EdgeOf, class HolderOf>
AskGraph(EdgeOf, HolderOf) -> AskGraph<EdgeOf, HolderOf>;

}  // namespace troupe::actors
