#pragma once

#include <cstdint>
#include <utility>

#include "actors/atomics.hpp"

namespace troupe::actors {

/// The place of an open request, used for one after another: a reply, a failure or a close ends
/// each, whichever comes first, and who waits for it is woken once.
///
/// Thread-safe, and lock-free but for who looks while another one fills: that takes a few
/// instructions. open() belongs to who took the closed place, is_ready() to take() to who asked
/// then; fill(), close() and the looks to anybody. Owns the reply until it is taken. `Release` is
/// called when a use is over, and the place may be opened again from there on.
///
/// Types: Reply, movable; Suspension, which can be copied and has resume(); Function, a movable
/// pointer to what is called with the reply; BlockedThread, with wake().
///
/// Invariants
///   1. state_ is the generation and a Status. Whatever names another generation changes nothing:
///      a state is replaced only as long as it is the one that was looked at.
///   2. reply_ and the waiter's fields belong to who asked while `open`; to who changed `open` or
///      `waiting` to `filling`, until it ends that; to who asked again once `ready`; and to who
///      made it `closed`, until it releases the place.
///   3. Only fill() fills, and only one of those who try.
///   4. What ends `waiting` has the waiter, alone: fill() wakes it, close() drops it, and who asked
///      takes it back to wait otherwise. Who fills takes it out before it says so.
///   5. Only one changes a generation to `closed`, and only it releases the place.
template <class Types, class Atomics = StdAtomics>
class BasicReplySlot {
  using Reply = typename Types::Reply;
  using Suspension = typename Types::Suspension;
  using Function = typename Types::Function;
  using BlockedThread = typename Types::BlockedThread;
  enum class Kind : std::uint8_t { coroutine, function, thread };

 public:
  enum class Status : std::uint8_t { closed, open, waiting, filling, ready };
  static constexpr std::uint32_t generation_mask = 0x7FFFFFFFU;

  struct View {
    std::uint32_t generation;
    Status status;
    /// A reply would still be taken.
    [[nodiscard]] bool is_open() const {
      return status == Status::open || status == Status::waiting;
    }
  };
  [[nodiscard]] View look(std::memory_order order = std::memory_order_seq_cst) const {
    return view_of(state_.load(order));
  }
  /// Waits until nobody fills.
  [[nodiscard]] View look_settled() const { return view_of(settled()); }

  /// Of a closed place: the generation of its new use.
  [[nodiscard]] std::uint32_t open() {
    const std::uint64_t state =
        with_status(state_.load(std::memory_order_relaxed) + generation_step, Status::open);
    // seq_cst with look(): a sweep that looks sees it, or who opened it sees that the sweep is
    // over.
    state_.store(state, std::memory_order_seq_cst);
    return view_of(state).generation;
  }

  [[nodiscard]] bool is_ready() const { return look_settled().status == Status::ready; }

  /// Resumes `waiting`, and nobody before it, with the reply; false if it is there already.
  [[nodiscard]] bool resume_when_ready(std::uint32_t generation, const Suspension& waiting) {
    std::uint64_t state = settled();
    while (view_of(state).status == Status::waiting &&
           !state_.compare_exchange_weak(state, with_status(state, Status::open),
                                         std::memory_order_acq_rel)) {
      state = settled();
    }
    if (view_of(state).status == Status::ready) {
      return false;
    }
    suspended_ = waiting;
    return add_waiter(generation, Kind::coroutine);
  }
  /// Calls the function with the reply, and closes. False, and gives it back, if it is there
  /// already.
  [[nodiscard]] bool call_when_ready(std::uint32_t generation, Function& function) {
    function_ = std::move(function);
    if (add_waiter(generation, Kind::function)) {
      return true;
    }
    function = std::move(function_);
    return false;
  }
  /// Wakes the thread with the reply, which it then takes. False if it is there already.
  [[nodiscard]] bool wake_when_ready(std::uint32_t generation, BlockedThread& blocked) {
    if (is_ready()) {
      return false;
    }
    blocked_ = &blocked;
    return add_waiter(generation, Kind::thread);
  }
  /// Of a place that is ready, and closed by this.
  template <class Release>
  [[nodiscard]] Reply take(Release&& release) {
    Reply reply = std::move(reply_);
    state_.store(with_status(state_.load(std::memory_order_relaxed), Status::closed),
                 std::memory_order_release);
    release();
    return reply;
  }

  /// False, and nothing is taken, if the generation is over or has its reply.
  template <class Release>
  [[nodiscard]] bool fill(std::uint32_t generation, Reply&& reply, Release&& release);

  /// Drops the reply or the waiter, if the generation is not over.
  template <class Release>
  void close(std::uint32_t generation, Release&& release);

 private:
  static constexpr unsigned status_bits = 8;
  static constexpr std::uint64_t generation_step = std::uint64_t{1} << status_bits;

  static View view_of(std::uint64_t state) {
    return {static_cast<std::uint32_t>(state >> status_bits) & generation_mask,
            static_cast<Status>(state & (generation_step - 1))};
  }
  static std::uint64_t with_status(std::uint64_t state, Status status) {
    return (state & ~(generation_step - 1)) | static_cast<std::uint64_t>(status);
  }

  [[nodiscard]] std::uint64_t settled() const {
    for (;;) {
      const std::uint64_t now = state_.load(std::memory_order_acquire);
      if (view_of(now).status != Status::filling) {
        return now;
      }
    }
  }

  /// Publishes the waiter's fields; false if the reply is there already.
  [[nodiscard]] bool add_waiter(std::uint32_t generation, Kind kind) {
    kind_ = kind;
    std::uint64_t state = settled();
    while (view_of(state).generation == generation && view_of(state).status == Status::open) {
      // The release pairs with the acquire of who fills.
      if (state_.compare_exchange_weak(state, with_status(state, Status::waiting),
                                       std::memory_order_acq_rel)) {
        return true;
      }
      state = settled();
    }
    return view_of(state).generation != generation || view_of(state).status != Status::ready;
  }

  void keep(std::uint64_t state, Reply&& reply) {
    reply_ = std::move(reply);
    // Pairs with the acquire in settled().
    state_.store(with_status(state, Status::ready), std::memory_order_release);
  }

  typename Atomics::template Atomic<std::uint64_t> state_{0};
  Reply reply_{};
  Suspension suspended_{};
  Function function_{};
  BlockedThread* blocked_ = nullptr;
  Kind kind_ = Kind::coroutine;
};

template <class Types, class Atomics>
template <class Release>
bool BasicReplySlot<Types, Atomics>::fill(std::uint32_t generation, Reply&& reply,
                                          Release&& release) {
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  do {
    if (view_of(state).generation != generation || !view_of(state).is_open()) {
      return false;
    }
  } while (!state_.compare_exchange_weak(state, with_status(state, Status::filling),
                                         std::memory_order_acq_rel, std::memory_order_relaxed));
  if (view_of(state).status == Status::open) {
    keep(state, std::move(reply));
    return true;
  }
  switch (kind_) {
    case Kind::coroutine: {
      const Suspension suspended = suspended_;
      keep(state, std::move(reply));
      suspended.resume();
      break;
    }
    case Kind::function: {
      const Function function = std::move(function_);
      state_.store(with_status(state, Status::closed), std::memory_order_release);
      release();
      (*function)(std::move(reply));
      break;
    }
    case Kind::thread: {
      BlockedThread& blocked = *blocked_;
      keep(state, std::move(reply));
      blocked.wake();
      break;
    }
  }
  return true;
}

template <class Types, class Atomics>
template <class Release>
void BasicReplySlot<Types, Atomics>::close(std::uint32_t generation, Release&& release) {
  for (;;) {
    std::uint64_t state = settled();
    if (view_of(state).generation != generation || view_of(state).status == Status::closed) {
      return;
    }
    if (state_.compare_exchange_weak(state, with_status(state, Status::closed),
                                     std::memory_order_seq_cst)) {
      break;
    }
  }
  // Destroyed at the end: it may hold a right to reply, which uses the table.
  const Function unused = std::move(function_);
  const Reply dropped = std::move(reply_);
  release();
}

}  // namespace troupe::actors
