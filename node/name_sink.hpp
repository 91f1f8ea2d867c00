#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/actor_ref.hpp"
#include "actors/message_sink.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace troupe::node {

/// A name as a place to send to: whoever holds it now. While its holder is being started or cannot
/// be reached, messages wait here in order, at most `parked_max`, each at most until its deadline or
/// for `parked_time_max`.
///
/// Thread-safe. Lives as long as the node.
class NameSink final : public actors::MessageSink {
 public:
  static constexpr std::size_t parked_max = 10'000;
  static constexpr base::Duration parked_time_max = std::chrono::seconds{10};

  NameSink(actors::ActorSystem& system, std::string name);

  /// A reference for what a holder leaves in its mailbox when it is moved: it is passed on before
  /// what came later.
  [[nodiscard]] actors::AnyRef handed_over() { return {*this, handed_over_id}; }

  base::Outcome deliver(actors::Envelope&& envelope) override;
  [[nodiscard]] actors::ActorAddress address_of(base::ActorId actor) const override;
  [[nodiscard]] Reached reached(base::ActorId actor) override;

  /// The name is held by this actor now; what waited goes there.
  void bind(actors::AnyRef holder);
  /// There is no holder now, but one is to come.
  void expect();
  /// Nobody holds the name: what waited ends as no_such_actor.
  void release();
  /// The way to the holder may have changed.
  void flush();

  [[nodiscard]] std::size_t parked() const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  enum class State : std::uint8_t { unknown, expected, bound };
  struct Parked {
    actors::Envelope message;
    base::TimePoint expires;  ///< here; what is passed on keeps its own deadline
  };
  static constexpr base::ActorId handed_over_id{1};
  bool can_pass() const TROUPE_REQUIRES(mutex_);
  base::Outcome deliver_or_park(actors::Envelope&& envelope);
  void update_shortcut() TROUPE_REQUIRES(mutex_);
  std::deque<actors::Envelope> take_waiting() TROUPE_REQUIRES(mutex_);
  void expire();

  const std::string name_;
  /// The way without the lock, while the holder lives here and nothing waits: else null. Written
  /// under the lock: null, the number, the sink. A reader that finds the same sink before and after
  /// the number has a pair that belongs together.
  std::atomic<MessageSink*> shortcut_{nullptr};
  std::atomic<std::uint64_t> shortcut_id_{0};
  mutable base::Mutex mutex_;
  State state_ TROUPE_GUARDED_BY(mutex_) = State::unknown;
  actors::AnyRef holder_ TROUPE_GUARDED_BY(mutex_);
  std::deque<Parked> handed_ TROUPE_GUARDED_BY(mutex_);
  std::deque<Parked> parked_ TROUPE_GUARDED_BY(mutex_);
  bool flushing_ TROUPE_GUARDED_BY(mutex_) = false;
};

/// All names that this node has ever sent to or heard of. Thread-safe.
class NameDirectory {
 public:
  explicit NameDirectory(actors::ActorSystem& system) : system_(system) {}

  /// The sink of a name; made when first asked for.
  [[nodiscard]] NameSink& sink(const std::string& name);
  [[nodiscard]] actors::AnyRef ref(const std::string& name);
  /// Before the node is part of a cluster, every name is expected; the first call ends that.
  void set_ready();
  /// Tries again what waits for connections.
  void flush();
  [[nodiscard]] std::uint64_t parked() const;

 private:
  [[nodiscard]] std::vector<NameSink*> all() const TROUPE_REQUIRES(mutex_);

  actors::ActorSystem& system_;
  mutable base::Mutex mutex_;
  bool is_ready_ TROUPE_GUARDED_BY(mutex_) = false;
  std::unordered_map<std::string, std::unique_ptr<NameSink>> sinks_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::node
