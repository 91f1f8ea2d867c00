#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "actors/actor_cell.hpp"
#include "actors/ask_error.hpp"
#include "actors/mailbox_policy.hpp"
#include "actors/task.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {
template <class T>
class StreamWriter;
}

namespace troupe::actors::detail {

class PoolActor;

/// What a pool by key holds for each of its workers, for senders to see: as much as a worker's
/// share of the pool's mailbox, which is an equal one, in the mailbox and out of it. Messages that
/// are still encoded take no share: they are read in the pool's turn. Thread-safe.
class PoolShares final : public MailboxShares {
 public:
  using KeyHash = std::function<std::uint64_t(const MessageBlock&)>;

  PoolShares(std::uint32_t mailbox_max, KeyHash key_hash)
      : mailbox_max_(mailbox_max), key_hash_(std::move(key_hash)) {}

  std::uint32_t share_of(const MessageBlock& message) override;
  std::uint32_t messages_max(std::uint32_t share) override;
  /// Of one worker.
  [[nodiscard]] std::uint32_t share_max() const;

  // For the pool's turn: what it holds out of its mailbox.
  void set_held(std::vector<std::size_t> messages_by_worker);
  void set_held(std::uint32_t worker, std::size_t messages);

 private:
  [[nodiscard]] std::uint32_t equal_share() const TROUPE_REQUIRES(mutex_) {
    return std::max(1U, mailbox_max_ / std::max(1U, workers()));
  }
  [[nodiscard]] std::uint32_t workers() const TROUPE_REQUIRES(mutex_) {
    return static_cast<std::uint32_t>(held_.size());
  }

  const std::uint32_t mailbox_max_;
  const KeyHash key_hash_;
  mutable base::Mutex mutex_;
  std::vector<std::size_t> held_ TROUPE_GUARDED_BY(mutex_);
};

/// Shared among a pool, its workers and its references. Its atomics are thread-safe; `actor`, which
/// is null between two lives of the pool, `lives` and `is_divided` are touched in the pool's turns
/// only.
struct PoolShared : std::enable_shared_from_this<PoolShared> {
  PoolActor* actor = nullptr;
  std::uint64_t lives = 0;
  AnyRef pool;  ///< set before the first worker begins
  ActorSystem* system = nullptr;
  bool is_on_demand = false;
  /// By key only.
  std::shared_ptr<PoolShares> shares;
  /// By them, the pool's mailbox; it is once, in the pool's first life.
  bool is_divided = false;
  /// Set by the pool when it has work that no worker had room for; who resets it wakes the pool. By
  /// key, those of the workers' links.
  std::atomic<bool> wants_room{false};
  std::atomic<std::uint32_t> workers_wanted{0};
  std::atomic<std::uint32_t> workers{0};
  std::atomic<std::uint64_t> waiting{0};
  std::atomic<std::uint64_t> replaced{0};

  /// Runs a member of the pool in its turn; false if the pool is gone.
  bool call(void (PoolActor::*member)());
};

/// What a pool and one of its workers know of each other. Thread-safe.
struct PoolWorkerLink {
  std::shared_ptr<PoolShared> pool;
  /// In the worker's mailbox at which the pool is woken.
  std::uint32_t room_at = 0;
  /// Coroutine handlers that have not ended.
  std::atomic<std::uint32_t> tasks{0};
  /// What else it has begun: requests that it has yet to answer, and streams that it writes to.
  std::atomic<std::uint32_t> kept{0};
  /// Streams that their readers have not come to the end of: they end with the worker.
  std::atomic<std::uint32_t> streams{0};
  /// Messages that it put aside.
  std::atomic<std::uint32_t> stashed{0};
  /// Set before the first message.
  const ActorCell* cell = nullptr;
  /// In the worker's turn: a plain handler runs.
  bool is_handling = false;
  /// A handler or the constructor threw, or its object is gone: the worker takes nothing more.
  std::atomic<bool> is_failing{false};
  /// By key only: as PoolShared::wants_room, for what this very worker had no room for.
  std::atomic<bool> wants_room{false};
  /// The one of both that counts.
  std::atomic<bool>* wish = nullptr;
  /// On demand only: it has nothing to do.
  std::atomic<bool> is_free{true};

  /// A handler ended, with so many messages in the mailbox, perhaps the handled one among them.
  void handled(std::uint32_t queued) {
    if (pool->is_on_demand && queued <= 1 && has_nothing_begun()) {
      is_free.store(true, std::memory_order_seq_cst);
    }
    // Pairs with PoolActor, which sets the wish before it looks for room again.
    if (queued <= room_at && wish->load(std::memory_order_seq_cst) &&
        wish->exchange(false, std::memory_order_seq_cst)) {
      wake_pool();
    }
  }
  /// The same, perhaps on another thread, for what had been kept.
  void let_go() {
    // What runs within a handler is told at the handler's end.
    if (ActorCell::current() != cell || !is_handling) {
      handled(cell->queued());
    }
  }
  [[nodiscard]] bool has_nothing_begun() const {
    return tasks.load(std::memory_order_acquire) == 0 &&
           kept.load(std::memory_order_acquire) == 0 &&
           stashed.load(std::memory_order_acquire) == 0;
  }
  void wake_pool();
};

/// One more in a count of a worker's link, as long as it lives.
class PoolWorkerCount {
 public:
  using Count = std::atomic<std::uint32_t> PoolWorkerLink::*;
  PoolWorkerCount(std::shared_ptr<PoolWorkerLink> link, Count count)
      : link_(std::move(link)), count_(count) {
    ((*link_).*count_).fetch_add(1, std::memory_order_relaxed);
  }
  PoolWorkerCount(const PoolWorkerCount&) = delete;
  PoolWorkerCount& operator=(const PoolWorkerCount&) = delete;
  ~PoolWorkerCount() {
    ((*link_).*count_).fetch_sub(1, std::memory_order_seq_cst);
    link_->let_go();
  }

 private:
  std::shared_ptr<PoolWorkerLink> link_;
  Count count_;
};

/// A user's actor in a pool: tells the pool when it has room, and when it fails. Costs a look at
/// two numbers a message; a coroutine handler has one frame more.
template <class W>
class PoolWorker final : public W {
 public:
  template <class... Args>
  explicit PoolWorker(std::shared_ptr<PoolWorkerLink> link, const Args&... args) try
      : W(args...), link_(std::move(link)) {
    link_->cell = &this->cell();
    this->cell().count_stash_in({link_, &link_->stashed});
  } catch (...) {
    link->is_failing.store(true, std::memory_order_release);
  }
  PoolWorker(const PoolWorker&) = delete;
  PoolWorker& operator=(const PoolWorker&) = delete;
  /// Before what it left behind leaves its mailbox.
  ~PoolWorker() override { link_->is_failing.store(true, std::memory_order_release); }

  template <class M>
  requires requires(W& worker, M&& message) { worker.on(std::forward<M>(message)); }
  auto on(M&& message) -> decltype(std::declval<W&>().on(std::forward<M>(message))) {
    using Returned = decltype(std::declval<W&>().on(std::forward<M>(message)));
    W& worker = *this;
    if constexpr (std::is_same_v<std::remove_cvref_t<M>, Terminated>) {
      worker.on(std::forward<M>(message));
    } else if constexpr (IsTask<Returned>::value) {
      return run_task(worker.on(std::forward<M>(message)));
    } else {
      return watched([&]() -> Returned { return worker.on(std::forward<M>(message)); });
    }
  }
  /// `reply`: a ReplyTo or a StreamWriter.
  template <class M, class R>
  requires requires(W& worker, M&& message, R&& reply) {
    worker.on(std::forward<M>(message), std::move(reply));
  }
  auto on(M&& message, R reply)
      -> decltype(std::declval<W&>().on(std::forward<M>(message), std::move(reply))) {
    using Returned = decltype(std::declval<W&>().on(std::forward<M>(message), std::move(reply)));
    W& worker = *this;
    keep(reply);
    if constexpr (IsTask<Returned>::value) {
      return run_task(worker.on(std::forward<M>(message), std::move(reply)));
    } else {
      watched([&] { worker.on(std::forward<M>(message), std::move(reply)); });
    }
  }

 private:
  struct Handling {
    explicit Handling(PoolWorker& of) : worker(of) { worker.link_->is_handling = true; }
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;
    ~Handling() {
      worker.link_->is_handling = false;
      worker.link_->handled(worker.cell().queued());
    }
    PoolWorker& worker;
  };
  struct Running {
    explicit Running(PoolWorker& of) : worker(of) {
      worker.link_->tasks.fetch_add(1, std::memory_order_relaxed);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      worker.link_->tasks.fetch_sub(1, std::memory_order_release);
      worker.link_->handled(worker.cell().queued());
    }
    PoolWorker& worker;
  };

  template <class R>
  void keep(ReplyTo<R>& reply) {
    if (reply) {
      reply.hold(std::make_shared<PoolWorkerCount>(link_, &PoolWorkerLink::kept));
    }
  }
  template <class T>
  void keep(StreamWriter<T>& writer) {
    writer.hold(std::make_shared<PoolWorkerCount>(link_, &PoolWorkerLink::kept),
                std::make_shared<PoolWorkerCount>(link_, &PoolWorkerLink::streams));
  }

  template <class Function>
  decltype(auto) watched(Function&& function) {
    const Handling handling{*this};
    try {
      return function();
    } catch (const Refusal&) {
      throw;
    } catch (...) {
      link_->is_failing.store(true, std::memory_order_release);
      throw;
    }
  }

  template <class R>
  Task<R> run_task(Task<R> task) {
    const Running running{*this};
    try {
      if constexpr (std::is_void_v<R>) {
        co_await std::move(task);
      } else {
        R value = co_await std::move(task);
        co_return value;
      }
    } catch (const Refusal&) {
      throw;
    } catch (...) {
      link_->is_failing.store(true, std::memory_order_release);
      throw;
    }
  }

  std::shared_ptr<PoolWorkerLink> link_;
};

}  // namespace troupe::actors::detail
