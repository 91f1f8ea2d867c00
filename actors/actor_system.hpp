#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "actors/actor_cell.hpp"
#include "actors/ask_chain.hpp"
#include "actors/dispatch.hpp"
#include "actors/pending_requests.hpp"
#include "actors/scheduler.hpp"
#include "actors/thread_number.hpp"
#include "actors/timers.hpp"
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

class OwnThreads;

struct ActorSystemOptions {
  /// This process as references name it.
  base::NodeId node{"local", 0};
  /// Of everything random in the system.
  std::uint64_t seed = 1;
  /// Whether SpawnOptions::own_thread starts threads; off in a simulation.
  bool own_threads = true;
};

/// sent = delivered + in_flight + the sum of dead. Exact when nothing moves meanwhile.
struct LedgerSnapshot {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;  ///< handed to a handler, or to the link towards another node
  std::uint64_t in_flight = 0;  ///< in mailboxes
  std::array<std::uint64_t, base::outcome_count> dead{};  ///< by base::Outcome

  [[nodiscard]] bool is_balanced() const;
  /// "sent 7 = delivered 5 + in flight 0 + stopped 2".
  [[nodiscard]] std::string text() const;
};

/// A message that nobody handled: refused at once, or lost after it was accepted.
struct DeadLetter {
  std::string message;   ///< its type's name; of one that came encoded, "#" and the type's number
  base::ActorId target;  ///< 0: it was sent to a name that led to nobody
  base::ActorId sender;  ///< 0: no actor sent it. An actor of another node by its number there
  base::Outcome reason = base::Outcome::stopped;
  std::string cause;  ///< for a person; may be empty
};

/// One process's actors without a network: spawns them, finds them by number, keeps the ledger.
///
/// Thread-safe. Clock and scheduler come from outside and outlive it; the scheduler is this
/// system's alone. stop_all() ends all actors in order. Destruction stops the scheduler, waits for
/// the turns that are under way, and ends what still lives without a word to anybody; after it no
/// reference may be used. Where all actors have ended in order, it aborts if the ledger does not
/// add up. At most `actors_max` live at once.
class ActorSystem {
 public:
  static constexpr std::uint32_t cells_a_chunk = 8192;
  static constexpr std::uint32_t actors_max = 4U << 20U;
  static constexpr std::size_t dead_letters_kept = 256;

  ActorSystem(ActorSystemOptions options, const base::Clock& clock, Scheduler& scheduler);
  ~ActorSystem();
  ActorSystem(const ActorSystem&) = delete;
  ActorSystem& operator=(const ActorSystem&) = delete;

  /// Starts an actor under the system's root supervisor. `args` are copied for every restart.
  /// limit_exceeded when actors_max live or there is no thread for own_thread, invalid_argument for
  /// Overflow::fallback without overflow_to, closed after stop_all(). What its constructor or
  /// on_start() throws is no error of this, but the actor's first failure.
  template <class A, class... Args>
  base::Result<ActorRef<A>> spawn(SpawnOptions options, Args... args) {
    auto spawned = spawn_any(actor_type<A>(), make_maker<A, Args...>(std::move(args)...),
                             std::move(options), nullptr);
    if (!spawned.ok()) {
      return spawned.error();
    }
    return ActorRef<A>{spawned.value()};
  }
  /// The untyped way; `parent` is the cell of the actor that runs now, or null for the root.
  base::Result<AnyRef> spawn_any(const ActorType& type, MakerPtr maker, SpawnOptions&& options,
                                 ActorCell* parent);
  base::Result<AnyRef> spawn_any(const ActorType& type, ActorFactory factory, SpawnOptions options,
                                 ActorCell* parent);

  /// Ends one actor in order, for good: its children first. Only a Supervisor starts its permanent
  /// child again, as after any end that it did not want: Supervisor::remove_child() ends that one.
  void stop(const AnyRef& actor, ExitReason reason = ExitReason::stopped, std::string text = {});
  /// Ends one actor in order; what is still in its mailbox goes to `successor`.
  void hand_over(const AnyRef& actor, const AnyRef& successor);
  /// Ends all actors in order: those that no actor spawned one after another, the last one started
  /// first. Each has its stop_timeout to end with its children; then it is let go of and killed, so
  /// that none holds up the others. Calls back, once, when the last has ended or was let go of; at
  /// once if that was so before. May be repeated: everyone is called back.
  void stop_all(std::function<void()> done);

  /// Ends everything without a turn and without a word to watchers, because the sinks that actors
  /// write to are about to be destroyed. Stops the scheduler. May be repeated.
  void abandon();

  /// The sink of a number of this process, an actor's or a request's, for what comes from the wire:
  /// null if there never was such a number.
  [[nodiscard]] MessageSink* sink_of(base::ActorId id);
  /// The cell that a scheduler knows by this address, of whatever it may be the address; null if
  /// it is no cell of this system.
  [[nodiscard]] const ActorCell* cell_of(const Runnable* runnable) const;
  /// Runs a function in an actor, between its messages and ahead of those in its mailbox; what it
  /// throws fails the actor. False if the actor is gone, or none of this process. True does not
  /// promise the run: an actor that ends first, or has crashed and waits for its restart, drops it.
  bool call(const AnyRef& actor, std::function<void()> function);

  [[nodiscard]] const base::NodeId& node() const { return options_.node; }
  [[nodiscard]] const base::Clock& clock() const { return clock_; }
  [[nodiscard]] Timers& timers() { return timers_; }
  /// What runs actors that have no other.
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  /// The threads of actors that have one each.
  [[nodiscard]] const OwnThreads& own_threads() const { return *own_threads_; }
  [[nodiscard]] PendingRequests& requests() { return requests_; }
  [[nodiscard]] const PendingRequests& requests() const { return requests_; }
  [[nodiscard]] AskChains& ask_chains() { return ask_chains_; }
  [[nodiscard]] std::uint64_t seed() const { return options_.seed; }
  /// How references in messages find their sinks; null outside of a node. Set before the first
  /// message from the wire; outlives the system.
  void set_resolver(RefResolver* resolver) { resolver_ = resolver; }
  [[nodiscard]] RefResolver* resolver() const { return resolver_; }

  /// Where the system tells what happens in it (system_events.hpp): an actor, usually an
  /// EventStream. What finds its mailbox full is gone. Set once, before other actors are spawned.
  void set_events(const AnyRef& events) { events_ = events; }
  template <base::Message Event>
  void tell_event(Event event) {
    if (events_) {
      Envelope envelope = Envelope::of(BlockKind::message, message_type<Event>, std::move(event));
      envelope->target = events_.id();
      (void)events_.sink()->deliver(std::move(envelope));  // no dead letter, which would be told
    }
  }
  [[nodiscard]] bool tells_events() const { return static_cast<bool>(events_); }

  [[nodiscard]] LedgerSnapshot ledger() const;
  /// The last dead_letters_kept, the oldest first.
  [[nodiscard]] std::vector<DeadLetter> recent_dead_letters() const;
  /// Actors alive, without the root supervisor.
  [[nodiscard]] std::uint32_t actor_count() const;

  // For cells and other sinks: every message passes exactly one of each column.
  void count_sent() { add(&CounterShard::sent, 1); }
  void uncount_sent() { add(&CounterShard::sent, -1); }
  void count_delivered() { add(&CounterShard::delivered, 1); }
  /// A message that deliver() did not accept: counts it as sent and dead.
  void reject(const Envelope& message, base::Outcome outcome);
  /// A message that was accepted and will not be handled: counts it dead and tells its asker.
  void dead_letter(Envelope message, AskError error);
  /// A message that was counted as delivered to a link but never arrived.
  void undeliver(const MessageBlock& message, base::Outcome outcome);
  /// A reply that nobody waits for any more.
  void count_late_reply() { late_replies_.fetch_add(1, std::memory_order_relaxed); }

  // For cells: the other cells, and the children of the root, which no turn owns.
  /// The cell of an index that was given out.
  [[nodiscard]] ActorCell& cell(std::uint32_t index) const {
    Chunk* chunk = (*chunks_)[index / cells_a_chunk].load(std::memory_order_acquire);
    return *std::launder(
        reinterpret_cast<ActorCell*>(chunk->memory + (index % cells_a_chunk) * sizeof(ActorCell)));
  }
  /// A cell in which nobody lives any more.
  void give_back(ActorCell& cell);
  void count_ended() { add(&CounterShard::ended, 1); }
  void end_root_child(ActorCell& child);
  void stop_root_children();
  void stop_last_root_child();
  void let_go_of_overdue_root_child();
  void end_root_stop();
  [[nodiscard]] bool has_root_children() const;
  void root_ended();

 private:
  struct Chunk {
    alignas(ActorCell) std::byte memory[cells_a_chunk * sizeof(ActorCell)];
  };
  struct alignas(64) CounterShard {
    std::atomic<std::uint64_t> sent{0};
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> spawned{0};
    std::atomic<std::uint64_t> ended{0};
  };
  /// Vacant cells, so that most spawns and ends need no lock; used by one thread.
  struct alignas(64) CellCache {
    static constexpr std::uint32_t cells_max = 63;
    std::uint32_t count = 0;
    std::array<std::uint32_t, cells_max> cells;
  };
  static constexpr std::size_t shard_count = thread_numbers_max + 1;
  static constexpr std::uint32_t root_index = 0;

  /// Threads that have a number have a shard each, without a locked addition; the first shard is
  /// for the rest.
  void add(std::atomic<std::uint64_t> CounterShard::*counter, std::int64_t count) {
    const std::uint32_t thread = thread_number();
    if (thread != 0) [[likely]] {
      auto& own = shards_[thread].*counter;
      own.store(own.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(count),
                std::memory_order_relaxed);
    } else {
      (shards_[0].*counter).fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
    }
  }
  ActorCell* cell_at(std::uint32_t index) const;
  ActorCell* take_cell();
  ActorCell* claim_cached(CellCache& cache);
  void fill(CellCache& cache) TROUPE_REQUIRES(mutex_);
  ActorCell* add_cell() TROUPE_REQUIRES(mutex_);
  void add_root_child(ActorCell& child);
  void note_dead(const MessageBlock& message, base::Outcome reason, std::string cause = {});

  [[nodiscard]] Scheduler* scheduler_for(SpawnOptions& options);

  ActorSystemOptions options_;
  const base::Clock& clock_;
  Scheduler& scheduler_;
  std::unique_ptr<OwnThreads> own_threads_;
  RefResolver* resolver_ = nullptr;
  AnyRef events_;
  Timers timers_;
  PendingRequests requests_;
  AskChains ask_chains_{actors_max};
  std::array<CounterShard, shard_count> shards_;
  std::array<std::atomic<std::uint64_t>, base::outcome_count> dead_{};
  std::atomic<std::uint64_t> late_replies_{0};
  std::atomic<std::uint32_t> cells_used_{0};
  std::atomic<bool> is_stopping_{false};
  /// By thread_number(); the first one is shared, and used under shared_cache_mutex_.
  std::array<CellCache, shard_count> caches_;
  /// Before mutex_ where both are taken.
  base::Mutex shared_cache_mutex_;
  /// Guards the links among the root's children.
  mutable base::Mutex root_mutex_;
  bool root_awaits_children_ TROUPE_GUARDED_BY(root_mutex_) = false;
  /// The child of the root that was asked to end; those started before it follow.
  base::ActorId root_stopping_ TROUPE_GUARDED_BY(root_mutex_);
  // Of the root's turn.
  Timers::Id root_stop_timer_ = 0;
  base::TimePoint root_stop_due_ = base::time_never;
  mutable base::Mutex mutex_;
  std::vector<std::uint32_t> free_cells_ TROUPE_GUARDED_BY(mutex_);
  std::vector<DeadLetter> dead_letters_ TROUPE_GUARDED_BY(mutex_);
  std::size_t dead_letters_next_ TROUPE_GUARDED_BY(mutex_) = 0;
  /// By stop_all(), not by abandon().
  bool has_ended_ TROUPE_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> stopped_ TROUPE_GUARDED_BY(mutex_);
  std::unique_ptr<std::array<std::atomic<Chunk*>, actors_max / cells_a_chunk>> chunks_;
  AnyRef root_;
};

template <class A, class... Args>
base::Result<ActorRef<A>> Actor::spawn(SpawnOptions options, Args... args) {
  auto spawned = system().spawn_any(actor_type<A>(), make_maker<A, Args...>(std::move(args)...),
                                    std::move(options), &cell());
  if (!spawned.ok()) {
    return spawned.error();
  }
  return ActorRef<A>{spawned.value()};
}

}  // namespace troupe::actors
