#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.hpp"
#include "transport/outbox.hpp"
#include "transport/transport.hpp"

namespace troupe::transport {

class PeerLink;

struct ConnectCommand {
  std::string address;
};
struct ForgetCommand {
  std::string address;
};
struct DisconnectCommand {
  base::NodeId peer;
  std::string reason;
};
/// A link whose outbox was empty has something to write.
struct FlushCommand {
  std::shared_ptr<PeerLink> link;
  Lane lane;
};
using Command = std::variant<ConnectCommand, ForgetCommand, DisconnectCommand, FlushCommand>;

/// What other threads ask of the transport's thread. The bell rings only while that thread is
/// about to sleep.
///
/// Thread-safe: post() from any thread; take() and arm() from the transport's thread. Bounded: a
/// link posts once until it was emptied; the other commands are as many as their callers.
class Doorbell {
 public:
  /// `ring` wakes the transport's thread; it is called from any thread, without a lock.
  explicit Doorbell(std::function<void()> ring) : ring_(std::move(ring)) {}

  void post(Command command) TROUPE_EXCLUDES(mutex_);
  /// Replaces the contents of `into`, whose memory is used for the next commands.
  void take(std::vector<Command>& into) TROUPE_EXCLUDES(mutex_);
  /// True: nothing lies here, the thread may sleep, and the next post() rings.
  [[nodiscard]] bool arm() TROUPE_EXCLUDES(mutex_);
  /// The transport is over: later commands are ignored.
  void close() TROUPE_EXCLUDES(mutex_);

 private:
  const std::function<void()> ring_;
  base::Mutex mutex_;
  std::vector<Command> commands_ TROUPE_GUARDED_BY(mutex_);
  bool armed_ TROUPE_GUARDED_BY(mutex_) = true;
  bool closed_ TROUPE_GUARDED_BY(mutex_) = false;
};

/// The Link of every transport: two outboxes and a bell. Thread-safe. Outlives its transport.
class PeerLink final : public Link, public std::enable_shared_from_this<PeerLink> {
 public:
  PeerLink(PeerInfo info, std::shared_ptr<Doorbell> doorbell, OutboxOptions options)
      : info_(std::move(info)), doorbell_(std::move(doorbell)), control_(options), data_(options) {}

  [[nodiscard]] const PeerInfo& peer() const override { return info_; }
  base::Outcome send(Lane lane, base::ByteView record) override {
    return push(lane, record, Room::of_messages);
  }
  base::Outcome send_notice(base::ByteView record) override {
    return push(Lane::data, record, Room::of_notices);
  }

  [[nodiscard]] Outbox& outbox(Lane lane) { return lane == Lane::control ? control_ : data_; }

 private:
  base::Outcome push(Lane lane, base::ByteView record, Room room) {
    const Outbox::Pushed pushed = outbox(lane).push(record, room);
    if (pushed.ring) {
      doorbell_->post(FlushCommand{shared_from_this(), lane});
    }
    return pushed.outcome;
  }

  const PeerInfo info_;
  const std::shared_ptr<Doorbell> doorbell_;
  Outbox control_;
  Outbox data_;
};

}  // namespace troupe::transport
