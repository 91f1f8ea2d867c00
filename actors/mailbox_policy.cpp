#include "actors/mailbox_policy.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

std::size_t bytes_of(const MessageBlock& block) {
  if (block.type == nullptr) {
    return sizeof(MessageBlock) + sizeof(MessageBlock::EncodedHead) + block.body().size();
  }
  return sizeof(MessageBlock) +
         (block.type->bytes != nullptr ? block.type->bytes(block.value()) : 0);
}

PolicyLane::~PolicyLane() {
  while (MessageBlock* block = pop()) {
    destroy_block(block);
  }
}

void PolicyLane::configure(const MailboxPolicy& policy, PriorityOf priority_of) {
  base::MutexLock lock{mutex_};
  policy_ = policy;
  priority_of_ = priority_of;
  shares_.reset();
  queued_by_share_.clear();
  is_divided_.store(false, std::memory_order_relaxed);
}

void PolicyLane::divide(std::shared_ptr<MailboxShares> shares) {
  base::MutexLock lock{mutex_};
  is_divided_.store(shares != nullptr, std::memory_order_relaxed);
  shares_ = std::move(shares);
}

/// Without the lock: the user's function is asked for the key.
std::uint32_t PolicyLane::share_of(const MessageBlock& block) const {
  if (!is_divided()) {
    return no_share;
  }
  std::shared_ptr<MailboxShares> shares;
  {
    base::MutexLock lock{mutex_};
    shares = shares_;
  }
  return shares ? shares->share_of(block) : no_share;
}

bool PolicyLane::is_share_full(std::uint32_t share) const {
  if (share == no_share || !shares_) {
    return false;
  }
  const std::uint32_t queued = share < queued_by_share_.size() ? queued_by_share_[share] : 0;
  return queued >= shares_->messages_max(share);
}

/// After a message was taken from its queue.
void PolicyLane::leave(const Queued& queued) {
  bytes_ -= queued.bytes;
  if (queued.share < queued_by_share_.size()) {
    --queued_by_share_[queued.share];
  }
  queued_.fetch_sub(1, std::memory_order_relaxed);
}

bool PolicyLane::has_room(std::size_t bytes, bool into_reserve) const {
  const std::uint32_t messages = into_reserve ? policy_.messages_max / 16 + 1 : 0;
  const std::size_t extra = into_reserve ? policy_.bytes_max / 16 : 0;
  return queued_.load(std::memory_order_relaxed) < std::uint64_t{policy_.messages_max} + messages &&
         (policy_.bytes_max == 0 ||
          (bytes <= policy_.bytes_max && bytes_ + bytes <= policy_.bytes_max + extra));
}

/// Whether dropping what has no higher priority would be enough.
bool PolicyLane::can_make_room(std::size_t bytes, int priority) const {
  if (policy_.bytes_max == 0) {
    return true;
  }
  std::size_t kept = 0;
  for (const auto& [level, queue] : queues_) {
    for (const Queued& queued : queue) {
      kept += level > priority ? queued.bytes : 0;
    }
  }
  return kept + bytes <= policy_.bytes_max;
}

/// From the lowest priority that is there.
MessageBlock* PolicyLane::drop_one(std::uint64_t crowder) {
  const auto lowest = std::prev(queues_.end());
  std::deque<Queued>& queue = lowest->second;
  // Most messages are the crowder's: one is near.
  const auto looked_at = static_cast<std::ptrdiff_t>(std::min<std::size_t>(queue.size(), 64));
  const auto is_crowders = [crowder](const Queued& queued) {
    return queued.block->sender.value == crowder;
  };
  auto unlucky = queue.begin();
  if (policy_.overflow == Overflow::drop_oldest) {
    const auto end = queue.begin() + looked_at;
    const auto found = std::find_if(queue.begin(), end, is_crowders);
    unlucky = found != end ? found : queue.begin();
  } else {
    const auto end = queue.rbegin() + looked_at;
    const auto found = std::find_if(queue.rbegin(), end, is_crowders);
    unlucky = std::prev((found != end ? found : queue.rbegin()).base());
  }
  const Queued dropped = *unlucky;
  queue.erase(unlucky);
  if (queue.empty()) {
    queues_.erase(lowest);
  }
  leave(dropped);
  size_.fetch_sub(1, std::memory_order_relaxed);
  return dropped.block;
}

bool PolicyLane::push(MessageBlock* block, std::vector<MessageBlock*>& dropped,
                      PushOptions options) {
  const std::uint32_t share = share_of(*block);
  base::MutexLock lock{mutex_};
  if (is_share_full(share)) {
    return false;
  }
  const std::size_t bytes = policy_.bytes_max != 0 ? bytes_of(*block) : 0;
  const int priority =
      policy_.by_priority && priority_of_ != nullptr ? priority_of_(block->type_id) : 0;
  if (policy_.overflow == Overflow::drop_newest || policy_.overflow == Overflow::drop_oldest) {
    while (can_make_room(bytes, priority) && !has_room(bytes) && !queues_.empty() &&
           queues_.rbegin()->first <= priority) {
      dropped.push_back(drop_one(options.crowder));
    }
  }
  const bool has_reserve =
      policy_.overflow == Overflow::wait || policy_.overflow == Overflow::reject;
  if (!has_room(bytes, options.into_reserve && has_reserve)) {
    return false;
  }
  queues_[priority].push_back({block, bytes, share});
  if (share != no_share) {
    queued_by_share_.resize(std::max<std::size_t>(queued_by_share_.size(), share + 1));
    ++queued_by_share_[share];
  }
  bytes_ += bytes;
  size_.fetch_add(1, std::memory_order_seq_cst);
  queued_.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

MessageBlock* PolicyLane::pop() {
  if (!has_messages()) {
    return nullptr;
  }
  base::MutexLock lock{mutex_};
  if (queues_.empty()) {
    return nullptr;
  }
  const auto highest = queues_.begin();
  const Queued first = highest->second.front();
  highest->second.pop_front();
  if (highest->second.empty()) {
    queues_.erase(highest);
  }
  leave(first);
  return first.block;
}

std::uint32_t PolicyLane::messages_max() const {
  base::MutexLock lock{mutex_};
  return policy_.messages_max;
}

bool PolicyLane::is_crowded() const {
  base::MutexLock lock{mutex_};
  return queued_.load(std::memory_order_relaxed) > policy_.messages_max / 2 ||
         bytes_ > policy_.bytes_max / 2;
}

bool PolicyLane::lets_senders_wait() const {
  base::MutexLock lock{mutex_};
  return policy_.overflow == Overflow::wait;
}

AnyRef PolicyLane::fallback() const {
  base::MutexLock lock{mutex_};
  return policy_.overflow == Overflow::fallback ? policy_.fallback : AnyRef{};
}

}  // namespace troupe::actors
