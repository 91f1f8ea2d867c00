// actors-stress --messages N --seed S [--actors A] [--workers W]: a random crowd of actors that
// stop, crash, are restarted, ask and give up, until N messages were handled. Then everything must
// agree: the ledger, the order of each pair, the end of each ask. Exits with 1 and says what does
// not.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/pool.hpp"
#include "actors/timer_thread.hpp"
#include "actors/worker_pool.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t actors_a_branch = 100;
/// Messages that the feeder keeps in the mailboxes.
constexpr std::uint64_t in_flight_wanted = 5'000;
constexpr base::Duration feeding_interval = 1ms;

/// Who sent a message, and as which of its messages: for the order of a pair.
struct Stamp {
  std::uint64_t life = 0;
  std::uint64_t number = 0;
  TROUPE_MESSAGE(Stamp, life, number)
};
/// Handled at once, then passed on.
struct Work {
  Stamp stamp;
  TROUPE_MESSAGE(Work, stamp)
};
/// Handled by a coroutine, which sends and asks.
struct Visit {
  Stamp stamp;
  TROUPE_MESSAGE(Visit, stamp)
};
/// Answered at once, later, by another actor, by a refusal, or by nobody.
struct Query {
  using Reply = std::uint64_t;
  Stamp stamp;
  std::uint32_t forwards = 0;
  TROUPE_MESSAGE(Query, stamp, forwards)
};
struct AnswerLater {
  TROUPE_MESSAGE(AnswerLater)
};
struct Fail {
  TROUPE_MESSAGE(Fail)
};
struct Feed {
  TROUPE_MESSAGE(Feed)
};

class Member;
using MemberProtocol = Protocol<Work, Visit, Query, AnswerLater, Fail>;
using MemberRef = ActorRef<MemberProtocol>;

/// What the actors share, and what they found. Thread-safe.
struct World {
  explicit World(std::size_t actors) : places(actors) {}

  struct Place {
    base::Mutex mutex;
    MemberRef member TROUPE_GUARDED_BY(mutex);
  };
  [[nodiscard]] MemberRef pick(base::Random& random) {
    Place& place = places[random.below(places.size())];
    base::MutexLock lock{place.mutex};
    return place.member;
  }
  void put(std::size_t place, MemberRef member) {
    base::MutexLock lock{places[place].mutex};
    places[place].member = member;
  }
  [[nodiscard]] bool is_over() const { return left.load(std::memory_order_relaxed) <= 0; }

  std::vector<Place> places;
  std::atomic<std::int64_t> left{0};
  std::atomic<std::uint64_t> lives{0};
  std::atomic<std::uint64_t> disorders{0};
  std::atomic<std::uint64_t> crashes{0};
  std::atomic<std::uint64_t> stops{0};
  std::atomic<std::uint64_t> asks_begun{0};
  std::atomic<std::uint64_t> asks_ended{0};
  std::atomic<std::uint64_t> asks_dropped{0};
  std::atomic<std::uint64_t> callbacks_awaited{0};
  std::atomic<std::uint64_t> callbacks_twice{0};
  std::latch finished{1};
};

/// Of a message to a pool by key: its sender.
struct SenderOf {
  template <class M>
  std::uint64_t operator()(const M& message) const {
    if constexpr (requires { message.stamp; }) {
      return message.stamp.life;
    } else {
      return 0;
    }
  }
};

/// Counts an ask of a coroutine as ended, however it ends: also with its actor.
class CountedAsk {
 public:
  explicit CountedAsk(World& world) : world_(world) { world_.asks_begun.fetch_add(1); }
  ~CountedAsk() { world_.asks_ended.fetch_add(1); }
  CountedAsk(const CountedAsk&) = delete;
  CountedAsk& operator=(const CountedAsk&) = delete;

 private:
  World& world_;
};

class Member : public Actor {
 public:
  using Protocol = MemberProtocol;
  explicit Member(World* world) : world_(*world), life_(world->lives.fetch_add(1) + 1) {}

  void on(const Work& m) {
    begin(m.stamp);
    const std::uint64_t dice = random().below(10'000);
    if (dice < 2) {
      world_.crashes.fetch_add(1);
      if (dice == 0) {
        throw 42;
      }
      throw std::runtime_error{"as the dice say"};
    }
    if (dice < 3) {
      world_.stops.fetch_add(1);
      stop();
    } else if (dice < 300) {
      (void)world_.pick(random()).tell(Visit{stamp()});
    } else if (dice < 350) {
      auto given_up = world_.pick(random()).ask(Query{stamp()}, 10ms);
      world_.asks_dropped.fetch_add(1);
    } else {
      pass_on();
    }
  }

  Task<void> on(Visit m) {
    begin(m.stamp);
    const MemberRef to = world_.pick(random());
    if (random().chance(0.5)) {
      Query query{stamp()};
      const CountedAsk counted{world_};
      auto asked = to.ask(query, base::Duration{1ms} * static_cast<int>(1 + random().below(50)));
      const auto answer = co_await asked;
      (void)answer.ok();
    } else {
      Work work{stamp()};
      auto sending = to.send(work, 20ms);
      (void)co_await sending;
    }
    if (random().chance(0.1)) {
      co_await delay(1ms);
    }
    if (random().chance(0.001)) {
      world_.crashes.fetch_add(1);
      throw std::runtime_error{"on the way"};
    }
    pass_on();
  }

  void on(const Query& m, ReplyTo<std::uint64_t> reply) {
    begin(m.stamp);
    const std::uint64_t dice = random().below(100);
    if (dice < 60) {
      reply.send(life_);
    } else if (dice < 70 && m.forwards < 3) {
      (void)reply.forward(world_.pick(random()), Query{stamp(), m.forwards + 1});
    } else if (dice < 80 && waiting_.size() < 100) {
      waiting_.push_back(std::move(reply));
      after(1ms, AnswerLater{});
    } else if (dice < 90) {
      reply.refuse("as the dice say");
    } else if (dice < 92) {
      world_.crashes.fetch_add(1);
      throw std::runtime_error{"while asked"};
    }  // else nobody answers, and the asker hears so
    pass_on();
  }

  void on(const AnswerLater&) {
    if (!waiting_.empty()) {
      waiting_.back().send(life_);
      waiting_.pop_back();
    }
  }

  void on(const Fail&) {
    world_.crashes.fetch_add(1);
    throw std::logic_error{"as it was told"};
  }

 private:
  static constexpr std::size_t senders_known_max = 5'000;

  [[nodiscard]] Stamp stamp() { return {life_, ++sent_}; }

  void begin(const Stamp& stamp) {
    world_.left.fetch_sub(1, std::memory_order_relaxed);
    if (stamp.life == 0) {
      return;
    }
    if (last_.size() > senders_known_max) {
      last_.clear();
    }
    std::uint64_t& last = last_[stamp.life];
    if (stamp.number <= last) {
      world_.disorders.fetch_add(1);
    }
    last = stamp.number;
  }

  void pass_on() {
    if (!world_.is_over()) {
      (void)world_.pick(random()).tell(Work{stamp()});
    }
  }

  World& world_;
  const std::uint64_t life_;
  std::uint64_t sent_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> last_;
  std::vector<ReplyTo<std::uint64_t>> waiting_;
};

/// Keeps its places occupied, by members of all tempers.
class Branch final : public Actor {
 public:
  using Protocol = actors::Protocol<Fail>;
  Branch(World* world, std::size_t first) : world_(*world), first_(first) {}

  void on_start() override {
    for (std::size_t i = 0; i < actors_a_branch && first_ + i < world_.places.size(); ++i) {
      occupy(first_ + i);
    }
  }
  void on(const Fail&) { throw std::runtime_error{"a branch breaks"}; }
  void on(const Terminated& ending) {
    const auto found = places_.find(ending.actor.id().value);
    if (found != places_.end()) {
      const std::size_t place = found->second;
      places_.erase(found);
      occupy(place);
    }
  }

 private:
  void occupy(std::size_t place) {
    SpawnOptions options;
    options.mailbox_messages_max = static_cast<std::uint32_t>(1 + random().below(200));
    options.restart = {
        .restart = random().chance(0.5) ? Restart::permanent : Restart::transient,
        .restarts_max = random().chance(0.1) ? 50 : RestartPolicy::restarts_unlimited,
        .backoff_min = 1ms,
        .backoff_max = 5ms};
    if (random().chance(0.1)) {
      options.restart.restart = Restart::temporary;
    }
    if (random().chance(0.3)) {
      options.overflow = static_cast<Overflow>(random().below(5));
      options.overflow_to =
          options.overflow == Overflow::fallback ? world_.pick(random()) : AnyRef{};
      options.mailbox_bytes_max = random().chance(0.3) ? 2'000 : 0;
    }
    if (random().chance(0.3)) {
      options.on_crash = OnCrash::retry_message;
    }
    const auto member = spawn<Member>(std::move(options), &world_);
    if (member.ok()) {
      world_.put(place, member.value());
      places_[member.value().id().value] = place;
      watch(member.value());
    }
  }

  World& world_;
  const std::size_t first_;
  std::unordered_map<std::uint64_t, std::size_t> places_;
};

using Pools = std::vector<PoolRef<Member>>;

/// Brings in messages, and trouble.
class Feeder final : public Actor {
 public:
  using Protocol = actors::Protocol<Feed>;
  Feeder(World* world, std::vector<ActorRef<Branch>> branches, Pools pools)
      : world_(*world), branches_(std::move(branches)), pools_(std::move(pools)) {}

  void on_start() override { every(feeding_interval, Feed{}); }
  void on(const Feed&) {
    if (world_.is_over()) {
      if (!std::exchange(is_done_, true)) {
        world_.finished.count_down();
      }
      return;
    }
    for (std::uint64_t i = system().ledger().in_flight; i < in_flight_wanted; ++i) {
      (void)world_.pick(random()).tell(Work{});
    }
    for (int i = 0; i < 5; ++i) {
      ask(world_.pick(random()));
    }
    for (const auto& pool : pools_) {
      for (int i = 0; i < 20; ++i) {
        (void)pool.tell(Work{});
      }
      ask(pool);
      if (random().chance(0.1)) {
        pool.resize(static_cast<std::uint32_t>(1 + random().below(10)));
      }
    }
    if (random().chance(0.3)) {
      (void)world_.pick(random()).tell(Fail{});
    }
    if (random().chance(0.3)) {
      world_.stops.fetch_add(1);
      stop(world_.pick(random()));
    }
    if (random().chance(0.01)) {
      (void)branches_[random().below(branches_.size())].tell(Fail{});
    }
  }

 private:
  void ask(const MemberRef& member) {
    world_.callbacks_awaited.fetch_add(1);
    world_.asks_begun.fetch_add(1);
    member.ask(Query{}, 20ms)
        .then([&world = world_, is_called = std::make_shared<bool>(false)](const auto&) {
          if (std::exchange(*is_called, true)) {
            world.callbacks_twice.fetch_add(1);
            return;
          }
          world.asks_ended.fetch_add(1);
          world.callbacks_awaited.fetch_sub(1);
          world.callbacks_awaited.notify_all();
        });
  }

  World& world_;
  std::vector<ActorRef<Branch>> branches_;
  Pools pools_;
  bool is_done_ = false;
};

struct StressOptions {
  std::uint64_t messages = 200'000;
  std::uint64_t seed = 1;
  std::uint64_t actors = 1'000;
  std::uint64_t workers = 2;
};

/// True where it holds; else says what does not.
bool holds(bool it_does, std::string_view otherwise) {
  if (!it_does) {
    std::printf("WRONG: %.*s\n", static_cast<int>(otherwise.size()), otherwise.data());
  }
  return it_does;
}

bool is_right(const World& world, ActorSystem& system) {
  const LedgerSnapshot ledger = system.ledger();
  std::printf(
      "%s\n%llu lives, %llu crashes, %llu stops; asks: %llu begun, %llu ended, %llu given up\n",
      ledger.text().c_str(), static_cast<unsigned long long>(world.lives.load()),
      static_cast<unsigned long long>(world.crashes.load()),
      static_cast<unsigned long long>(world.stops.load()),
      static_cast<unsigned long long>(world.asks_begun.load()),
      static_cast<unsigned long long>(world.asks_ended.load()),
      static_cast<unsigned long long>(world.asks_dropped.load()));
  bool all = holds(ledger.is_balanced(), "the ledger does not add up");
  all &= holds(ledger.in_flight == 0, "messages are left in mailboxes");
  all &= holds(world.disorders == 0, "messages of a pair were handled out of order");
  all &= holds(world.asks_begun == world.asks_ended, "asks have not ended");
  all &= holds(world.callbacks_twice == 0, "an ask ended twice");
  all &= holds(system.requests().open_count() == 0, "requests are open");
  all &= holds(system.actor_count() == 0, "actors are left");
  return all;
}

bool run(const StressOptions& options) {
  World world{options.actors};
  world.left = static_cast<std::int64_t>(options.messages);
  const base::SteadyClock clock;
  WorkerPool pool{{.workers = static_cast<std::uint32_t>(options.workers), .backlog_min = 2}};
  ActorSystem system{ActorSystemOptions{.seed = options.seed}, clock, pool};
  TimerThread timer{system.timers(), clock};
  std::vector<ActorRef<Branch>> branches;
  for (std::size_t first = 0; first < options.actors; first += actors_a_branch) {
    SpawnOptions spawning;
    spawning.restart = {.restart = Restart::permanent,
                        .restarts_max = RestartPolicy::restarts_unlimited,
                        .backoff_min = 1ms,
                        .backoff_max = 5ms};
    branches.push_back(system.spawn<Branch>(spawning, &world, first).value());
  }
  Pools pools;
  for (const auto& routing :
       {Routing::round_robin(), Routing::random(), Routing::least_loaded(),
        Routing::by_key<Member>(SenderOf{}), Routing::broadcast(), Routing::on_demand()}) {
    PoolOptions pool_options;
    pool_options.routing = routing;
    pool_options.restart.backoff_min = 1ms;
    pools.push_back(spawn_pool<Member>(system, pool_options, &world).value());
  }
  (void)system.spawn<Feeder>({}, &world, branches, pools).value();
  pool.start();
  world.finished.wait();
  std::latch stopped{1};
  system.stop_all([&stopped] { stopped.count_down(); });
  stopped.wait();
  for (auto open = world.callbacks_awaited.load(); open != 0;
       open = world.callbacks_awaited.load()) {
    world.callbacks_awaited.wait(open);
  }
  pool.stop();
  return is_right(world, system);
}

}  // namespace
}  // namespace troupe::actors

int main(int argc, char** argv) {
  troupe::actors::StressOptions options;
  if (const char* seed = std::getenv("TROUPE_SEED")) {
    options.seed = std::strtoull(seed, nullptr, 0);
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    std::uint64_t* option = name == "--messages"  ? &options.messages
                            : name == "--seed"    ? &options.seed
                            : name == "--actors"  ? &options.actors
                            : name == "--workers" ? &options.workers
                                                  : nullptr;
    if (option == nullptr) {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
    *option = std::strtoull(argv[i + 1], nullptr, 0);
  }
  troupe::base::Log::configure(troupe::base::LogLevel::off, troupe::base::LogFormat::text,
                               "stress");
  std::printf("replay with: %s --messages %llu --seed %llu --actors %llu --workers %llu\n", argv[0],
              static_cast<unsigned long long>(options.messages),
              static_cast<unsigned long long>(options.seed),
              static_cast<unsigned long long>(options.actors),
              static_cast<unsigned long long>(options.workers));
  std::fflush(stdout);
  return troupe::actors::run(options) ? 0 : 1;
}
