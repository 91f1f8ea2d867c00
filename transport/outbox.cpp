#include "transport/outbox.hpp"

#include <algorithm>
#include <utility>

namespace troupe::transport {

Outbox::Pushed Outbox::push(base::ByteView record, Room room) {
  if (record.size() > record_bytes_max) {
    return {base::Outcome::refused, false};
  }
  const std::size_t added = record_header_bytes + record.size();
  const base::MutexLock lock{mutex_};
  if (closed_) {
    return {base::Outcome::node_lost, false};
  }
  const bool is_notice = room == Room::of_notices;
  if (bytes_ + added > options_.bytes_max + (is_notice ? options_.notice_bytes_max : 0)) {
    refused_notice_ = refused_notice_ || is_notice;
    return {base::Outcome::mailbox_full, false};
  }
  if (open_.record_count > 0 && open_.frame.size() + added > options_.batch_bytes_max) {
    seal();
  }
  if (open_.record_count == 0) {
    open_.frame.reserve(std::max(reserve_bytes_, batch_header_bytes + added));
    open_.frame.resize(batch_header_bytes);
    bytes_ += batch_header_bytes;
  }
  append_record(open_.frame, record);
  ++open_.record_count;
  bytes_ += added;
  return {base::Outcome::accepted, !std::exchange(known_, true)};
}

std::optional<Outbox::Gathered> Outbox::take() {
  const base::MutexLock lock{mutex_};
  if (sealed_.empty()) {
    if (open_.record_count == 0) {
      known_ = false;
      return std::nullopt;
    }
    seal();
  }
  Gathered next = std::move(sealed_.front());
  sealed_.pop_front();
  return next;
}

bool Outbox::release(std::size_t bytes) {
  const base::MutexLock lock{mutex_};
  bytes_ -= std::min(bytes, bytes_);
  return std::exchange(refused_notice_, false);
}

std::vector<Outbox::Gathered> Outbox::close() {
  const base::MutexLock lock{mutex_};
  closed_ = true;
  if (open_.record_count > 0) {
    seal();
  }
  std::vector<Gathered> left{std::make_move_iterator(sealed_.begin()),
                             std::make_move_iterator(sealed_.end())};
  sealed_.clear();
  bytes_ = 0;
  return left;
}

std::size_t Outbox::bytes() const {
  const base::MutexLock lock{mutex_};
  return bytes_;
}

void Outbox::seal() {
  // The next batch will probably be as large as this one: growing it step by step would copy it.
  reserve_bytes_ = std::clamp<std::size_t>(open_.frame.size(), 512, options_.batch_bytes_max);
  sealed_.push_back(std::exchange(open_, Gathered{}));
}

}  // namespace troupe::transport
