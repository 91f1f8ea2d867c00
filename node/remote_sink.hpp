#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "actors/control.hpp"
#include "actors/message_sink.hpp"
#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "node/peer_watches.hpp"
#include "transport/transport.hpp"

namespace troupe::node {

/// One incarnation of another node, as the place where envelopes for its actors go. Encodes on the
/// sender's thread, straight into the link's batch.
///
/// Thread-safe. Lives as long as the node, also after the peer was lost: then everything ends as
/// node_lost. Remembers the open asks and watches towards the peer, so that all of them end when it
/// is lost; what is said of watches is never refused for want of room.
class RemoteSink final : public actors::MessageSink {
 public:
  RemoteSink(actors::ActorSystem& system, base::NodeId peer);

  base::Outcome deliver(actors::Envelope&& envelope) override;
  [[nodiscard]] actors::ActorAddress address_of(base::ActorId actor) const override;

  [[nodiscard]] const base::NodeId& peer() const { return peer_; }
  /// Whether records leave at once. While not, they wait for the connection to come back.
  [[nodiscard]] bool is_connected() const { return connected_.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_lost() const { return lost_.load(std::memory_order_acquire); }

  // For the router.
  void set_link(std::shared_ptr<transport::Link> link);
  void set_connected(bool connected) { connected_.store(connected, std::memory_order_release); }
  /// The peer is gone for ever: open asks end as may_have_run, watchers are told. Once.
  void lose(const std::string& reason);
  /// A message of the registry, on the control lane.
  base::Outcome send_cluster(base::ByteView body);
  void answered(base::ActorId request);
  /// Asks that the peer has not answered yet; none once it is lost.
  [[nodiscard]] std::size_t open_requests() const;
  /// How an actor of the peer is numbered here where only senders are told apart: its own number may
  /// be one of ours, too. 0 stays 0.
  [[nodiscard]] base::ActorId number_of_sender(base::ActorId theirs) const;
  [[nodiscard]] PeerWatches& watches() { return watches_; }
  /// There may be room for what the link refused to take about watches.
  void say_waiting();

 private:
  base::Outcome send_message(actors::Envelope&& envelope, transport::Link& link);
  base::Outcome send_control(actors::Envelope&& envelope, transport::Link& link);
  std::uint64_t open_request(actors::MessageBlock& message);
  [[nodiscard]] std::shared_ptr<transport::Link> link() const;

  const base::NodeId peer_;
  std::atomic<bool> connected_{false};
  std::atomic<bool> lost_{false};
  mutable base::Mutex mutex_;
  std::shared_ptr<transport::Link> link_ TROUPE_GUARDED_BY(mutex_);
  std::shared_ptr<const std::unordered_set<std::uint64_t>> known_types_ TROUPE_GUARDED_BY(mutex_);
  mutable base::Mutex open_mutex_;
  std::unordered_set<std::uint64_t> open_requests_ TROUPE_GUARDED_BY(open_mutex_);
  PeerWatches watches_;
};

}  // namespace troupe::node
