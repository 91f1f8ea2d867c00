#include "actors/stress/garden.hpp"

#include <stdexcept>

namespace troupe::actors::stress {

namespace {

constexpr std::size_t wardens = 4;
constexpr std::uint32_t warden_mailbox = 1'000'000;

SpawnOptions persistent(std::uint32_t messages_max = 10'000) {
  SpawnOptions options;
  options.mailbox_messages_max = messages_max;
  options.restart = {.restart = Restart::permanent,
                     .restarts_max = RestartPolicy::restarts_unlimited,
                     .backoff_min = 1ms,
                     .backoff_max = 5ms};
  return options;
}

SupervisorOptions branch_options(World& world, std::uint32_t branch) {
  const BranchSpec& spec = world.topology.branches[branch];
  SupervisorOptions options{.strategy = spec.strategy, .restarts = spec.restarts};
  for (const std::uint32_t child : spec.branches) {
    SpawnOptions spawn = persistent();
    spawn.name = "branch " + std::to_string(child);
    options.children.push_back(child_spec<Branch>(std::move(spawn), &world, child));
  }
  for (const std::uint32_t place : spec.places) {
    options.children.push_back(child_of_branch(world, place));
  }
  return options;
}

}  // namespace

Branch::Branch(World* world, std::uint32_t branch)
    : Supervisor(branch_options(*world, branch)), world_(*world), branch_(branch) {}

void Branch::on_start() {
  world_.put_branch(branch_, self_as<BranchProtocol>());
  Supervisor::on_start();
}

void Branch::on(const Fail&) {
  world_.evidence.crashes.fetch_add(1, std::memory_order_relaxed);
  throw std::runtime_error{"a branch breaks"};
}

void Branch::on(const Regrow& m) {
  const std::string name = "place " + std::to_string(m.place);
  if (!child(name) && !restart_child(name).ok()) {
    (void)add_child(child_of_branch(world_, m.place));
  }
}

void Gardener::on_start() {
  for (std::uint32_t branch = 0; branch < world_.topology.branches.size(); ++branch) {
    if (world_.topology.branches[branch].parent == nobody) {
      plant(branch);
    }
  }
}

void Gardener::plant(std::uint32_t branch) {
  const auto spawned = spawn<Branch>(persistent(), &world_, branch);
  if (spawned.ok()) {
    branch_of_[spawned.value().id().value] = branch;
    watch(spawned.value());
  }
}

void Gardener::on(const Terminated& ending) {
  const auto found = branch_of_.find(ending.actor.id().value);
  if (found == branch_of_.end()) {
    world_.evidence.findings.add("a gardener was told of an unknown end");
    return;
  }
  const std::uint32_t branch = found->second;
  branch_of_.erase(found);
  plant(branch);
}

void Warden::on(const Born& m) {
  if (!book_->place_of.emplace(m.actor.id().value, m.place).second) {
    world_.evidence.findings.add("an actor began twice");
    return;
  }
  watch(m.actor);
}

void Warden::on(const Terminated& ending) {
  const auto found = book_->place_of.find(ending.actor.id().value);
  if (found == book_->place_of.end()) {
    world_.evidence.findings.add("a warden was told of an end that it does not wait for");
    return;
  }
  world_.end_life(found->second, ending.actor.id());
  book_->empty_places.push_back(found->second);
  book_->place_of.erase(found);
}

void Warden::on(const Sweep&) {
  if (world_.is_over()) {
    return;
  }
  std::erase_if(book_->empty_places, [&](std::uint32_t place) { return world_.is_alive(place); });
  for (const std::uint32_t place : book_->empty_places) {
    const PlaceSpec& spec = world_.topology.places[place];
    if (spec.branch != nobody) {
      (void)world_.branch(spec.branch).tell(Regrow{place});
    } else {
      (void)world_.at(spec.parent).tell(Regrow{place});
    }
  }
}

void Warden::on(const Fail&) {
  world_.evidence.crashes.fetch_add(1, std::memory_order_relaxed);
  throw std::runtime_error{"a warden stumbles"};
}

void Laborer::begin() {
  world_.left.fetch_sub(1, std::memory_order_relaxed);
}

void Laborer::crash() {
  world_.evidence.crashes.fetch_add(1, std::memory_order_relaxed);
  throw std::runtime_error{"as the dice say"};
}

void Laborer::on(const Work&) {
  begin();
  const std::uint64_t dice = random().below(10'000);
  if (dice < 5) {
    crash();
  }
  if (dice < 10) {
    world_.evidence.stops.fetch_add(1, std::memory_order_relaxed);
    stop();
  } else if (!world_.is_over()) {
    (void)world_.at(world_.anyone(random())).tell(Work{});
  }
}

void Laborer::on(const Keyed& m) {
  begin();
  if (is_by_key_) {
    std::atomic<std::uint32_t>& last = world_.keyed[m.key % world_.keyed.size()];
    if (last.exchange(m.number, std::memory_order_acq_rel) >= m.number) {
      world_.evidence.findings.add("messages of a key came out of order", m.key);
    }
  }
  if (random().below(5'000) == 0) {
    crash();
  }
}

void Laborer::on(const Query& m, ReplyTo<std::uint64_t> reply) {
  begin();
  world_.evidence.note_handled(m.question, false);
  const std::uint64_t dice = random().below(100);
  if (dice < 70) {
    reply.send(Question::answer_to(m.question));
  } else if (dice < 85) {
    owed_.push_back(m.question);
    replies_.push_back(std::move(reply));
    after(1ms, AnswerLater{});
  } else if (dice < 87) {
    crash();
  }  // else nobody answers
}

std::uint64_t Laborer::on(const Lookup& m) {
  begin();
  world_.evidence.note_handled(m.question, true);
  if (random().below(100) < 5) {
    crash();
  }
  return Question::answer_to(m.question);
}

void Laborer::on(const AnswerLater&) {
  if (!owed_.empty()) {
    replies_.back().send(Question::answer_to(owed_.back()));
    replies_.pop_back();
    owed_.pop_back();
  }
}

void Laborer::on(const Fail&) {
  crash();
}

std::vector<AnyRef> plant_garden(World& world, ActorSystem& system) {
  world.system = &system;
  std::vector<AnyRef> planted;
  for (std::size_t i = 0; i < wardens; ++i) {
    world.wardens.emplace_back(
        system.spawn<Warden>(persistent(warden_mailbox), &world, std::make_shared<WardenBook>())
            .value());
  }
  for (std::uint32_t i = 0; i < topics; ++i) {
    world.topics.push_back(spawn_topic<News>(system).value());
    planted.push_back(world.topics.back());
  }
  const auto key_of = [](const auto& m) -> std::uint32_t {
    if constexpr (requires { m.key; }) {
      return m.key;
    } else {
      return 0;
    }
  };
  std::size_t index = 0;
  for (const auto& routing :
       {Routing::by_key<Laborer>(key_of), Routing::round_robin(), Routing::random(),
        Routing::least_loaded(), Routing::on_demand(), Routing::broadcast()}) {
    PoolOptions options;
    options.routing = routing;
    options.restart.backoff_min = 1ms;
    if (index % 3 == 2) {
      options.scaling = {.workers_max = 12, .interval = 5ms, .shrink_after = 4};
    }
    const auto pool = spawn_pool<Laborer>(system, std::move(options), &world, index == 0).value();
    world.pools.emplace_back(pool);
    world.resize_pool.emplace_back([pool](std::uint32_t workers) { pool.resize(workers); });
    planted.push_back(pool);
    ++index;
  }
  planted.push_back(system.spawn<Gardener>(persistent(), &world).value());
  return planted;
}

}  // namespace troupe::actors::stress
