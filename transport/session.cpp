#include "transport/session.hpp"

#include <algorithm>

namespace troupe::transport {

void Session::keep(Frame frame) {
  kept_.push_back(std::move(frame));
}

const Frame* Session::unwritten() const {
  return written_ < kept_.size() ? &kept_[written_] : nullptr;
}

bool Session::mark_written(base::TimePoint now) {
  const std::uint64_t sequence = first_ + written_;
  if (written_ == 0) {
    progress_at_ = now;
  }
  ++written_;
  const bool again = sequence <= highest_written_;
  highest_written_ = std::max(highest_written_, sequence);
  return again;
}

void Session::reconnected(base::TimePoint now) {
  written_ = 0;
  progress_at_ = now;
  if (arrived_ > 0) {
    due_ = now;
  }
}

Session::Received Session::receive(const BatchHeader& header, std::size_t bytes,
                                   base::TimePoint now) {
  Received received;
  if (header.acknowledgement > highest_written_) {
    received.acknowledges_unsent = true;
  } else {
    received.released_bytes = release_up_to(header.acknowledgement, now);
  }
  if (header.sequence == 0) {
    return received;
  }
  if (header.sequence == arrived_ + 1) {
    received.arrival = Arrival::deliver;
    arrived_ = header.sequence;
  } else {
    received.arrival = header.sequence <= arrived_ ? Arrival::duplicate : Arrival::gap;
  }
  bytes_unacknowledged_ += bytes;
  due_ = bytes_unacknowledged_ >= options_.acknowledgement_bytes
             ? std::min(due_, now)
             : std::min(due_, now + options_.acknowledgement_delay);
  return received;
}

void Session::mark_acknowledged() {
  bytes_unacknowledged_ = 0;
  due_ = base::time_never;
}

base::TimePoint Session::waiting_since() const {
  return written_ == 0 ? base::time_never : progress_at_;
}

std::size_t Session::release_up_to(std::uint64_t acknowledged, base::TimePoint now) {
  std::size_t released = 0;
  while (!kept_.empty() && first_ <= acknowledged) {
    released += kept_.front()->size();
    kept_.pop_front();
    ++first_;
    written_ -= written_ > 0 ? 1 : 0;
    progress_at_ = now;
  }
  return released;
}

}  // namespace troupe::transport
