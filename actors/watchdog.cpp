#include "actors/watchdog.hpp"

#include <chrono>
#include <map>
#include <utility>

#include "actors/own_thread.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

namespace {

/// Who may be sending to itself without end: those beyond are looked at when others were cleared.
constexpr std::size_t suspects_max = 64;

}  // namespace

struct Watchdog::State : std::enable_shared_from_this<State> {
  struct Seen {
    WorkerPool::CurrentTurn turn;
    base::TimePoint since;
    bool is_stuck = false;
  };
  struct SeenOwn {
    OwnThread::CurrentTurn turn;
    base::TimePoint since;
    bool is_blocked = false;
    bool is_logged = false;
  };
  struct Suspect {
    base::TimePoint since;
    /// Since the last look it said that its next message is its own.
    bool has_confessed = false;
    bool is_endless = false;
  };
  struct Found {
    std::vector<StuckActor> stuck;
    std::vector<BlockedActor> blocked;
    std::vector<EndlessActor> endless;
  };

  State(ActorSystem& its_system, const WorkerPool& its_pool, WatchdogOptions options)
      : system(its_system),
        pool(its_pool),
        turn_max(options.turn_max),
        own_thread_max(options.own_thread_max),
        name_of(std::move(options.name_of)),
        seen(its_pool.workers()) {}

  ActorSystem& system;
  const WorkerPool& pool;
  const base::Duration turn_max;
  const base::Duration own_thread_max;
  const std::function<std::string(base::ActorId)> name_of;
  mutable base::Mutex mutex;
  bool is_over TROUPE_GUARDED_BY(mutex) = false;
  Timers::Id timer TROUPE_GUARDED_BY(mutex) = 0;
  std::vector<Seen> seen TROUPE_GUARDED_BY(mutex);
  /// By the place among the system's own threads.
  std::vector<SeenOwn> seen_own TROUPE_GUARDED_BY(mutex);
  std::map<base::ActorId, Suspect> suspects TROUPE_GUARDED_BY(mutex);

  [[nodiscard]] Found look();
  [[nodiscard]] std::vector<StuckActor> look_at_workers(base::TimePoint now) TROUPE_REQUIRES(mutex);
  [[nodiscard]] std::vector<BlockedActor> look_at_own_threads(base::TimePoint now)
      TROUPE_REQUIRES(mutex);
  [[nodiscard]] std::vector<EndlessActor> look_at_suspects(base::TimePoint now)
      TROUPE_REQUIRES(mutex);
  void suspect_those_who_run(base::TimePoint now) TROUPE_REQUIRES(mutex);
  void ask_suspects();
  [[nodiscard]] const ActorCell* living(base::ActorId actor) const;
  [[nodiscard]] EndlessActor describe(base::ActorId actor, const Suspect& suspect) const;
  [[nodiscard]] StuckActor describe(std::uint32_t worker, const Seen& turn) const;
  [[nodiscard]] BlockedActor describe(const SeenOwn& turn) const;
  [[nodiscard]] std::string who(base::ActorId actor) const;
  void log(const Found& found) const;
};

StuckActor Watchdog::State::describe(std::uint32_t worker, const Seen& turn) const {
  StuckActor stuck{{}, "not an actor", worker, system.clock().now() - turn.since};
  if (const ActorCell* cell = system.cell_of(turn.turn.runnable)) {
    stuck.actor = cell->id();
    stuck.type = cell->type_name();
  }
  return stuck;
}

BlockedActor Watchdog::State::describe(const SeenOwn& turn) const {
  BlockedActor blocked{{}, "not an actor", system.clock().now() - turn.since};
  if (const ActorCell* cell = system.cell_of(turn.turn.runnable)) {
    blocked.actor = cell->id();
    blocked.type = cell->type_name();
  }
  return blocked;
}

EndlessActor Watchdog::State::describe(base::ActorId actor, const Suspect& suspect) const {
  const ActorCell* cell = living(actor);
  return {actor, std::string{cell != nullptr ? cell->type_name() : std::string_view{}},
          system.clock().now() - suspect.since};
}

const ActorCell* Watchdog::State::living(base::ActorId actor) const {
  MessageSink* sink = system.sink_of(actor);
  const ActorCell* cell = sink != nullptr ? sink->local_cell() : nullptr;
  return cell != nullptr && cell->id() == actor ? cell : nullptr;
}

std::string Watchdog::State::who(base::ActorId actor) const {
  const std::string name = name_of ? name_of(actor) : std::string{};
  const std::string number = std::to_string(actor.value);
  return name.empty() ? number : "'" + name + "', number " + number;
}

void Watchdog::State::log(const Found& found) const {
  const auto ms = [](base::Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  };
  for (const StuckActor& stuck : found.stuck) {
    base::log(base::LogLevel::error, "actors",
              "actor {} of class '{}' has kept worker {} for {} ms: a handler does not return",
              who(stuck.actor), stuck.type, stuck.worker, ms(stuck.duration));
  }
  for (const BlockedActor& blocked : found.blocked) {
    base::log(base::LogLevel::info, "actors",
              "actor {} of class '{}' has been in one handler for {} ms, on a thread of its own",
              who(blocked.actor), blocked.type, ms(blocked.duration));
  }
  for (const EndlessActor& endless : found.endless) {
    base::log(
        base::LogLevel::warn, "actors",
        "actor {} of class '{}' has kept itself busy for {} ms: it is never without a message "
        "that it sent to itself",
        who(endless.actor), endless.type, ms(endless.duration));
  }
}

/// Those that are newly found.
Watchdog::State::Found Watchdog::State::look() {
  const base::TimePoint now = system.clock().now();
  Found found;
  {
    base::MutexLock lock{mutex};
    found = {look_at_workers(now), look_at_own_threads(now), look_at_suspects(now)};
    suspect_those_who_run(now);
  }
  ask_suspects();
  return found;
}

std::vector<EndlessActor> Watchdog::State::look_at_suspects(base::TimePoint now) {
  std::vector<EndlessActor> found;
  for (auto it = suspects.begin(); it != suspects.end();) {
    auto& [actor, suspect] = *it;
    const ActorCell* cell = living(actor);
    if (cell == nullptr || cell->queued() == 0 || !std::exchange(suspect.has_confessed, false)) {
      it = suspects.erase(it);
      continue;
    }
    if (!suspect.is_endless && now - suspect.since >= turn_max) {
      suspect.is_endless = true;
      found.push_back(describe(actor, suspect));
    }
    ++it;
  }
  return found;
}

void Watchdog::State::suspect_those_who_run(base::TimePoint now) {
  for (const Seen& running : seen) {
    const ActorCell* cell = system.cell_of(running.turn.runnable);
    const base::ActorId actor = cell != nullptr ? cell->id() : base::ActorId{};
    if (actor && cell->queued() > 0 && suspects.size() < suspects_max) {
      suspects.try_emplace(actor, Suspect{now});
    }
  }
}

void Watchdog::State::ask_suspects() {
  std::vector<base::ActorId> asked;
  {
    base::MutexLock lock{mutex};
    for (const auto& [actor, suspect] : suspects) {
      asked.push_back(actor);
    }
  }
  for (const base::ActorId actor : asked) {
    (void)system.call({*system.sink_of(actor), actor}, [weak = weak_from_this(), actor] {
      const auto state = weak.lock();
      if (state && ActorCell::current()->is_next_its_own()) {
        base::MutexLock lock{state->mutex};
        if (const auto found = state->suspects.find(actor); found != state->suspects.end()) {
          found->second.has_confessed = true;
        }
      }
    });
  }
}

std::vector<StuckActor> Watchdog::State::look_at_workers(base::TimePoint now) {
  std::vector<StuckActor> found;
  for (std::uint32_t worker = 0; worker < seen.size(); ++worker) {
    Seen& last = seen[worker];
    const WorkerPool::CurrentTurn turn = pool.current_turn(worker);
    if (turn != last.turn || turn.runnable == nullptr) {
      last = {turn, now, false};
    } else if (!last.is_stuck && now - last.since >= turn_max) {
      last.is_stuck = true;
      found.push_back(describe(worker, last));
    }
  }
  return found;
}

std::vector<BlockedActor> Watchdog::State::look_at_own_threads(base::TimePoint now) {
  std::vector<BlockedActor> found;
  const std::vector<OwnThread::CurrentTurn> turns = system.own_threads().current_turns();
  seen_own.resize(turns.size());
  for (std::size_t i = 0; i < turns.size(); ++i) {
    SeenOwn& last = seen_own[i];
    if (turns[i] != last.turn || turns[i].runnable == nullptr) {
      last = {turns[i], now, false, false};
      continue;
    }
    last.is_blocked = now - last.since >= turn_max;
    if (!last.is_logged && now - last.since >= own_thread_max) {
      last.is_logged = true;
      found.push_back(describe(last));
    }
  }
  return found;
}

Watchdog::Watchdog(ActorSystem& system, const WorkerPool& pool, WatchdogOptions options)
    : state_(std::make_shared<State>(system, pool, std::move(options))) {
  (void)state_->look();
  arm(state_);
}

Watchdog::~Watchdog() {
  base::MutexLock lock{state_->mutex};
  state_->is_over = true;
  state_->system.timers().cancel(state_->timer);
}

void Watchdog::arm(const std::shared_ptr<State>& state) {
  base::MutexLock lock{state->mutex};
  if (state->is_over) {
    return;
  }
  state->timer = state->system.timers().add(state->system.clock().now() + state->turn_max / 2,
                                            [weak = std::weak_ptr<State>{state}] {
                                              const auto alive = weak.lock();
                                              if (!alive) {
                                                return;
                                              }
                                              alive->log(alive->look());
                                              arm(alive);
                                            });
}

std::uint32_t Watchdog::workers() const {
  return state_->pool.workers();
}

std::vector<StuckActor> Watchdog::stuck() const {
  std::vector<StuckActor> stuck;
  base::MutexLock lock{state_->mutex};
  for (std::uint32_t worker = 0; worker < state_->seen.size(); ++worker) {
    const State::Seen& last = state_->seen[worker];
    if (last.is_stuck && state_->pool.current_turn(worker) == last.turn) {
      stuck.push_back(state_->describe(worker, last));
    }
  }
  return stuck;
}

std::vector<BlockedActor> Watchdog::blocked() const {
  const std::vector<OwnThread::CurrentTurn> turns = state_->system.own_threads().current_turns();
  std::vector<BlockedActor> blocked;
  base::MutexLock lock{state_->mutex};
  for (std::size_t i = 0; i < turns.size() && i < state_->seen_own.size(); ++i) {
    const State::SeenOwn& last = state_->seen_own[i];
    if (last.is_blocked && turns[i] == last.turn) {
      blocked.push_back(state_->describe(last));
    }
  }
  return blocked;
}

std::vector<EndlessActor> Watchdog::endless() const {
  std::vector<EndlessActor> endless;
  base::MutexLock lock{state_->mutex};
  for (const auto& [actor, suspect] : state_->suspects) {
    if (suspect.is_endless) {
      endless.push_back(state_->describe(actor, suspect));
    }
  }
  return endless;
}

}  // namespace troupe::actors
