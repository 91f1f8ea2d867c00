#pragma once

#include <map>
#include <set>
#include <string>

#include "actors/exit_reason.hpp"
#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "base/outcome.hpp"
#include "transport/transport.hpp"

namespace troupe::node {

/// The watches between this node and one incarnation of another, in both directions: which of ours
/// wait for a notice, and what is still to be said because the link was full.
///
/// Thread-safe. What waits is kept a pair of watcher and watched, and a later word takes back an
/// earlier one that was not said: so it is bounded by the number of watches, not by how often they
/// change. The lock is held while the link takes a record, so that the words about a pair leave in
/// the order in which they were meant. Once lost, it keeps nothing.
class PeerWatches {
 public:
  struct Watch {
    base::ActorId watcher;
    base::ActorId watched;
    auto operator<=>(const Watch&) const = default;
  };
  /// A longer text of an actor's end is cut.
  static constexpr std::size_t end_text_bytes_max = 1024;

  /// Ours watches one of theirs: exactly one notice follows, by end() or lose(). accepted, or
  /// node_lost, and then no notice follows.
  [[nodiscard]] base::Outcome watch(const Watch& watch, transport::Link& link)
      TROUPE_EXCLUDES(mutex_);
  void unwatch(const Watch& watch, transport::Link& link) TROUPE_EXCLUDES(mutex_);
  /// The peer says that one of theirs has ended; false: nobody here waits for that.
  [[nodiscard]] bool end(const Watch& watch) TROUPE_EXCLUDES(mutex_);

  /// One of ours has ended that one of theirs watches.
  void tell_end(const Watch& watch, actors::ExitReason reason, const std::string& text,
                transport::Link& link) TROUPE_EXCLUDES(mutex_);
  /// One of theirs has given up its watch.
  void forget_end(const Watch& watch) TROUPE_EXCLUDES(mutex_);

  /// Says what waits, as far as the link takes it.
  void say_waiting(transport::Link& link) TROUPE_EXCLUDES(mutex_);
  /// The peer is gone for ever; returns whom of ours to tell.
  [[nodiscard]] std::set<Watch> lose() TROUPE_EXCLUDES(mutex_);
  /// Words that wait for room.
  [[nodiscard]] std::size_t waiting() const TROUPE_EXCLUDES(mutex_);

 private:
  enum class Order { watch, unwatch };

  static base::Bytes encoded(const Watch& watch, Order order);

  mutable base::Mutex mutex_;
  bool lost_ TROUPE_GUARDED_BY(mutex_) = false;
  std::set<Watch> open_ TROUPE_GUARDED_BY(mutex_);
  /// `watch` only of open watches that the peer has not heard of; `unwatch` only of those that it
  /// believes in.
  std::map<Watch, Order> orders_ TROUPE_GUARDED_BY(mutex_);
  /// Encoded; only of watches that the peer has not given up.
  std::map<Watch, base::Bytes> ends_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::node
