#include "actors/mailbox_policy.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

std::size_t bytes_of(const MessageBlock& block) {
  const std::size_t header =
      sizeof(MessageBlock) + (block.is_answerable ? sizeof(ReplyAddress) : 0);
  if (block.type == nullptr) {
    return header + sizeof(MessageBlock::EncodedHead) + block.body().size();
  }
  return header + (block.type->bytes != nullptr ? block.type->bytes(block.value()) : 0);
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
  for (const auto& [of_level, level] : levels_) {
    for (const Queued& queued : level.messages) {
      kept += of_level > priority ? queued.bytes : 0;
    }
  }
  return kept + bytes <= policy_.bytes_max;
}

/// How far from the end where drops begin: there, or the crowder's nearest.
std::size_t PolicyLane::place_to_drop(Level& level, std::uint64_t crowder) const {
  if (crowder == nobody) {
    return 0;
  }
  if (std::exchange(level.crowder, crowder) != crowder) {
    level.others = 0;
  }
  const std::deque<Queued>& messages = level.messages;
  const bool from_front = policy_.overflow == Overflow::drop_oldest;
  for (; level.others < messages.size(); ++level.others) {
    const std::size_t place = from_front ? level.others : messages.size() - 1 - level.others;
    if (messages[place].block->sender.value == crowder) {
      return level.others;
    }
  }
  --level.others;  // one of them goes
  return 0;
}

/// From the lowest priority that is there.
MessageBlock* PolicyLane::drop_one(std::uint64_t crowder) {
  const auto lowest = std::prev(levels_.end());
  std::deque<Queued>& messages = lowest->second.messages;
  const auto place = static_cast<std::ptrdiff_t>(place_to_drop(lowest->second, crowder));
  const auto unlucky = policy_.overflow == Overflow::drop_oldest ? messages.begin() + place
                                                                 : messages.end() - 1 - place;
  const Queued dropped = *unlucky;
  messages.erase(unlucky);
  if (messages.empty()) {
    levels_.erase(lowest);
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
    while (can_make_room(bytes, priority) && !has_room(bytes) && !levels_.empty() &&
           levels_.rbegin()->first <= priority) {
      dropped.push_back(drop_one(options.crowder));
    }
  }
  const bool has_reserve =
      policy_.overflow == Overflow::wait || policy_.overflow == Overflow::reject;
  if (!has_room(bytes, options.into_reserve && has_reserve)) {
    return false;
  }
  Level& level = levels_[priority];
  level.messages.push_back({block, bytes, share});
  if (policy_.overflow == Overflow::drop_newest) {
    level.others = block->sender.value == level.crowder ? 0 : level.others + 1;
  }
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
  if (levels_.empty()) {
    return nullptr;
  }
  const auto highest = levels_.begin();
  Level& level = highest->second;
  const Queued first = level.messages.front();
  level.messages.pop_front();
  const bool from_front = policy_.overflow == Overflow::drop_oldest;
  level.others = from_front ? level.others - std::min<std::size_t>(level.others, 1)
                            : std::min(level.others, level.messages.size());
  if (level.messages.empty()) {
    levels_.erase(highest);
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
