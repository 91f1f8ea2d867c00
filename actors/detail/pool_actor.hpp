#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "actors/pool.hpp"
#include "actors/suspension.hpp"
#include "base/mutex.hpp"

namespace troupe::actors::detail {

/// The actor before a pool's workers: passes on what comes, unopened.
///
/// What no worker has room for waits here, and meanwhile the pool leaves its mailbox alone (a
/// coroutine holds it), so that the mailbox fills and senders are told. So what waits is the one
/// message that found no room, what workers left behind when they ended, and, on broadcast, up to a
/// mailbox for each worker that is being replaced.
///
/// By key, what a worker has no room for waits for it, and the pool goes on with the other keys.
/// Senders to a worker whose share of the pool's mailbox is full, in it and here, are told by the
/// mailbox (PoolShares). So a share for each worker waits here, and up to a mailbox of what it left
/// behind. Where that is not enough, for messages that took no share, the mailbox is left alone.
class PoolActor final : public Actor {
 public:
  using Protocol = actors::Protocol<>;

  PoolActor(std::shared_ptr<const PoolSetup> setup, std::shared_ptr<PoolShared> shared);
  ~PoolActor() override;

  void on_start() override;
  void on(const Terminated& notice);
  void on_unhandled(Envelope&& message);

  // In the pool's turns, through PoolShared.
  void go_on();
  void tick();
  void look();
  /// What a worker had not begun when it ended.
  void take_back(const PoolWorkerLink& from, Envelope message);

 private:
  /// Idempotent work: kept until it is done, so that it can be begun again.
  struct Job {
    Envelope message;
    ReplyRight asker;
    std::uint32_t attempts = 0;
    base::ActorId attempt;  ///< the request of the last one
    bool may_have_run = false;

    /// Answers the asker. What any attempt may have done is not called not_run.
    void end(Envelope reply);
  };
  struct AttemptEnd;
  /// An ask of all workers: each answers a request of its own, and the first value or refusal goes
  /// to the asker. Without any, when the last copy has ended: not_run if none was begun, otherwise
  /// may_have_run. Thread-safe; shared by the requests, and by the pool while it gives out copies.
  class Broadcast {
   public:
    explicit Broadcast(ReplyRight asker) : asker_(std::move(asker)) {}
    Broadcast(const Broadcast&) = delete;
    Broadcast& operator=(const Broadcast&) = delete;
    ~Broadcast();

    /// Nobody waits for an answer any more, though none was given.
    [[nodiscard]] bool is_given_up() const;
    /// A copy's answer.
    void end(Envelope reply);
    void fail(AskError error);

   private:
    mutable base::Mutex mutex_;
    ReplyRight asker_ TROUPE_GUARDED_BY(mutex_);
    std::optional<AskError> failure_ TROUPE_GUARDED_BY(mutex_);
  };
  /// A message that is to be given to a worker.
  struct Waiting {
    Envelope message;
    std::shared_ptr<Job> job;
    /// Of an ask; its message has nobody to answer any more.
    std::shared_ptr<Broadcast> broadcast{};
    std::uint32_t broadcast_next = 0;
  };
  struct Worker {
    AnyRef ref;
    std::shared_ptr<PoolWorkerLink> link;
    std::string name;
    bool is_alive = false;
    RestartTracker restarts;
    /// Which replacement was ordered last.
    std::uint64_t order = 0;
    /// By key and on broadcast: what only this worker may have, the oldest first.
    std::deque<Envelope> bound_for{};
    /// The same of a worker whose end has not been told yet; before what is bound for it.
    std::deque<Envelope> left_behind{};
  };
  struct Hold;

  [[nodiscard]] Routing::Kind kind() const { return setup_->options.routing.kind(); }
  [[nodiscard]] bool keeps_place() const;
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(workers_.size()); }
  [[nodiscard]] bool is_waiting() const { return !returned_.empty() || !held_.empty(); }

  // Giving out.
  void drain();
  bool drain_once();
  bool give_what_waits();
  void wish_for_room(bool is_wanted);
  void hold();
  Task<Envelope> hold_mailbox();
  bool route(Waiting& waiting);
  bool route_around(std::uint32_t first, Envelope& message);
  bool route_to_less_loaded(Envelope& message);
  bool route_by_key(Envelope& message);
  bool route_to_all(Waiting& waiting);
  bool route_on_demand(Envelope& message);
  bool give(Worker& worker, Envelope& message);
  bool give_in_place(Worker& worker, Envelope& message);
  bool give_or_keep(std::uint32_t at, Envelope& message);
  [[nodiscard]] bool is_bound() const;
  void give_bound(Worker& worker);
  [[nodiscard]] static std::uint32_t given(const Worker& worker);
  [[nodiscard]] static std::uint32_t outstanding(const Worker& worker);

  // pool_replies.cpp: idempotent work and broadcasts
  [[nodiscard]] bool is_given_up(const Waiting& waiting);
  [[nodiscard]] base::ActorId open_copy(const std::shared_ptr<Broadcast>& broadcast,
                                        base::TimePoint deadline);
  [[nodiscard]] static Envelope copy(const PoolMessage& type, const MessageBlock& message);
  [[nodiscard]] const PoolMessage* find(std::uint32_t type_id) const;
  bool begin_job(Waiting& waiting);
  bool begin_attempt(const std::shared_ptr<Job>& job, Waiting& waiting);
  void end_attempt(AttemptEnd& ended);
  void give_again(Envelope message);

  // pool_workers.cpp: their start, their end, their number
  void start_worker(Worker& worker);
  void restart_worker(std::uint64_t order);
  void apply_size();
  void retire_last();
  void stop_idle_retired();
  void refuse(Waiting waiting, base::Outcome outcome, const char* why);
  void refuse(Envelope message, base::Outcome outcome, const char* why);
  template <class Function>
  void call_later(base::Duration delay, Function function);
  void arm_tick();
  void arm_look();
  void count();

  std::shared_ptr<const PoolSetup> setup_;
  std::shared_ptr<PoolShared> shared_;
  /// What an earlier one had ordered for later is not done.
  std::uint64_t life_;
  PoolSizer sizer_;
  bool has_idempotent_ = false;
  std::deque<Worker> workers_;
  /// Get nothing more, and are stopped when they have done what they have.
  std::deque<Worker> retired_;
  std::deque<Waiting> returned_;  ///< from workers that ended; before what is held
  std::deque<Waiting> held_;
  /// By the request of the attempt that is under way; whoever gets its result owns the job.
  std::unordered_map<std::uint64_t, std::weak_ptr<Job>> attempts_;
  bool is_holding_ = false;
  bool is_tick_armed_ = false;
  Suspension holding_;
  std::uint32_t next_ = 0;
  std::uint64_t last_order_ = 0;
  std::uint32_t last_name_ = 0;
};

}  // namespace troupe::actors::detail
