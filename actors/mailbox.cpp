#include "actors/mailbox.hpp"

#include <utility>

namespace troupe::actors {

Mailbox::~Mailbox() {
  while (MessageBlock* block = pop_control()) {
    destroy_block(block);
  }
  while (front() != nullptr) {
    done();
  }
  if (head_ != nullptr) {
    destroy_block(head_);
  }
}

Mailbox::Push Mailbox::push(MessageBlock* block) {
  const std::uint32_t place = pushed_.fetch_add(1, std::memory_order_relaxed);
  // pairs with the release in done(): the freed place is seen before it is counted as free
  if (place - consumed_.load(std::memory_order_acquire) >= messages_max()) {
    pushed_.fetch_sub(1, std::memory_order_relaxed);
    return Push::full;
  }
  block->next.store(nullptr, std::memory_order_relaxed);
  MessageBlock* before = tail_.exchange(block, std::memory_order_acq_rel);
  if (before == idle() || before == empty()) {
    first_.store(block, std::memory_order_release);  // pairs with the acquire in front()
    return before == idle() ? Push::wake : Push::queued;
  }
  before->next.store(block, std::memory_order_release);  // pairs with the acquire in unlink_head()
  return Push::queued;
}

bool Mailbox::push_control(MessageBlock* block) {
  MessageBlock* before = control_.load(std::memory_order_relaxed);
  do {
    block->next.store(before, std::memory_order_relaxed);
    // seq_cst with the load of tail_ below and with try_idle(): one of the two sees the other
  } while (!control_.compare_exchange_weak(before, block, std::memory_order_seq_cst,
                                           std::memory_order_relaxed));
  MessageBlock* expected = idle();
  return tail_.load(std::memory_order_seq_cst) == expected &&
         tail_.compare_exchange_strong(expected, empty(), std::memory_order_seq_cst);
}

MessageBlock* Mailbox::front() {
  if (handled_ && unlink_head() == nullptr) {
    return nullptr;
  }
  if (head_ == nullptr) {
    head_ = first_.load(std::memory_order_acquire);
    if (head_ != nullptr) {
      first_.store(nullptr, std::memory_order_relaxed);
    }
  }
  return head_;
}

/// Frees the handled head if a successor is linked, which becomes the head.
MessageBlock* Mailbox::unlink_head() {
  MessageBlock* next = head_->next.load(std::memory_order_acquire);
  if (next != nullptr) {
    destroy_block(std::exchange(head_, next));
    handled_ = false;
  }
  return next;
}

void Mailbox::done() {
  handled_ = true;
  consumed_.store(consumed_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

MessageBlock* Mailbox::detach() {
  MessageBlock* taken = head_;
  consumed_.store(consumed_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  head_ = taken->next.load(std::memory_order_acquire);
  if (head_ == nullptr) {
    MessageBlock* expected = taken;
    if (!tail_.compare_exchange_strong(expected, empty(), std::memory_order_acq_rel)) {
      // A producer has replaced tail_ and is about to link its block: a few instructions.
      while ((head_ = taken->next.load(std::memory_order_acquire)) == nullptr) {
      }
    }
  }
  return taken;
}

MessageBlock* Mailbox::pop_control() {
  if (control_head_ == nullptr) {
    MessageBlock* newest = control_.exchange(nullptr, std::memory_order_acq_rel);
    while (newest != nullptr) {
      MessageBlock* older = newest->next.load(std::memory_order_relaxed);
      newest->next.store(control_head_, std::memory_order_relaxed);
      control_head_ = newest;
      newest = older;
    }
  }
  MessageBlock* oldest = control_head_;
  if (oldest != nullptr) {
    control_head_ = oldest->next.load(std::memory_order_relaxed);
  }
  return oldest;
}

bool Mailbox::try_idle() {
  if (control_head_ != nullptr || control_.load(std::memory_order_relaxed) != nullptr) {
    return false;
  }
  MessageBlock* last = nullptr;
  if (handled_) {
    last = head_;
    if (last->next.load(std::memory_order_relaxed) != nullptr) {
      return false;
    }
  } else if (head_ != nullptr || first_.load(std::memory_order_relaxed) != nullptr) {
    return false;
  }
  if (last != nullptr) {
    // The head leaves the lane before others can run the actor: they must not find it.
    head_ = nullptr;
    handled_ = false;
  }
  MessageBlock* expected = last;
  if (!tail_.compare_exchange_strong(expected, idle(), std::memory_order_seq_cst)) {
    if (last != nullptr) {
      head_ = last;
      handled_ = true;
    }
    return false;
  }
  if (last != nullptr) {
    destroy_block(last);
  }
  if (control_.load(std::memory_order_seq_cst) == nullptr) {
    return true;
  }
  expected = idle();
  return !tail_.compare_exchange_strong(expected, empty(), std::memory_order_seq_cst);
}

}  // namespace troupe::actors
