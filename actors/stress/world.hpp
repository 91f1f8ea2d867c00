#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/channel.hpp"
#include "actors/pool.hpp"
#include "actors/reply_stream.hpp"
#include "actors/stress/evidence.hpp"
#include "actors/supervisor.hpp"
#include "actors/topic.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"

namespace troupe::actors::stress {

using namespace std::chrono_literals;

struct StressOptions {
  std::uint64_t messages = 200'000;
  std::uint64_t seed = 1;
  std::uint64_t actors = 1'000;
  std::uint64_t workers = 2;
  /// On one thread, with a clock moved by hand: the seed replays the run exactly.
  std::uint64_t steps = 0;
  /// How much later than its deadline an ask may end, in milliseconds.
  std::uint64_t slack_ms = 10'000;
  /// Without progress for so long, in seconds, the run has failed.
  std::uint64_t stall_s = 30;
};

/// Who sent a message, to whom, and as which of its messages: for the order of a pair. Number 0 is
/// in no order.
struct Stamp {
  std::uint32_t from = 0;
  std::uint32_t life = 0;
  std::uint32_t to = 0;
  std::uint32_t number = 0;
  TROUPE_MESSAGE(Stamp, from, life, to, number)
};
/// Handled at once, then passed on.
struct Work {
  Stamp stamp;
  TROUPE_MESSAGE(Work, stamp)
};
/// The same, with something to carry.
struct Parcel {
  Stamp stamp;
  std::string content;
  TROUPE_MESSAGE(Parcel, stamp, content)
};
/// Overtakes others where mailboxes are ordered by priority.
struct Urgent {
  static constexpr int priority = 10;
  Stamp stamp;
  TROUPE_MESSAGE(Urgent, stamp)
};
/// Published by topics.
struct News {
  Stamp stamp;
  std::uint32_t topic = 0;
  TROUPE_MESSAGE(News, stamp, topic)
};
/// Handled by a coroutine, which waits for others in one of many ways.
struct Visit {
  Stamp stamp;
  TROUPE_MESSAGE(Visit, stamp)
};
/// Answered at once, later, by another actor, by a refusal, or by nobody.
struct Query {
  using Reply = std::uint64_t;
  Stamp stamp;
  std::uint64_t question = 0;
  std::uint32_t forwards = 0;
  TROUPE_MESSAGE(Query, stamp, question, forwards)
};
struct Lookup {
  using Reply = std::uint64_t;
  static constexpr bool idempotent = true;
  std::uint64_t question = 0;
  TROUPE_MESSAGE(Lookup, question)
};
/// Answered by the numbers below `end`.
struct Count {
  using Reply = Stream<std::uint64_t>;
  std::uint64_t end = 0;
  TROUPE_MESSAGE(Count, end)
};
/// For pools: messages of one key are handled in order, whoever does it.
struct Keyed {
  std::uint32_t key = 0;
  std::uint32_t number = 0;
  TROUPE_MESSAGE(Keyed, key, number)
};
struct AnswerLater {
  TROUPE_MESSAGE(AnswerLater)
};
struct Fail {
  TROUPE_MESSAGE(Fail)
};
/// To who is responsible for a place that is empty.
struct Regrow {
  std::uint32_t place = 0;
  TROUPE_MESSAGE(Regrow, place)
};

using CrowdProtocol =
    Protocol<Work, Parcel, Urgent, News, Visit, Query, Lookup, Count, AnswerLater, Fail, Regrow>;
using CrowdRef = ActorRef<CrowdProtocol>;
using BranchProtocol = Protocol<Fail, Regrow>;
using BranchRef = ActorRef<BranchProtocol>;
using LaborerProtocol = Protocol<Work, Keyed, Query, Lookup, AnswerLater, Fail>;
using PoolOfLaborers = ActorRef<LaborerProtocol>;

constexpr std::uint32_t nobody = 0xFFFF'FFFF;
constexpr std::uint32_t topics = 3;

/// One actor's place in the topology: its temper stays, its lives come and go.
struct PlaceSpec {
  /// A branch, or another place whose actor is a plain parent.
  std::uint32_t branch = nobody;
  std::uint32_t parent = nobody;
  std::vector<std::uint32_t> children;
  /// Whom it knows; most of what it sends goes there.
  std::vector<std::uint32_t> knows;
  bool is_reentrant = false;
  bool stashes = false;
  bool subscribes = false;
  bool has_receive_timeout = false;
  /// Its end takes longer than anybody waits for it.
  bool lingers = false;
  /// In whose place it is asked for what finds its mailbox full.
  std::uint32_t fallback = nobody;
  SpawnOptions spawn;
};
/// A supervisor in the topology.
struct BranchSpec {
  std::uint32_t parent = nobody;
  std::vector<std::uint32_t> branches;
  std::vector<std::uint32_t> places;
  Strategy strategy = Strategy::one_for_one;
  RestartPolicy restarts;
};
/// Who supervises whom, who knows whom, and of what temper each is: all drawn from the seed.
struct Topology {
  std::vector<PlaceSpec> places;
  std::vector<BranchSpec> branches;
};
[[nodiscard]] Topology draw_topology(std::size_t actors, base::Random random);

/// One actor from its spawn to its end, over its restarts: what must agree, kept outside of it.
/// Touched by its handlers only, but for is_inside.
class Life {
 public:
  /// What is in order among itself: messages of one priority, and of each topic.
  enum Lane : std::uint32_t { plain, urgent, news };
  static constexpr std::uint32_t lanes = news + topics;

  Life(std::uint32_t its_number, std::uint32_t its_place, base::ActorId its_id, std::size_t senders)
      : number(its_number), place(its_place), id(its_id), last_(senders * lanes) {}

  /// Whether the message comes after all of its sender's that were seen here. `may_repeat`: the
  /// last one may come again.
  [[nodiscard]] bool is_in_order(const Stamp& stamp, std::uint32_t lane, bool may_repeat);

  /// A message was put aside; or taken back, because there was no room.
  void put_aside(const Stamp& stamp) { aside_[key_of(stamp)] = ++put_aside_; }
  void take_back(const Stamp& stamp) { aside_.erase(key_of(stamp)); }
  enum class Replay : std::uint8_t { no, in_order, out_of_order };
  /// Whether a message that comes had been put aside.
  [[nodiscard]] Replay replay(const Stamp& stamp);

  const std::uint32_t number;
  const std::uint32_t place;
  const base::ActorId id;
  std::uint32_t sent = 0;
  std::uint32_t restarts = 0;
  /// Coroutines that hold the mailbox.
  std::uint32_t holders = 0;
  std::atomic<bool> is_inside{false};
  /// Actors whose end it is still to hear of.
  std::unordered_map<std::uint64_t, AnyRef> watches;

 private:
  struct Last {
    std::uint32_t life = 0;
    std::uint32_t number = 0;
  };
  static std::uint64_t key_of(const Stamp& stamp) {
    return std::uint64_t{stamp.life} << 32U | stamp.number;
  }
  std::vector<Last> last_;
  std::unordered_map<std::uint64_t, std::uint64_t> aside_;
  std::uint64_t put_aside_ = 0;
  std::uint64_t replayed_ = 0;
  std::uint64_t replaying_ = 0;
};

/// To a warden: an actor began, which is to be watched.
struct Born {
  std::uint32_t place = 0;
  CrowdRef actor;
  TROUPE_MESSAGE(Born, place, actor)
};

/// What all actors of a run share. Thread-safe, but for what is set before they are spawned.
class World {
 public:
  /// Senders that are no place: the feeder and plain threads.
  static constexpr std::uint32_t outsiders = 8;

  World(const StressOptions& its_options, const base::Clock& clock);

  [[nodiscard]] CrowdRef at(std::uint32_t place) const {
    const CrowdRef* ref = places_[place].current.load(std::memory_order_acquire);
    return ref != nullptr ? *ref : CrowdRef{};
  }
  [[nodiscard]] std::uint32_t anyone(base::Random& random) const {
    return static_cast<std::uint32_t>(random.below(places_.size()));
  }
  /// The life of the actor that runs in a place: a new one, or the one that was restarted.
  [[nodiscard]] std::shared_ptr<Life> begin_life(std::uint32_t place, const CrowdRef& self);
  /// By whoever was told of the end.
  void end_life(std::uint32_t place, base::ActorId id);
  [[nodiscard]] bool is_alive(std::uint32_t place) const {
    return places_[place].alive.load(std::memory_order_acquire) != 0;
  }

  [[nodiscard]] std::uint32_t next_life() { return lives_.fetch_add(1) + 1; }
  [[nodiscard]] bool is_over() const { return left.load(std::memory_order_relaxed) <= 0; }
  [[nodiscard]] bool has_threads() const { return options.steps == 0; }
  /// As draw_topology() wanted it, with what can be told only now.
  [[nodiscard]] SpawnOptions spawn_options(std::uint32_t place) const;
  void put_branch(std::uint32_t branch, BranchRef ref);
  [[nodiscard]] BranchRef branch(std::uint32_t branch) const;

  const StressOptions options;
  const Topology topology;
  Evidence evidence;
  ActorSystem* system = nullptr;
  std::atomic<std::int64_t> left{0};
  std::vector<ActorRef<Protocol<Born>>> wardens;
  /// The first one routes by key; the last one gives every worker a copy.
  std::vector<PoolOfLaborers> pools;
  std::vector<std::function<void(std::uint32_t)>> resize_pool;
  std::vector<Topic<News>> topics;
  Channel<std::uint64_t> from_actors{8};
  Channel<std::uint64_t> to_actors{8};
  /// By key: the last number that was handled.
  std::array<std::atomic<std::uint32_t>, 64> keyed{};

 private:
  struct Place {
    std::atomic<const CrowdRef*> current{nullptr};
    /// The number of the actor that is believed to live here; 0: none.
    std::atomic<std::uint64_t> alive{0};
    base::Mutex mutex;
    /// By actor: one that was killed may still be here when its successor is.
    std::unordered_map<std::uint64_t, std::shared_ptr<Life>> lives TROUPE_GUARDED_BY(mutex);
  };

  std::vector<Place> places_;
  std::atomic<std::uint32_t> lives_{0};
  mutable base::Mutex mutex_;
  /// All that ever were in a place: who read one may still use it.
  std::deque<CrowdRef> refs_ TROUPE_GUARDED_BY(mutex_);
  std::vector<BranchRef> branches_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::actors::stress
