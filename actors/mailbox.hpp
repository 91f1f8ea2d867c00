#pragma once

#include <cstdint>

#include "actors/atomics.hpp"
#include "actors/envelope.hpp"

namespace troupe::actors {

/// The queue between an actor and everyone who writes to it: a bounded user lane and an unbounded
/// control lane that no bound or order of the user lane touches.
///
/// Thread-safe: push() and push_control() from any thread; everything else only from the turn of
/// the actor that owns it. Owns its messages. A full mailbox refuses, it never blocks.
///
/// The user lane is an intrusive list with one atomic exchange a push. The message being handled
/// stays its head, so that going idle and seeing that nothing came is one compare-and-swap (after
/// Pony's message queue: Clebsch and Drossopoulou, OOPSLA 2013). Invariants:
///  1. tail_ is `idle` (empty, nobody runs the actor), `empty` (empty, the actor runs), or the last
///     block. Who exchanges `idle` away must schedule the actor.
///  2. A producer that replaced `idle` or `empty` publishes its block in head_; any other links it
///     behind the block that it replaced. So a block behind tail_ becomes reachable soon.
///  3. But for that, head_ belongs to the consumer, and is null before tail_ becomes `idle` or
///     `empty`. `handled_` means that the head was taken and only waits to be unlinked.
///  4. pushed_ - consumed_ is the number of blocks that are or will be in the lane, but for one: who
///     replaces `idle` by a block at his first attempt does not count it. That place is kept free
///     by first_is_uncounted_, which is set whenever the lane is `idle`, and as long as its head is
///     such a block. limit_ is messages_max_ less one beyond a value that consumed_ had: below it
///     there is room for certain.
///  5. What producers write with every message lies before what the consumer writes.
template <class Block, class Atomics = StdAtomics>
class BasicMailbox {
  template <class T>
  using Atomic = typename Atomics::template Atomic<T>;

 public:
  enum class Push { wake, queued, full };

  static constexpr std::uint32_t messages_limit = 1U << 30U;

  explicit BasicMailbox(std::uint32_t messages_max)
      : limit_(messages_max - 1), messages_max_(messages_max) {}
  ~BasicMailbox();
  BasicMailbox(const BasicMailbox&) = delete;
  BasicMailbox& operator=(const BasicMailbox&) = delete;

  /// Takes the block unless full; `extra` places beyond the bound count as room. `wake`: the caller
  /// schedules the actor.
  [[nodiscard]] Push push(Block* block, std::uint32_t extra = 0);
  /// Always takes the block. True: the caller schedules the actor.
  [[nodiscard]] bool push_control(Block* block);
  /// For what came to the actor beside both lanes, or to take its turn while it is idle. True: the
  /// caller schedules it.
  [[nodiscard]] bool wake();

  /// The oldest message, which stays in the mailbox until done() or detach(); null if there is none
  /// or its sender is just linking it.
  [[nodiscard]] Block* front();
  /// Frees the message of front().
  void done();
  /// Takes the message of front() out; the caller owns it.
  [[nodiscard]] Block* detach();
  /// The oldest control message, or null. The caller owns it.
  [[nodiscard]] Block* pop_control();
  [[nodiscard]] bool has_control() const { return control_head_ != nullptr || control_came(); }
  /// Whether control was pushed and not yet popped; also for a turn that may just have been taken
  /// over by another thread.
  [[nodiscard]] bool control_came() const {
    return control_.load(std::memory_order_seq_cst) != nullptr;
  }
  /// Ends the turn: true if the actor is idle now and the next push wakes it; false if there is
  /// more to do. `has_more`, read once the next push would wake it, tells of what is not in the
  /// mailbox; it may touch only what is atomic.
  template <class HasMore>
  [[nodiscard]] bool try_idle(HasMore&& has_more);
  [[nodiscard]] bool try_idle() {
    return try_idle([] { return false; });
  }

  /// Messages in the user lane; exact when nobody pushes. Thread-safe.
  [[nodiscard]] std::uint32_t size() const {
    // In this order: what was consumed was pushed before.
    const std::uint32_t consumed = consumed_.load(std::memory_order_acquire);
    const std::uint32_t counted = pushed_.load(std::memory_order_acquire) - consumed;
    const bool has_uncounted = first_is_uncounted_.load(std::memory_order_relaxed) &&
                               tail_.load(std::memory_order_relaxed) != idle();
    return counted + (has_uncounted ? 1 : 0);
  }
  [[nodiscard]] std::uint32_t messages_max() const {
    return messages_max_.load(std::memory_order_relaxed);
  }
  /// Takes effect for later pushes. From 1 to messages_limit. Thread-safe.
  void set_messages_max(std::uint32_t messages_max) {
    messages_max_.store(messages_max, std::memory_order_relaxed);
    limit_.store(consumed_.load(std::memory_order_acquire) + messages_max - 1,
                 std::memory_order_relaxed);
  }

 private:
  static Block* idle() { return reinterpret_cast<Block*>(std::uintptr_t{1}); }
  static Block* empty() { return nullptr; }
  bool has_room(std::uint32_t place, std::uint32_t extra);
  void count_consumed();

  Atomic<Block*> tail_{idle()};
  Atomic<std::uint32_t> pushed_{0};
  Atomic<std::uint32_t> limit_;
  Atomic<std::uint32_t> messages_max_;
  /// Written by the consumer, and by who exchanges `idle` away otherwise than by an uncounted block,
  /// before the actor is scheduled.
  Atomic<bool> first_is_uncounted_{true};
  Atomic<Block*> head_{nullptr};
  Atomic<Block*> control_{nullptr};
  Block* control_head_ = nullptr;
  Atomic<std::uint32_t> consumed_{0};
  bool handled_ = false;
};

using Mailbox = BasicMailbox<MessageBlock>;

template <class Block, class Atomics>
BasicMailbox<Block, Atomics>::~BasicMailbox() {
  while (Block* block = pop_control()) {
    destroy_block(block);
  }
  while (front() != nullptr) {
    done();
  }
  if (Block* head = head_.load(std::memory_order_relaxed)) {
    destroy_block(head);
  }
}

template <class Block, class Atomics>
inline typename BasicMailbox<Block, Atomics>::Push BasicMailbox<Block, Atomics>::push(
    Block* block, std::uint32_t extra) {
  block->next.store(nullptr, std::memory_order_relaxed);
  Block* before = tail_.load(std::memory_order_relaxed);
  if (before == idle() &&
      tail_.compare_exchange_strong(before, block, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
    head_.store(block, std::memory_order_release);  // pairs with the acquire in front()
    return Push::wake;
  }
  const std::uint32_t place = pushed_.fetch_add(1, std::memory_order_relaxed);
  if (static_cast<std::int32_t>(place - limit_.load(std::memory_order_relaxed)) >= 0 &&
      !has_room(place, extra)) [[unlikely]] {
    pushed_.fetch_sub(1, std::memory_order_relaxed);
    return Push::full;
  }
  before = tail_.exchange(block, std::memory_order_acq_rel);
  if (before == idle() || before == empty()) {
    if (before == idle()) {
      first_is_uncounted_.store(false, std::memory_order_relaxed);
    }
    head_.store(block, std::memory_order_release);  // pairs with the acquire in front()
    return before == idle() ? Push::wake : Push::queued;
  }
  before->next.store(block, std::memory_order_release);  // pairs with the acquire in front()
  return Push::queued;
}

template <class Block, class Atomics>
bool BasicMailbox<Block, Atomics>::has_room(std::uint32_t place, std::uint32_t extra) {
  const std::uint32_t consumed = consumed_.load(std::memory_order_acquire);
  const std::uint32_t limit = consumed + messages_max() - 1;
  limit_.store(limit, std::memory_order_relaxed);
  const std::uint32_t last = first_is_uncounted_.load(std::memory_order_relaxed) ? 0 : 1;
  return static_cast<std::int32_t>(place - (limit + last + extra)) < 0;
}

template <class Block, class Atomics>
bool BasicMailbox<Block, Atomics>::push_control(Block* block) {
  Block* before = control_.load(std::memory_order_relaxed);
  do {
    block->next.store(before, std::memory_order_relaxed);
    // seq_cst with the load of tail_ in wake() and with try_idle(): one of the two sees the other
  } while (!control_.compare_exchange_weak(before, block, std::memory_order_seq_cst,
                                           std::memory_order_relaxed));
  return wake();
}

template <class Block, class Atomics>
bool BasicMailbox<Block, Atomics>::wake() {
  Block* expected = idle();
  if (tail_.load(std::memory_order_seq_cst) != expected ||
      !tail_.compare_exchange_strong(expected, empty(), std::memory_order_seq_cst)) {
    return false;
  }
  first_is_uncounted_.store(false, std::memory_order_relaxed);
  return true;
}

template <class Block, class Atomics>
inline Block* BasicMailbox<Block, Atomics>::front() {
  Block* head = head_.load(std::memory_order_acquire);
  if (!handled_) {
    return head;
  }
  Block* next = head->next.load(std::memory_order_acquire);
  if (next != nullptr) {
    head_.store(next, std::memory_order_relaxed);
    handled_ = false;
    destroy_block(head);
  }
  return next;
}

template <class Block, class Atomics>
inline void BasicMailbox<Block, Atomics>::done() {
  handled_ = true;
  count_consumed();
}

template <class Block, class Atomics>
inline void BasicMailbox<Block, Atomics>::count_consumed() {
  if (first_is_uncounted_.load(std::memory_order_relaxed)) {
    first_is_uncounted_.store(false, std::memory_order_release);
  } else {
    consumed_.store(consumed_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
}

template <class Block, class Atomics>
Block* BasicMailbox<Block, Atomics>::detach() {
  Block* taken = head_.load(std::memory_order_relaxed);
  count_consumed();
  Block* next = taken->next.load(std::memory_order_acquire);
  if (next == nullptr) {
    head_.store(nullptr, std::memory_order_relaxed);
    Block* expected = taken;
    if (tail_.compare_exchange_strong(expected, empty(), std::memory_order_acq_rel)) {
      return taken;
    }
    // A producer has replaced tail_ and is about to link its block: a few instructions.
    while ((next = taken->next.load(std::memory_order_acquire)) == nullptr) {
    }
  }
  head_.store(next, std::memory_order_relaxed);
  return taken;
}

template <class Block, class Atomics>
Block* BasicMailbox<Block, Atomics>::pop_control() {
  if (control_head_ == nullptr) {
    Block* newest = control_.exchange(nullptr, std::memory_order_acq_rel);
    while (newest != nullptr) {
      Block* older = newest->next.load(std::memory_order_relaxed);
      newest->next.store(control_head_, std::memory_order_relaxed);
      control_head_ = newest;
      newest = older;
    }
  }
  Block* oldest = control_head_;
  if (oldest != nullptr) {
    control_head_ = oldest->next.load(std::memory_order_relaxed);
  }
  return oldest;
}

template <class Block, class Atomics>
template <class HasMore>
inline bool BasicMailbox<Block, Atomics>::try_idle(HasMore&& has_more) {
  if (control_head_ != nullptr || control_.load(std::memory_order_relaxed) != nullptr) {
    return false;
  }
  Block* const head = head_.load(std::memory_order_relaxed);
  Block* const last = handled_ ? head : nullptr;
  if (last != nullptr) {
    if (last->next.load(std::memory_order_relaxed) != nullptr) {
      return false;
    }
    // The head leaves the lane before others can run the actor: they must not find it.
    head_.store(nullptr, std::memory_order_relaxed);
    handled_ = false;
  } else if (head != nullptr) {
    return false;
  }
  first_is_uncounted_.store(true, std::memory_order_relaxed);
  Block* expected = last;
  if (!tail_.compare_exchange_strong(expected, idle(), std::memory_order_seq_cst)) {
    first_is_uncounted_.store(false, std::memory_order_relaxed);
    if (last != nullptr) {
      head_.store(last, std::memory_order_relaxed);
      handled_ = true;
    }
    return false;
  }
  if (last != nullptr) {
    destroy_block(last);
  }
  if (control_.load(std::memory_order_seq_cst) == nullptr && !has_more()) {
    return true;
  }
  expected = idle();
  if (!tail_.compare_exchange_strong(expected, empty(), std::memory_order_seq_cst)) {
    return true;
  }
  first_is_uncounted_.store(false, std::memory_order_relaxed);
  return false;
}

}  // namespace troupe::actors
