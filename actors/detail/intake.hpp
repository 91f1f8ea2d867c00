#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>

#include "actors/actor_cell.hpp"
#include "actors/detail/send_state.hpp"
#include "actors/mailbox_policy.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// What a cell has beside its mailbox once it was full, or has a policy: who waits for room, who
/// crowds, and the lane of the policy. Thread-safe where not said otherwise; kept by the cell.
struct ActorCell::Intake {
  base::Mutex mutex;
  std::deque<std::shared_ptr<Send::State>> waiting TROUPE_GUARDED_BY(mutex);
  /// When a timer looks for waits that took too long.
  base::TimePoint armed_for TROUPE_GUARDED_BY(mutex) = base::time_never;

  /// The turn's: how many of them its end lets in. One alone finds room for many messages and stays
  /// with the receiver on its worker; each further one finds less, and costs a wake-up.
  std::uint32_t let_in_a_turn = 1;

  PolicyLane lane;
  /// Of a lane that is not divided: whoever comes now is not to overtake those who wait.
  std::atomic<bool> has_waiting{false};
  /// Who waits was tried in this turn, and waits for a share that is full: no work for a turn.
  std::atomic<bool> waits_for_shares{false};

  void note_waiting() TROUPE_REQUIRES(mutex) {
    has_waiting.store(!waiting.empty() && !lane.is_divided(), std::memory_order_relaxed);
  }

  /// Fairness: while the mailbox is crowded, the turn counts whose messages it handles (the
  /// majority vote of Boyer and Moore, 1981). Whoever is not the sender of most of them may use a
  /// reserve, and where messages are dropped, that sender's come first. All plain threads together
  /// are one sender. The vote outlasts the crowd for a while, which often comes again before the
  /// votes of one turn could tell.
  static constexpr std::uint64_t nobody = PolicyLane::nobody;
  /// A quarter of a mailbox says who crowds it; in a large one, more than one full turn.
  static constexpr std::uint32_t votes_to_dominate(std::uint32_t messages_max) {
    return std::clamp(messages_max / 4, 16U, 2048U);
  }
  std::atomic<std::uint64_t> dominant{nobody};
  /// The turn's.
  std::uint64_t candidate = nobody;
  std::uint32_t votes = 0;
  /// Of the dominant sender's messages, what was dropped: votes for it, too, or it would soon count
  /// as one among others.
  std::atomic<std::uint32_t> dropped{0};

  void vote(std::uint64_t sender, std::uint32_t messages_max) {
    const std::uint32_t needed = votes_to_dominate(messages_max);
    if (dropped.load(std::memory_order_relaxed) != 0) {
      const std::uint32_t count = dropped.exchange(0, std::memory_order_relaxed);
      if (candidate == dominant.load(std::memory_order_relaxed)) {
        votes = std::min(votes + std::min(count, needed), 2 * needed);
      }
    }
    if (sender == candidate) {
      votes = std::min(votes + 1, 2 * needed);
    } else if (votes == 0) {
      candidate = sender;
      votes = 1;
    } else {
      --votes;
    }
    const std::uint64_t leader = votes >= needed ? candidate : nobody;
    if (dominant.load(std::memory_order_relaxed) != leader &&
        (leader != nobody || votes < needed / 4)) {
      dominant.store(leader, std::memory_order_relaxed);
    }
  }
  /// The crowd is over, perhaps for the moment.
  void age_vote() {
    votes /= 2;
    if (votes == 0) {
      forget_vote();
    }
  }
  void forget_vote() {
    candidate = nobody;
    votes = 0;
    dominant.store(nobody, std::memory_order_relaxed);
  }
};

}  // namespace troupe::actors
