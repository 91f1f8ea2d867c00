#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/exit_reason.hpp"
#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "base/outcome.hpp"
#include "transport/transport.hpp"

namespace troupe::node {

/// The watches and links between actors of this node and of one incarnation of another: which of
/// ours wait for a notice, and what is still to be said because the link was full.
///
/// Thread-safe. Compares, a pair of actors, what is wanted with what the peer was told, so what
/// waits is bounded by the number of pairs and not by how often they change. The lock is held while
/// the link takes a record, so that the words about a pair leave in the order in which they were
/// meant. Once lost, it keeps nothing.
class PeerWatches {
 public:
  struct Pair {
    base::ActorId watcher;
    base::ActorId watched;
    auto operator<=>(const Pair&) const = default;
  };
  /// A longer text of an actor's end is cut.
  static constexpr std::size_t end_text_bytes_max = 1024;

  // Ours begins or ceases to watch one of theirs, or to be linked to it. While it does either, one
  // notice follows, by end() or lose(). accepted; or node_lost, and then no notice follows.
  [[nodiscard]] base::Outcome watch(const Pair& pair, transport::Link& link)
      TROUPE_EXCLUDES(mutex_);
  [[nodiscard]] base::Outcome link(const Pair& pair, transport::Link& link) TROUPE_EXCLUDES(mutex_);
  void unwatch(const Pair& pair, transport::Link& link) TROUPE_EXCLUDES(mutex_);
  void unlink(const Pair& pair, transport::Link& link) TROUPE_EXCLUDES(mutex_);
  /// One of ours has ended that one of theirs watches or is linked to.
  void tell_end(const Pair& pair, actors::ExitReason reason, const std::string& text,
                transport::Link& link) TROUPE_EXCLUDES(mutex_);

  // The peer says that one of theirs ...
  /// ... has ended; false: nobody here waits for that.
  [[nodiscard]] bool end(const Pair& pair) TROUPE_EXCLUDES(mutex_);
  /// ... does not watch one of ours any more.
  void unwatched(const Pair& pair) TROUPE_EXCLUDES(mutex_);
  /// ... has linked itself to one of ours, the `watcher`. False: the peer is lost.
  [[nodiscard]] bool linked(const Pair& pair) TROUPE_EXCLUDES(mutex_);
  /// ... has ended its link to one of ours, the `watcher`. False: there was none.
  [[nodiscard]] bool unlinked(const Pair& pair) TROUPE_EXCLUDES(mutex_);

  /// Says what waits, as far as the link takes it.
  void say_waiting(transport::Link& link) TROUPE_EXCLUDES(mutex_);
  /// The peer is gone for ever; returns whom of ours to tell, in order.
  [[nodiscard]] std::vector<Pair> lose() TROUPE_EXCLUDES(mutex_);
  /// Pairs about which something waits for room.
  [[nodiscard]] std::size_t waiting() const TROUPE_EXCLUDES(mutex_);

 private:
  struct Ties {
    bool watch = false;
    bool link = false;
    bool operator==(const Ties&) const = default;
    [[nodiscard]] bool any() const { return watch || link; }
  };
  /// Of one of ours to one of theirs.
  struct State {
    Ties wanted;
    Ties told;  ///< what the peer believes
  };
  struct End {
    base::Bytes record;
    bool is_linked = false;
  };
  using States = std::map<Pair, State>;

  base::Outcome tie(const Pair& pair, bool Ties::*tie, transport::Link& link);
  void untie(const Pair& pair, bool Ties::*tie, transport::Link& link);
  base::Outcome say(States::value_type& entry, transport::Link& link) TROUPE_REQUIRES(mutex_);
  void settle(States::iterator entry) TROUPE_REQUIRES(mutex_);
  bool drop_link(const Pair& pair) TROUPE_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  bool lost_ TROUPE_GUARDED_BY(mutex_) = false;
  /// Those of which anything is wanted or told.
  States states_ TROUPE_GUARDED_BY(mutex_);
  /// Those of which not all that is wanted was told.
  std::set<Pair> waiting_ TROUPE_GUARDED_BY(mutex_);
  /// Ends of ours that wait for room; not of watches that the peer has given up since.
  std::map<Pair, End> ends_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::node
