#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "actors/actor_system.hpp"
#include "actors/detail/copy_message.hpp"
#include "actors/detail/pool_worker.hpp"
#include "actors/idempotent.hpp"
#include "actors/pool_rules.hpp"

namespace troupe::actors {

namespace detail {

/// What a pool knows of one message of its workers' protocol.
struct PoolMessage {
  std::uint32_t type_id = 0;
  bool is_idempotent = false;
  CopyMessage copy = nullptr;
};

template <class... Messages>
std::span<const PoolMessage> pool_messages(std::type_identity<Protocol<Messages...>>) {
  static constexpr std::array<PoolMessage, sizeof...(Messages)> messages{
      PoolMessage{message_type<Messages>.id, is_idempotent<Messages>, &copy_message<Messages>}...};
  return messages;
}

/// The hash of a message's key; of a message that cannot be read, 0: its worker will refuse it.
using PoolKey = std::function<std::uint64_t(const MessageBlock& message, const void* context)>;

template <class Function, class... Messages>
PoolKey pool_key(Function function, std::type_identity<Protocol<Messages...>>) {
  return [function = std::move(function)](const MessageBlock& message, const void* context) {
    std::uint64_t hash = 0;
    const auto try_as = [&]<class M>(std::type_identity<M>) {
      if (message.type == &message_type<M>) {
        hash = key_hash(function(*std::launder(static_cast<const M*>(message.value()))));
        return true;
      }
      if (message.type_id != message_type<M>.id) {
        return false;
      }
      base::Bytes body;
      encode_body(message, body, true);
      const auto decoded = base::from_wire<M>(body, context);
      hash = decoded.ok() ? key_hash(function(decoded.value())) : 0;
      return true;
    };
    (void)(try_as(std::type_identity<Messages>{}) || ...);
    return hash;
  };
}

}  // namespace detail

/// Which worker of a pool gets a message.
class Routing {
 public:
  enum class Kind : std::uint8_t {
    round_robin,
    random,
    least_loaded,
    by_key,
    broadcast,
    on_demand,
  };

  /// In turn; who has no room is passed over.
  static Routing round_robin() { return Routing{Kind::round_robin}; }
  static Routing random() { return Routing{Kind::random}; }
  /// The one of two drawn at random that has less to do: in its mailbox, in hand, in coroutines
  /// that wait, put aside, or to be answered later. M. Mitzenmacher, "The Power of Two Choices in
  /// Randomized Load Balancing" (2001).
  static Routing least_loaded() { return Routing{Kind::least_loaded}; }
  /// Messages with equal keys go to one worker, in order. `key` takes a `const M&` of every message
  /// of the protocol and gives an integer, an enumeration or text; it is called by senders too, on
  /// any thread, and looks at nothing else. A resize moves few keys (jump_hash) and waits until
  /// what was given out before has been handled.
  ///
  /// A worker that is slow holds up its own keys only: each has an equal share of the pool's
  /// mailbox, and who sends to one whose share is full is told, or waits, by the pool's `overflow`
  /// (but for drop_newest and drop_oldest, where all wait for it). Messages of other nodes take no
  /// share; if they fill it nevertheless, all wait.
  template <class Worker, class Function>
  static Routing by_key(Function key) {
    Routing routing{Kind::by_key};
    routing.key_ = detail::pool_key(std::move(key), std::type_identity<ProtocolOf<Worker>>{});
    return routing;
  }
  /// To every worker that lives, and each handles it, whoever answers first. An asker gets the
  /// first value or refusal; without any, when all have ended, not_run if none began it and
  /// otherwise may_have_run.
  static Routing broadcast() { return Routing{Kind::broadcast}; }
  /// Workers pull: one message at a time to whoever is free, the rest waits in the pool. Who has
  /// put a message aside, or has yet to answer one, is not free.
  static Routing on_demand() { return Routing{Kind::on_demand}; }

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const detail::PoolKey& key() const { return key_; }

 private:
  explicit Routing(Kind kind) : kind_(kind) {}

  Kind kind_;
  detail::PoolKey key_;
};

struct PoolOptions {
  std::uint32_t workers = 4;
  Routing routing = Routing::round_robin();
  PoolScaling scaling;
  /// Of the pool itself. Its mailbox is where work waits when no worker has room.
  SpawnOptions pool;
  /// Of each worker, but for `restart`.
  SpawnOptions worker{.mailbox_messages_max = 100};
  /// A worker that ends, in whatever way, is replaced, at this pace. Where restarts are limited,
  /// the pool itself fails when a worker's are spent.
  RestartPolicy restart{.restarts_max = RestartPolicy::restarts_unlimited,
                        .backoff_min = std::chrono::milliseconds{10},
                        .backoff_max = std::chrono::seconds{1}};
  /// How often idempotent work is begun before its last failure stands.
  std::uint32_t attempts_max = 3;
};

/// A pool at one moment.
struct PoolStatus {
  std::uint32_t workers = 0;   ///< that live, without those that only finish what they have
  std::uint64_t waiting = 0;   ///< messages that the pool holds back, without its mailbox
  std::uint64_t replaced = 0;  ///< workers that ended and were replaced
};

/// A pool's reference: one actor's to all who send, and the way to change its size. Thread-safe.
template <class Worker>
class PoolRef : public ActorRef<Worker> {
 public:
  PoolRef() = default;
  PoolRef(AnyRef pool, std::shared_ptr<detail::PoolShared> shared)
      : ActorRef<Worker>(pool), shared_(std::move(shared)) {}

  /// Takes effect in the pool's next turn. A worker too many gets nothing more, finishes what it
  /// has (also what it answers later, put aside, or streams), and ends. With scaling, the size goes
  /// on from there.
  void resize(std::uint32_t workers) const;
  [[nodiscard]] PoolStatus status() const {
    return {shared_->workers.load(std::memory_order_relaxed),
            shared_->waiting.load(std::memory_order_relaxed),
            shared_->replaced.load(std::memory_order_relaxed)};
  }

 private:
  std::shared_ptr<detail::PoolShared> shared_;
};

namespace detail {

/// All that a pool is made of; the same for each of its lives.
struct PoolSetup {
  PoolOptions options;
  const ActorType* worker_type = nullptr;
  std::function<ActorFactory(std::shared_ptr<PoolWorkerLink>)> worker_factory;
  std::span<const PoolMessage> messages;
};

[[nodiscard]] ActorType pool_actor_type(ProtocolInfo (*protocol)());
[[nodiscard]] base::Result<AnyRef> spawn_pool(ActorSystem& system, ActorCell* parent,
                                              const ActorType& type, PoolSetup setup,
                                              const std::shared_ptr<PoolShared>& shared);
void resize_pool(const std::shared_ptr<PoolShared>& shared, const AnyRef& pool,
                 std::uint32_t workers);

template <class Worker, class... Args>
base::Result<PoolRef<Worker>> spawn_pool(ActorSystem& system, ActorCell* parent,
                                         PoolOptions options, Args... args) {
  static_assert(!std::is_final_v<Worker>, "a pool's worker class cannot be final");
  static const ActorType type = pool_actor_type(&actors::protocol_info<Worker>);
  PoolSetup setup{std::move(options), &actor_type<PoolWorker<Worker>>(),
                  [args...](std::shared_ptr<PoolWorkerLink> link) -> ActorFactory {
                    return [args..., link = std::move(link)]() -> std::unique_ptr<Actor> {
                      return std::make_unique<PoolWorker<Worker>>(link, args...);
                    };
                  },
                  pool_messages(std::type_identity<ProtocolOf<Worker>>{})};
  const auto shared = std::make_shared<PoolShared>();
  const auto pool = spawn_pool(system, parent, type, std::move(setup), shared);
  if (!pool.ok()) {
    return pool.error();
  }
  return PoolRef<Worker>{pool.value(), shared};
}

}  // namespace detail

/// Starts equal workers behind one reference. `args` are copied for every worker. The workers are
/// children of the pool, which is a child of the system's root. Errors as of ActorSystem::spawn().
///
/// Handlers are as in any actor; `Worker` is not final. The pool passes messages on unopened, so
/// that asks end as the worker's do, and senders of a saturated pool are told by its mailbox. What
/// no worker has room for waits in the pool. No work is lost when a worker ends, whatever the
/// reason: what it had not begun goes to another (by key and on broadcast: to its replacement),
/// what it had begun ends as may_have_run, or is begun again elsewhere if its type is idempotent
/// (on broadcast it is not). Messages that come while a worker stops itself may still end as
/// not_run (stopped). A request that its asker cancels is not handled if it still waits in the
/// pool, or in a worker's mailbox unless it is idempotent or a broadcast.
template <class Worker, class... Args>
base::Result<PoolRef<Worker>> spawn_pool(ActorSystem& system, PoolOptions options, Args... args) {
  return detail::spawn_pool<Worker>(system, nullptr, std::move(options), std::move(args)...);
}
/// The same as a child of an actor, which calls it in its own turn: `spawn_pool<Worker>(*this, …)`.
template <class Worker, class... Args>
base::Result<PoolRef<Worker>> spawn_pool(Actor& actor, PoolOptions options, Args... args) {
  ActorCell& cell = detail::cell_of(actor);
  return detail::spawn_pool<Worker>(cell.system(), &cell, std::move(options), std::move(args)...);
}

template <class Worker>
void PoolRef<Worker>::resize(std::uint32_t workers) const {
  detail::resize_pool(shared_, *this, workers);
}

}  // namespace troupe::actors
