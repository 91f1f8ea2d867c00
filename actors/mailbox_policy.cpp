#include "actors/mailbox_policy.hpp"

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
}

bool PolicyLane::has_room(std::size_t bytes) const {
  return queued_.load(std::memory_order_relaxed) < policy_.messages_max &&
         (policy_.bytes_max == 0 || bytes_ + bytes <= policy_.bytes_max);
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
MessageBlock* PolicyLane::drop_one() {
  const auto lowest = std::prev(queues_.end());
  std::deque<Queued>& queue = lowest->second;
  const bool drops_oldest = policy_.overflow == Overflow::drop_oldest;
  const Queued dropped = drops_oldest ? queue.front() : queue.back();
  drops_oldest ? queue.pop_front() : queue.pop_back();
  if (queue.empty()) {
    queues_.erase(lowest);
  }
  bytes_ -= dropped.bytes;
  queued_.fetch_sub(1, std::memory_order_relaxed);
  size_.fetch_sub(1, std::memory_order_relaxed);
  return dropped.block;
}

bool PolicyLane::push(MessageBlock* block, std::vector<MessageBlock*>& dropped) {
  base::MutexLock lock{mutex_};
  const std::size_t bytes = policy_.bytes_max != 0 ? bytes_of(*block) : 0;
  const int priority =
      policy_.by_priority && priority_of_ != nullptr ? priority_of_(block->type_id) : 0;
  if (policy_.overflow == Overflow::drop_newest || policy_.overflow == Overflow::drop_oldest) {
    while (can_make_room(bytes, priority) && !has_room(bytes) && !queues_.empty() &&
           queues_.rbegin()->first <= priority) {
      dropped.push_back(drop_one());
    }
  }
  if (!has_room(bytes)) {
    return false;
  }
  queues_[priority].push_back({block, bytes});
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
  bytes_ -= first.bytes;
  queued_.fetch_sub(1, std::memory_order_relaxed);
  return first.block;
}

std::uint32_t PolicyLane::messages_max() const {
  base::MutexLock lock{mutex_};
  return policy_.messages_max;
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
