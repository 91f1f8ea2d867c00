#include "actors/stress/world.hpp"

#include <algorithm>

namespace troupe::actors::stress {

namespace {

constexpr std::size_t places_a_branch = 16;
constexpr std::size_t depth_max = 8;

Restart draw_restart(base::Random& random) {
  return random.chance(0.1)   ? Restart::temporary
         : random.chance(0.5) ? Restart::permanent
                              : Restart::transient;
}

/// Of a supervisor's children together: some of these are spent, and escalate.
RestartPolicy draw_budget(base::Random& random) {
  return {.restart = Restart::permanent,
          .restarts_max = static_cast<std::uint32_t>(3 + random.below(40)),
          .window = 500ms,
          .backoff_min = 1ms,
          .backoff_max = 5ms};
}

SpawnOptions draw_spawn(base::Random& random) {
  SpawnOptions spawn;
  spawn.mailbox_messages_max = static_cast<std::uint32_t>(1 + random.below(200));
  spawn.restart = {.restart = draw_restart(random),
                   .restarts_max = random.chance(0.2) ? 10 : RestartPolicy::restarts_unlimited,
                   .window = 500ms,
                   .backoff_min = 1ms,
                   .backoff_max = 5ms};
  spawn.keep_mailbox = random.chance(0.8);
  spawn.on_crash = random.chance(0.2) ? OnCrash::retry_message : OnCrash::drop_message;
  if (random.chance(0.3)) {
    spawn.overflow = static_cast<Overflow>(random.below(5));
    spawn.mailbox_bytes_max = random.chance(0.3) ? 2'000 : 0;
  }
  spawn.mailbox_by_priority = random.chance(0.1);
  if (random.chance(0.1)) {
    spawn.stop_timeout = base::Duration{1ms} * static_cast<int>(random.below(3));
  }
  return spawn;
}

PlaceSpec draw_place(base::Random& random, std::size_t places) {
  PlaceSpec spec;
  spec.spawn = draw_spawn(random);
  spec.is_reentrant = random.chance(0.1);
  spec.stashes = random.chance(0.2);
  spec.subscribes = random.chance(0.02);
  spec.has_receive_timeout = random.chance(0.05);
  spec.lingers = random.chance(0.03);
  spec.fallback = static_cast<std::uint32_t>(random.below(places));
  for (std::uint64_t i = 4 + random.below(12); i > 0; --i) {
    spec.knows.push_back(static_cast<std::uint32_t>(random.below(places)));
  }
  return spec;
}

}  // namespace

Topology draw_topology(std::size_t actors, base::Random random) {
  Topology topology;
  std::vector<std::size_t> depths;
  for (std::size_t i = 0; i < std::max<std::size_t>(actors / places_a_branch, 1); ++i) {
    BranchSpec spec;
    spec.strategy = static_cast<Strategy>(random.below(4));
    spec.restarts = draw_budget(random);
    const auto parent = static_cast<std::uint32_t>(random.below(i + 1));
    const bool is_root = parent == i || depths[parent] >= depth_max || random.chance(0.1);
    if (!is_root) {
      spec.parent = parent;
      topology.branches[parent].branches.push_back(static_cast<std::uint32_t>(i));
    }
    depths.push_back(is_root ? 0 : depths[parent] + 1);
    topology.branches.push_back(std::move(spec));
  }
  depths.assign(actors, 0);
  for (std::uint32_t place = 0; place < actors; ++place) {
    PlaceSpec spec = draw_place(random, actors);
    const auto parent = static_cast<std::uint32_t>(random.below(place + 1));
    if (parent < place && depths[parent] < depth_max && random.chance(0.3)) {
      spec.parent = parent;
      depths[place] = depths[parent] + 1;
      topology.places[parent].children.push_back(place);
    } else {
      spec.branch = static_cast<std::uint32_t>(random.below(topology.branches.size()));
      topology.branches[spec.branch].places.push_back(place);
    }
    // A few block threads of their own.
    spec.spawn.own_thread = place % 300 == 150;
    topology.places.push_back(std::move(spec));
  }
  return topology;
}

bool Life::is_in_order(const Stamp& stamp, std::uint32_t lane, bool may_repeat) {
  if (stamp.number == 0 || (stamp.to != place && lane < news)) {
    return true;  // it came by another way, e.g. handed over, or as a fallback
  }
  Last& last = last_[stamp.from * lanes + lane];
  if (stamp.life < last.life) {
    return true;  // from an actor whose successor was heard of already
  }
  const bool is_in_order = stamp.life > last.life || stamp.number > last.number ||
                           (may_repeat && stamp.number == last.number);
  last = {stamp.life, stamp.number};
  return is_in_order;
}

Life::Replay Life::replay(const Stamp& stamp) {
  if (put_aside_ == 0) {
    return Replay::no;
  }
  const std::uint64_t key = key_of(stamp);
  const auto found = aside_.find(key);
  if (found == aside_.end()) {
    // Of an actor that retries what crashed it.
    return key == replaying_ ? Replay::in_order : Replay::no;
  }
  const std::uint64_t place_in_stash = found->second;
  aside_.erase(found);
  replaying_ = key;
  return place_in_stash > std::exchange(replayed_, place_in_stash) ? Replay::in_order
                                                                   : Replay::out_of_order;
}

World::World(const StressOptions& its_options, const base::Clock& clock)
    : options(its_options),
      topology(draw_topology(its_options.actors, base::Random{its_options.seed})),
      evidence(clock, its_options.steps != 0, 1ms * its_options.slack_ms),
      left(static_cast<std::int64_t>(its_options.messages)),
      places_(its_options.actors),
      branches_(topology.branches.size()) {}

std::shared_ptr<Life> World::begin_life(std::uint32_t place, const CrowdRef& self) {
  Place& here = places_[place];
  {
    base::MutexLock lock{here.mutex};
    if (const auto found = here.lives.find(self.id().value); found != here.lives.end()) {
      ++found->second->restarts;
      evidence.restarts.fetch_add(1, std::memory_order_relaxed);
      return found->second;
    }
  }
  auto life = std::make_shared<Life>(next_life(), place, self.id(), places_.size() + outsiders);
  evidence.lives_begun.fetch_add(1, std::memory_order_relaxed);
  const CrowdRef* ref = nullptr;
  {
    base::MutexLock lock{mutex_};
    ref = &refs_.emplace_back(self);
  }
  here.alive.store(self.id().value, std::memory_order_release);
  here.current.store(ref, std::memory_order_release);
  const auto warden = wardens[place % wardens.size()];
  evidence.findings.check(warden.tell(Born{place, self}) == base::Outcome::accepted,
                          "a warden has no room");
  base::MutexLock lock{here.mutex};
  here.lives.emplace(self.id().value, life);
  return life;
}

void World::end_life(std::uint32_t place, base::ActorId id) {
  evidence.lives_ended.fetch_add(1, std::memory_order_release);
  Place& here = places_[place];
  {
    base::MutexLock lock{here.mutex};
    here.lives.erase(id.value);
  }
  std::uint64_t expected = id.value;
  (void)here.alive.compare_exchange_strong(expected, 0, std::memory_order_acq_rel);
}

SpawnOptions World::spawn_options(std::uint32_t place) const {
  const PlaceSpec& spec = topology.places[place];
  SpawnOptions spawn = spec.spawn;
  if (spawn.overflow == Overflow::fallback) {
    spawn.overflow_to = at(spec.fallback);
    spawn.overflow = spawn.overflow_to ? Overflow::fallback : Overflow::reject;
  }
  if (spec.lingers) {
    spawn.on_exit = [timers = &system->timers(), &clock = evidence.clock](
                        ExitReason, const std::function<void()>& proceed) {
      (void)timers->add(clock.now() + 4ms, proceed);
    };
  }
  return spawn;
}

void World::put_branch(std::uint32_t branch, BranchRef ref) {
  base::MutexLock lock{mutex_};
  branches_[branch] = ref;
}

BranchRef World::branch(std::uint32_t branch) const {
  base::MutexLock lock{mutex_};
  return branches_[branch];
}

}  // namespace troupe::actors::stress
