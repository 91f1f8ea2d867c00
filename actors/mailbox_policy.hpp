#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "actors/actor_ref.hpp"
#include "actors/envelope.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// What a full mailbox does with one message more. What it drops becomes a dead letter with the
/// reason mailbox_full, and its asker is told not_run.
enum class Overflow : std::uint8_t {
  wait,         ///< refuses; who used `co_await send` waits for room, in the order of coming
  reject,       ///< refuses, also who would wait
  drop_newest,  ///< takes it, and drops the newest of those in the mailbox; where one sender
                ///< crowds, of that sender's
  drop_oldest,  ///< the same with the oldest
  fallback,     ///< passes it on to another actor, whose outcome it is
};

/// What an actor's mailbox takes, beyond a plain bound by count. Each field's default costs
/// nothing.
///
/// With any policy, and with none, others keep a sixteenth of the room where most of the messages
/// that were handled or dropped lately came from one sender; all plain threads are one sender.
struct MailboxPolicy {
  std::uint32_t messages_max = 10'000;
  /// Bytes of all messages together, of typed values with what their strings and lists hold; 0:
  /// only the count is bounded. A message larger than this is never taken.
  std::size_t bytes_max = 0;
  Overflow overflow = Overflow::wait;
  /// Handles messages with a higher `static constexpr int priority` first (default 0, from -128 to
  /// 127), those of one priority in the order of coming. Drops come from the lowest priority.
  bool by_priority = false;
  /// For Overflow::fallback. A message that was passed on once is not passed on again.
  AnyRef fallback;
};

/// How the room in one actor's mailbox is divided among those to whom it passes messages on, so
/// that one of them who is slow does not fill it for all. Thread-safe.
class MailboxShares {
 public:
  virtual ~MailboxShares() = default;

  /// Whose share a message takes, from 0; ~0: nobody's. Called by senders, without the lane's lock.
  [[nodiscard]] virtual std::uint32_t share_of(const MessageBlock& message) = 0;
  /// How many messages of the share may be in the mailbox now. Calls nobody.
  [[nodiscard]] virtual std::uint32_t messages_max(std::uint32_t share) = 0;
};

/// The user lane of a mailbox with a policy: bounded queues by priority under a lock.
///
/// Thread-safe; pop() and done() belong to the actor's turn. Owns its messages. Full, it does as
/// the policy says and never blocks.
class PolicyLane {
 public:
  /// How to tell the priority of a message by its number.
  using PriorityOf = int (*)(std::uint32_t type_id);

  PolicyLane() = default;
  ~PolicyLane();
  PolicyLane(const PolicyLane&) = delete;
  PolicyLane& operator=(const PolicyLane&) = delete;

  /// Before the actor takes its first message.
  void configure(const MailboxPolicy& policy, PriorityOf priority_of);

  static constexpr std::uint64_t nobody = ~std::uint64_t{0};
  struct PushOptions {
    /// Where the policy refuses, a sixteenth and one more counts as room.
    bool into_reserve = false;
    /// The sender of most messages: where the policy drops, some of its come first.
    std::uint64_t crowder = nobody;
  };

  /// From now on a message of a share without room is refused, whatever the policy says. Null: not.
  void divide(std::shared_ptr<MailboxShares> shares);

  /// False: there is no room, and the block stays with the caller. `dropped` gets what had to make
  /// room; the caller owns it.
  [[nodiscard]] bool push(MessageBlock* block, std::vector<MessageBlock*>& dropped,
                          PushOptions options);
  /// The next message, or null. It counts in size() until done(). The caller owns it.
  [[nodiscard]] MessageBlock* pop();
  void done() { size_.fetch_sub(1, std::memory_order_release); }

  /// Messages queued or in the actor's hands.
  [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_seq_cst); }
  [[nodiscard]] bool has_messages() const { return queued_.load(std::memory_order_seq_cst) != 0; }
  /// Of the policy in force.
  [[nodiscard]] std::uint32_t messages_max() const;
  /// More than half full.
  [[nodiscard]] bool is_crowded() const;
  [[nodiscard]] bool lets_senders_wait() const;
  [[nodiscard]] bool is_divided() const { return is_divided_.load(std::memory_order_relaxed); }
  [[nodiscard]] AnyRef fallback() const;

 private:
  struct Queued {
    MessageBlock* block = nullptr;
    std::size_t bytes = 0;
    std::uint32_t share = no_share;
  };
  /// The messages of one priority.
  struct Level {
    std::deque<Queued> messages;
    /// So many at the end where drops begin are known not to be this sender's: each message is
    /// looked at once.
    std::size_t others = 0;
    std::uint64_t crowder = nobody;
  };
  static constexpr std::uint32_t no_share = ~std::uint32_t{0};
  [[nodiscard]] bool has_room(std::size_t bytes, bool into_reserve = false) const
      TROUPE_REQUIRES(mutex_);
  [[nodiscard]] std::uint32_t share_of(const MessageBlock& block) const;
  [[nodiscard]] bool is_share_full(std::uint32_t share) const TROUPE_REQUIRES(mutex_);
  void leave(const Queued& queued) TROUPE_REQUIRES(mutex_);
  [[nodiscard]] bool can_make_room(std::size_t bytes, int priority) const TROUPE_REQUIRES(mutex_);
  [[nodiscard]] MessageBlock* drop_one(std::uint64_t crowder) TROUPE_REQUIRES(mutex_);
  [[nodiscard]] std::size_t place_to_drop(Level& level, std::uint64_t crowder) const
      TROUPE_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  MailboxPolicy policy_ TROUPE_GUARDED_BY(mutex_);
  PriorityOf priority_of_ TROUPE_GUARDED_BY(mutex_) = nullptr;
  /// By falling priority; none is empty.
  std::map<int, Level, std::greater<>> levels_ TROUPE_GUARDED_BY(mutex_);
  std::size_t bytes_ TROUPE_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<MailboxShares> shares_ TROUPE_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> queued_by_share_ TROUPE_GUARDED_BY(mutex_);
  std::atomic<bool> is_divided_{false};
  std::atomic<std::uint32_t> queued_{0};
  std::atomic<std::uint32_t> size_{0};
};

/// What a message takes up: its block and what its value holds elsewhere.
[[nodiscard]] std::size_t bytes_of(const MessageBlock& block);

}  // namespace troupe::actors
