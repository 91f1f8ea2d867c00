#include "cluster-tests/harness/chaos.hpp"

#include <algorithm>
#include <utility>

#include "node/demo_actors.hpp"
#include "node/node_core.hpp"

namespace troupe::harness {

namespace {

using actors::AskError;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t node_count = 5;
constexpr std::size_t name_count = 12;
constexpr std::size_t pool_workers = 4;
constexpr base::Duration talk_interval = milliseconds{10};
constexpr base::Duration quiet = seconds{12};
constexpr std::int64_t freeze_ms_max = 500;
constexpr base::Duration ask_slack = milliseconds{20};

base::Duration random_time(base::Random& random, std::int64_t ms_max) {
  return milliseconds{1 +
                      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(ms_max)))};
}

WorldOptions world_options(const std::vector<std::string>& names, const ChaosFaults& faults) {
  WorldOptions options{.demo = faults.pool, .watched_names = names};
  if (faults.slow_network) {
    options.network.delay_max = milliseconds{20};
  }
  return options;
}

}  // namespace

ChaosFaults ChaosFaults::draw(base::Random& random) {
  return {.crash = random.chance(0.7),
          .leave = random.chance(0.5),
          .break_connection = random.chance(0.6),
          .freeze = random.chance(0.4),
          .stop_names = random.chance(0.5),
          .slow_network = random.chance(0.3),
          .pool = random.chance(0.4)};
}

std::string ChaosFaults::text() const {
  std::string text;
  for (const auto& [is_on, name] : {std::pair{crash, "crash"},
                                    {leave, "leave"},
                                    {break_connection, "break_connection"},
                                    {freeze, "freeze"},
                                    {stop_names, "stop_names"},
                                    {slow_network, "slow_network"},
                                    {pool, "pool"}}) {
    text += is_on ? std::string{text.empty() ? "" : " "} + name : "";
  }
  return text;
}

Chaos::Chaos(std::uint64_t seed) : random_(seed), faults_(ChaosFaults::draw(random_)) {
  for (std::size_t i = 1; i <= node_count; ++i) {
    nodes_.push_back("n" + std::to_string(i));
  }
  for (std::size_t i = 1; i <= name_count; ++i) {
    names_.push_back("t" + std::to_string(i));
  }
  world_ = std::make_unique<World>(random_.next(), world_options(names_, faults_));
  world_->journal().rising_numbers = !faults_.leave;
  world_->prepare = [this](node::Node& node) { register_tally(node, world_->journal()); };
}

std::string Chaos::any_running() {
  const std::vector<std::string> running = world_->running();
  return running[random_.below(running.size())];
}

/// Three nodes, one of them a seed, stay at any time, so that a restarted one finds its cluster.
bool Chaos::may_lose(const std::string& name) const {
  std::size_t others = 0;
  bool seed_stays = false;
  for (const std::string& other : nodes_) {
    if (other != name && other != frozen_ && world_->is_staying(other) &&
        world_->node(other).is_ready()) {
      ++others;
      seed_stays = seed_stays || other <= "n3";
    }
  }
  return name != frozen_ && world_->is_staying(name) && others >= 3 && seed_stays;
}

void Chaos::begin() {
  for (const std::string& name : nodes_) {
    world_->start(name);
    world_->run_for(random_time(random_, 100));
  }
  if (!world_->run_until([this] { return world_->has_converged(); }, seconds{10})) {
    world_->problem("the cluster did not form: " + world_->differences());
  }
  for (const std::string& name : names_) {
    const std::string placement = random_.chance(0.5) ? "spread" : "any";
    world_->node(any_running())
        .start_actor("tally", tally_options(name, placement), [this, name](const auto& row) {
          if (!row.ok()) {
            world_->problem(name + ": " + row.error().text());
          }
        });
  }
}

/// An ask that must end by its deadline; a reply is checked, a refusal is never due.
template <class T>
void Chaos::follow(actors::Ask<T> ask, base::Duration timeout,
                   std::function<void(const T& reply)> check) {
  ++counts_.asked;
  ++open_;
  // A frozen asker hears of its deadline when it goes on.
  const base::TimePoint latest =
      world_->now() + timeout + ask_slack + milliseconds{faults_.freeze ? freeze_ms_max : 0};
  // Dies with the asker's node, or after the result.
  const std::shared_ptr<void> end{nullptr, [this](void*) { --open_; }};
  std::move(ask).then([this, check = std::move(check), latest, end](actors::AskResult<T> result) {
    if (world_->now() > latest) {
      world_->problem("an ask ended after its deadline");
    }
    if (result.ok()) {
      ++counts_.answered;
      check(result.value());
    } else if (result.error().kind == AskError::Kind::refusal) {
      world_->problem("refused: " + result.error().reason);
    } else {
      ++(result.error().kind == AskError::Kind::not_run ? counts_.not_run : counts_.may_have_run);
    }
  });
}

void Chaos::ask(const std::string& at) {
  const std::string& name = names_[random_.below(names_.size())];
  const std::uint64_t number = ++last_number_;
  // One client number a life: order is promised between two actors, not between two lives.
  const std::uint64_t client = world_->node(at).id().incarnation;
  const auto tally = world_->node(at).find<Tally>(name);
  if (random_.chance(0.3)) {
    (void)tally.tell(Put{client, number});  // the ledgers tell what became of it
    return;
  }
  const base::Duration timeout = random_.chance(0.2) ? milliseconds{300} : milliseconds{5000};
  follow<PutReply>(tally.ask(Put{client, number}, timeout), timeout,
                   [this, name, number](const PutReply& reply) {
                     if (reply.number != number || reply.name != name) {
                       world_->problem("an ask of '" + name + "' got the answer of another");
                     }
                   });
}

void Chaos::ask_pool(const std::string& at) {
  const auto number = static_cast<std::int64_t>(random_.below(1'000'000));
  const auto squares = world_->node(at).find<node::demo::Squarer>("squares");
  follow<std::int64_t>(squares.ask(node::demo::Square{number}), actors::ask_timeout_default,
                       [this, number](const std::int64_t& reply) {
                         if (reply != number * number) {
                           world_->problem("the pool answered for somebody else");
                         }
                       });
}

void Chaos::talk() {
  for (const std::string& name : nodes_) {
    if (world_->is_running(name) && name != frozen_ && random_.chance(0.3)) {
      faults_.pool&& random_.chance(0.2) ? ask_pool(name) : ask(name);
    }
  }
}

/// The same name for another actor. When the node dies meanwhile, the name may stay free.
void Chaos::stop_and_start(const std::string& at, const std::string& name) {
  node::Node& node = world_->node(at);
  ++counts_.renewed;
  node.core().stop_actor(name, [&node, name](const auto&) {
    node.start_actor("tally", tally_options(name), [](const auto&) {});
  });
}

void Chaos::fail_something() {
  const std::string name = nodes_[random_.below(nodes_.size())];
  if (!world_->is_running(name)) {
    world_->start(name);
    return;
  }
  switch (random_.below(5)) {
    case 0:
      if (faults_.crash && may_lose(name)) {
        ++counts_.crashes;
        world_->crash(name);
      }
      return;
    case 1:
      if (faults_.leave && may_lose(name)) {
        ++counts_.leaves;
        world_->leave(name);
      }
      return;
    case 2:
      if (const std::string other = any_running(); faults_.break_connection && other != name) {
        world_->network().break_connection(world_->address(name), world_->address(other));
      }
      return;
    case 3:
      if (faults_.freeze && frozen_.empty() && world_->is_staying(name)) {
        frozen_ = name;
        thaw_at_ = world_->now() + random_time(random_, freeze_ms_max);
        world_->freeze(name);
      }
      return;
    case 4:
      if (faults_.stop_names && world_->is_staying(name)) {
        stop_and_start(name, names_[random_.below(names_.size())]);
      }
      return;
    default: return;
  }
}

void Chaos::run(base::Duration time) {
  begin();
  const base::TimePoint end = world_->now() + time;
  base::TimePoint fault_at = world_->now() + seconds{1};
  while (world_->now() < end && world_->problems().empty()) {
    world_->run_for(talk_interval);
    talk();
    if (!frozen_.empty() && world_->now() >= thaw_at_) {
      world_->thaw(std::exchange(frozen_, {}));
    }
    if (world_->now() >= fault_at) {
      fail_something();
      fault_at = world_->now() + random_time(random_, 1500);
    }
  }
  end_faults();
  check_end();
}

void Chaos::end_faults() {
  if (!frozen_.empty()) {
    world_->thaw(std::exchange(frozen_, {}));
  }
  const bool all_left = world_->run_until(
      [this] {
        return std::all_of(nodes_.begin(), nodes_.end(), [this](const std::string& name) {
          return !world_->is_running(name) || world_->is_staying(name);
        });
      },
      seconds{30});
  if (!all_left) {
    world_->problem("a node does not come to an end");
  }
  for (const std::string& name : nodes_) {
    if (!world_->is_running(name)) {
      world_->start(name);
    }
  }
  world_->run_for(quiet);
}

void Chaos::check_end() {
  if (const std::string why = world_->differences(); !why.empty()) {
    world_->problem("not converged: " + why);
  }
  if (open_ != 0) {
    world_->problem(std::to_string(open_) + " asks have not ended");
  }
  for (const auto& [id, reason] : world_->ended()) {
    if (reason != "left") {
      world_->problem(id.text() + " ended by itself: " + reason);
    }
  }
  for (const std::string& at : nodes_) {
    if (world_->is_running(at)) {
      check_names_at(at);
    } else {
      world_->problem(at + " does not run");
    }
  }
  world_->run_for(seconds{1});
  check_actors();
  world_->check_ledgers();
}

void Chaos::check_names_at(const std::string& at) {
  for (const std::string& name : names_) {
    const std::size_t objects = world_->journal().objects(name);
    if (world_->find(at, name) == nullptr) {
      // Stopped and not granted again: then nobody must have it.
      if (!faults_.stop_names || objects != 0) {
        world_->problem("'" + name + "' was lost");
      }
      continue;
    }
    const auto answer = world_->finish(world_->node(at).find<Tally>(name).ask(
        Put{world_->node(at).id().incarnation, ++last_number_}));
    if (!answer.ok()) {
      world_->problem("'" + name + "' does not answer " + at +
                      " in the end: " + answer.error().text());
    }
    if (objects != 1) {
      world_->problem("'" + name + "' runs " + std::to_string(objects) + " times in the end");
    }
  }
}

/// A control service a node, the named actors, the pool and its workers: nothing more.
void Chaos::check_actors() {
  std::size_t expected = nodes_.size() + (faults_.pool ? 1 + pool_workers : 0);
  for (const std::string& name : names_) {
    expected += world_->journal().objects(name);
  }
  std::size_t actors = 0;
  for (const std::string& at : world_->running()) {
    actors += world_->node(at).system().actor_count();
  }
  if (actors != expected) {
    world_->problem("there are " + std::to_string(actors) + " actors instead of " +
                    std::to_string(expected));
  }
}

}  // namespace troupe::harness
