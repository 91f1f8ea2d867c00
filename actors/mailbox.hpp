#pragma once

#include <atomic>
#include <cstdint>

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
/// Pony's message queue). Invariants:
///  1. tail_ is `idle` (empty, nobody runs the actor), `empty` (empty, the actor runs), or the last
///     block. Who exchanges `idle` away must schedule the actor.
///  2. A producer that replaced `idle` or `empty` publishes its block in first_; any other links
///     it behind the block that it replaced. So a block behind tail_ becomes reachable soon.
///  3. head_ belongs to the consumer. `handled_` means that head_ was taken and only waits to be
///     unlinked.
///  4. pushed_ - consumed_ is the number of blocks that are or will be in the lane.
class Mailbox {
 public:
  enum class Push { wake, queued, full };

  explicit Mailbox(std::uint32_t messages_max) : messages_max_(messages_max) {}
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Takes the block unless full. `wake`: the caller schedules the actor.
  [[nodiscard]] Push push(MessageBlock* block);
  /// Always takes the block. True: the caller schedules the actor.
  [[nodiscard]] bool push_control(MessageBlock* block);

  /// The oldest message, which stays in the mailbox until done() or detach(); null if there is none
  /// or its sender is just linking it.
  [[nodiscard]] MessageBlock* front();
  /// Frees the message of front().
  void done();
  /// Takes the message of front() out; the caller owns it.
  [[nodiscard]] MessageBlock* detach();
  /// The oldest control message, or null. The caller owns it.
  [[nodiscard]] MessageBlock* pop_control();
  [[nodiscard]] bool has_control() const {
    return control_head_ != nullptr || control_.load(std::memory_order_seq_cst) != nullptr;
  }
  /// Whether control was pushed since the last pop_control() that returned null; also for a turn that
  /// may just have been taken over by another thread.
  [[nodiscard]] bool control_came() const {
    return control_.load(std::memory_order_seq_cst) != nullptr;
  }
  /// Ends the turn: true if the actor is idle now and the next push wakes it; false if there is
  /// more to do.
  [[nodiscard]] bool try_idle();

  /// Messages in the user lane; exact when nobody pushes. Thread-safe.
  [[nodiscard]] std::uint32_t size() const {
    return pushed_.load(std::memory_order_acquire) - consumed_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint32_t messages_max() const {
    return messages_max_.load(std::memory_order_relaxed);
  }
  /// Takes effect for later pushes. Thread-safe.
  void set_messages_max(std::uint32_t messages_max) {
    messages_max_.store(messages_max, std::memory_order_relaxed);
  }

 private:
  static MessageBlock* idle() { return reinterpret_cast<MessageBlock*>(std::uintptr_t{1}); }
  static MessageBlock* empty() { return nullptr; }
  MessageBlock* unlink_head();

  std::atomic<MessageBlock*> tail_{idle()};
  std::atomic<MessageBlock*> first_{nullptr};
  std::atomic<MessageBlock*> control_{nullptr};
  std::atomic<std::uint32_t> pushed_{0};
  std::atomic<std::uint32_t> consumed_{0};
  MessageBlock* head_ = nullptr;
  MessageBlock* control_head_ = nullptr;
  std::atomic<std::uint32_t> messages_max_;
  bool handled_ = false;
};

}  // namespace troupe::actors
