#include "node/peer_watches.hpp"

#include <algorithm>
#include <utility>

#include "base/message.hpp"
#include "base/record.hpp"
#include "node/wire_messages.hpp"

namespace troupe::node {

using base::Outcome;
using base::RecordKind;

namespace {

base::Record record_of(RecordKind kind, base::ActorId target, base::ActorId sender) {
  base::Record record;
  record.kind = kind;
  record.target = target.value;
  record.sender = sender.value;
  return record;
}

/// At most so many bytes of UTF-8, cut between characters.
std::string cut_text(const std::string& text, std::size_t bytes_max) {
  std::size_t end = std::min(text.size(), bytes_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace

base::Bytes PeerWatches::encoded(const Watch& watch, Order order) {
  base::Bytes bytes;
  encode_record(record_of(order == Order::watch ? RecordKind::watch : RecordKind::unwatch,
                          watch.watched, watch.watcher),
                bytes);
  return bytes;
}

Outcome PeerWatches::watch(const Watch& watch, transport::Link& link) {
  base::MutexLock lock{mutex_};
  if (lost_) {
    return Outcome::node_lost;
  }
  // Where the peer has not heard of the unwatch, it still believes in the watch before it.
  if (!open_.insert(watch).second || orders_.erase(watch) > 0) {
    return Outcome::accepted;
  }
  const Outcome outcome = link.send_notice(encoded(watch, Order::watch));
  if (outcome == Outcome::mailbox_full) {
    orders_.emplace(watch, Order::watch);
    return Outcome::accepted;
  }
  if (outcome != Outcome::accepted) {
    open_.erase(watch);
  }
  return outcome;
}

void PeerWatches::unwatch(const Watch& watch, transport::Link& link) {
  base::MutexLock lock{mutex_};
  if (open_.erase(watch) == 0 || orders_.erase(watch) > 0) {
    return;
  }
  if (link.send_notice(encoded(watch, Order::unwatch)) == Outcome::mailbox_full) {
    orders_.emplace(watch, Order::unwatch);
  }
}

bool PeerWatches::end(const Watch& watch) {
  base::MutexLock lock{mutex_};
  // The peer has nothing to take back any more; a watch that comes now is a new one to it.
  orders_.erase(watch);
  return open_.erase(watch) > 0;
}

void PeerWatches::tell_end(const Watch& watch, actors::ExitReason reason, const std::string& text,
                           transport::Link& link) {
  const base::Bytes body = base::to_wire(
      TerminatedBody{static_cast<std::uint8_t>(reason), cut_text(text, end_text_bytes_max)});
  base::Record record = record_of(RecordKind::terminated, watch.watcher, watch.watched);
  record.body = body;
  base::Bytes bytes;
  encode_record(record, bytes);
  base::MutexLock lock{mutex_};
  if (!lost_ && link.send_notice(bytes) == Outcome::mailbox_full) {
    ends_.emplace(watch, std::move(bytes));
  }
}

void PeerWatches::forget_end(const Watch& watch) {
  base::MutexLock lock{mutex_};
  ends_.erase(watch);
}

void PeerWatches::say_waiting(transport::Link& link) {
  base::MutexLock lock{mutex_};
  while (!ends_.empty()) {
    if (link.send_notice(ends_.begin()->second) == Outcome::mailbox_full) {
      return;
    }
    ends_.erase(ends_.begin());
  }
  while (!orders_.empty()) {
    const auto& [watch, order] = *orders_.begin();
    if (link.send_notice(encoded(watch, order)) == Outcome::mailbox_full) {
      return;
    }
    orders_.erase(orders_.begin());
  }
}

std::set<PeerWatches::Watch> PeerWatches::lose() {
  base::MutexLock lock{mutex_};
  lost_ = true;
  orders_.clear();
  ends_.clear();
  return std::exchange(open_, {});
}

std::size_t PeerWatches::waiting() const {
  base::MutexLock lock{mutex_};
  return orders_.size() + ends_.size();
}

}  // namespace troupe::node
