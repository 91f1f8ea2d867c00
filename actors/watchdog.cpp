#include "actors/watchdog.hpp"

#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

struct Watchdog::State {
  struct Seen {
    WorkerPool::CurrentTurn turn;
    base::TimePoint since;
    bool is_stuck = false;
  };

  State(ActorSystem& its_system, const WorkerPool& its_pool, WatchdogOptions options)
      : system(its_system),
        pool(its_pool),
        turn_max(options.turn_max),
        name_of(std::move(options.name_of)),
        seen(its_pool.workers()) {}

  ActorSystem& system;
  const WorkerPool& pool;
  const base::Duration turn_max;
  const std::function<std::string(base::ActorId)> name_of;
  mutable base::Mutex mutex;
  bool is_over TROUPE_GUARDED_BY(mutex) = false;
  Timers::Id timer TROUPE_GUARDED_BY(mutex) = 0;
  std::vector<Seen> seen TROUPE_GUARDED_BY(mutex);

  [[nodiscard]] std::vector<StuckActor> look();
  [[nodiscard]] StuckActor describe(std::uint32_t worker, const Seen& turn) const;
  void log(const StuckActor& stuck) const;
};

StuckActor Watchdog::State::describe(std::uint32_t worker, const Seen& turn) const {
  StuckActor stuck{{}, "not an actor", worker, system.clock().now() - turn.since};
  if (const ActorCell* cell = system.cell_of(turn.turn.runnable)) {
    stuck.actor = cell->id();
    stuck.type = cell->type_name();
  }
  return stuck;
}

void Watchdog::State::log(const StuckActor& stuck) const {
  const std::string name = name_of ? name_of(stuck.actor) : std::string{};
  base::log(base::LogLevel::error, "actors",
            "actor {}{} of class '{}' has kept worker {} for {} ms: a handler does not return",
            name.empty() ? "" : "'" + name + "', number ", stuck.actor.value, stuck.type,
            stuck.worker,
            std::chrono::duration_cast<std::chrono::milliseconds>(stuck.duration).count());
}

/// Those that are newly found.
std::vector<StuckActor> Watchdog::State::look() {
  const base::TimePoint now = system.clock().now();
  std::vector<StuckActor> found;
  base::MutexLock lock{mutex};
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
                                              for (const StuckActor& stuck : alive->look()) {
                                                alive->log(stuck);
                                              }
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

}  // namespace troupe::actors
