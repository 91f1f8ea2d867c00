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

Outcome say_order(RecordKind kind, const PeerWatches::Pair& pair, transport::Link& link) {
  base::Bytes bytes;
  encode_record(record_of(kind, pair.watched, pair.watcher), bytes);
  return link.send_notice(bytes);
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

Outcome PeerWatches::watch(const Pair& pair, transport::Link& link) {
  return tie(pair, &Ties::watch, link);
}

Outcome PeerWatches::link(const Pair& pair, transport::Link& link) {
  return tie(pair, &Ties::link, link);
}

void PeerWatches::unwatch(const Pair& pair, transport::Link& link) {
  untie(pair, &Ties::watch, link);
}

void PeerWatches::unlink(const Pair& pair, transport::Link& link) {
  untie(pair, &Ties::link, link);
}

Outcome PeerWatches::tie(const Pair& pair, bool Ties::*tie, transport::Link& link) {
  base::MutexLock lock{mutex_};
  if (lost_) {
    return Outcome::node_lost;
  }
  const auto entry = states_.try_emplace(pair).first;
  entry->second.wanted.*tie = true;
  const Outcome outcome = say(*entry, link);
  if (outcome == Outcome::accepted || outcome == Outcome::mailbox_full) {
    settle(entry);
    return Outcome::accepted;
  }
  waiting_.erase(pair);
  states_.erase(entry);
  return outcome;
}

void PeerWatches::untie(const Pair& pair, bool Ties::*tie, transport::Link& link) {
  base::MutexLock lock{mutex_};
  const auto entry = states_.find(pair);
  if (entry == states_.end() || !std::exchange(entry->second.wanted.*tie, false)) {
    return;
  }
  (void)say(*entry, link);
  settle(entry);
}

/// Tells the peer what it does not know yet.
Outcome PeerWatches::say(States::value_type& entry, transport::Link& link) {
  struct Words {
    bool Ties::*tie;
    RecordKind begin;
    RecordKind end;
  };
  static constexpr Words all[] = {{&Ties::link, RecordKind::link, RecordKind::unlink},
                                  {&Ties::watch, RecordKind::watch, RecordKind::unwatch}};
  auto& [pair, state] = entry;
  for (const Words& words : all) {
    const bool wanted = state.wanted.*words.tie;
    if (state.told.*words.tie != wanted) {
      const Outcome outcome = say_order(wanted ? words.begin : words.end, pair, link);
      if (outcome != Outcome::accepted) {
        return outcome;
      }
      state.told.*words.tie = wanted;
    }
  }
  return Outcome::accepted;
}

void PeerWatches::settle(States::iterator entry) {
  const auto& [pair, state] = *entry;
  if (state.wanted == state.told) {
    waiting_.erase(pair);
  } else {
    waiting_.insert(pair);
  }
  if (!state.wanted.any() && !state.told.any()) {
    states_.erase(entry);
  }
}

/// The link is over for both. Returns whether the peer believed in it.
bool PeerWatches::drop_link(const Pair& pair) {
  const auto entry = states_.find(pair);
  if (entry == states_.end()) {
    return false;
  }
  const bool was_told = entry->second.told.link;
  entry->second.wanted.link = false;
  entry->second.told.link = false;
  settle(entry);
  return was_told;
}

void PeerWatches::tell_end(const Pair& pair, actors::ExitReason reason, const std::string& text,
                           transport::Link& link) {
  const base::Bytes body = base::to_wire(
      TerminatedBody{static_cast<std::uint8_t>(reason), cut_text(text, end_text_bytes_max)});
  base::Record record = record_of(RecordKind::terminated, pair.watcher, pair.watched);
  record.body = body;
  base::Bytes bytes;
  encode_record(record, bytes);
  base::MutexLock lock{mutex_};
  const bool is_linked = drop_link({pair.watched, pair.watcher});
  if (!lost_ && link.send_notice(bytes) == Outcome::mailbox_full) {
    ends_.try_emplace(pair, End{std::move(bytes), is_linked});
  }
}

bool PeerWatches::end(const Pair& pair) {
  base::MutexLock lock{mutex_};
  const auto entry = states_.find(pair);
  if (entry == states_.end()) {
    return false;
  }
  const bool is_wanted = entry->second.wanted.any();
  // The peer believes in nothing any more; a watch that comes now is a new one to it.
  waiting_.erase(pair);
  states_.erase(entry);
  return is_wanted;
}

void PeerWatches::unwatched(const Pair& pair) {
  base::MutexLock lock{mutex_};
  const auto found = ends_.find(pair);
  if (found != ends_.end() && !found->second.is_linked) {
    ends_.erase(found);
  }
}

bool PeerWatches::linked(const Pair& pair) {
  base::MutexLock lock{mutex_};
  if (lost_) {
    return false;
  }
  const auto entry = states_.try_emplace(pair).first;
  entry->second.wanted.link = true;
  entry->second.told.link = true;
  settle(entry);
  return true;
}

bool PeerWatches::unlinked(const Pair& pair) {
  base::MutexLock lock{mutex_};
  if (const auto found = ends_.find({pair.watched, pair.watcher}); found != ends_.end()) {
    found->second.is_linked = false;
  }
  // A link of ours that it has not heard of is a new one: that stays.
  const auto entry = states_.find(pair);
  return entry != states_.end() && entry->second.told.link && drop_link(pair);
}

void PeerWatches::say_waiting(transport::Link& link) {
  base::MutexLock lock{mutex_};
  while (!ends_.empty()) {
    if (link.send_notice(ends_.begin()->second.record) == Outcome::mailbox_full) {
      return;
    }
    ends_.erase(ends_.begin());
  }
  while (!waiting_.empty()) {
    const auto entry = states_.find(*waiting_.begin());
    const Outcome outcome = say(*entry, link);
    settle(entry);
    if (outcome != Outcome::accepted) {
      return;
    }
  }
}

std::vector<PeerWatches::Pair> PeerWatches::lose() {
  std::vector<Pair> ours;
  base::MutexLock lock{mutex_};
  lost_ = true;
  for (const auto& [pair, state] : states_) {
    if (state.wanted.any()) {
      ours.push_back(pair);
    }
  }
  states_.clear();
  waiting_.clear();
  ends_.clear();
  return ours;
}

std::size_t PeerWatches::waiting() const {
  base::MutexLock lock{mutex_};
  return waiting_.size() + ends_.size();
}

}  // namespace troupe::node
