#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ask.hpp"
#include "actors/step_scheduler.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "cluster-tests/harness/journal.hpp"
#include "node/node.hpp"
#include "registry/record.hpp"
#include "transport/memory_network.hpp"

namespace troupe::harness {

struct WorldOptions {
  /// Names of the nodes whose addresses every node is given as seeds.
  std::vector<std::string> seeds{"n1", "n2", "n3"};
  transport::MemoryNetworkOptions network;
  /// Register counter, users, echo and square, and keep the pool `squares`.
  bool demo = true;
  /// Names whose holders and epochs are checked after every step of a node.
  std::vector<std::string> watched_names;
};

/// What is not as usual about one node.
struct StartOptions {
  std::string cluster = "sim";
  std::string address;  ///< tcp://NAME:7400 if empty
  std::map<std::string, std::string> labels;
};

/// One ask whose asker may die before it ends.
template <class T>
struct Asked {
  std::optional<actors::AskResult<T>> result;
  bool asker_gone = false;
  base::TimePoint since;
  base::TimePoint until;
  [[nodiscard]] bool is_over() const { return result.has_value() || asker_gone; }
};

/// A cluster of real nodes in one process, one thread and virtual time: each with its own stepping
/// scheduler, on a network in memory. Everything follows from the seed.
///
/// Not thread-safe. Owns the nodes; references to a node, its actors and its asks end with it. What
/// is found wrong on the way is kept in problems().
class World {
 public:
  explicit World(std::uint64_t seed, WorldOptions options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Called for every new node before it starts, to register kinds.
  std::function<void(node::Node&)> prepare;

  /// Starts a node under a name that does not run; its incarnation is higher than all before.
  node::Node& start(const std::string& name, StartOptions options = {});
  /// The process vanishes: connections are reset and nothing is said any more.
  void crash(const std::string& name);
  /// The node leaves in order and then ends; see is_running().
  void leave(const std::string& name);
  /// Nothing of the node runs until thaw().
  void freeze(const std::string& name);
  void thaw(const std::string& name);

  [[nodiscard]] bool is_running(const std::string& name) const { return lives_.contains(name); }
  /// Neither leaving nor ending.
  [[nodiscard]] bool is_staying(const std::string& name) const;
  [[nodiscard]] node::Node& node(const std::string& name);
  [[nodiscard]] std::vector<std::string> running() const;
  [[nodiscard]] std::string address(const std::string& name) const;
  /// Why nodes have ended by themselves, by id, e.g. because the others declared them down.
  [[nodiscard]] const std::map<base::NodeId, std::string>& ended() const { return ended_; }

  /// Does what is due now, then moves the clock to what comes next, at most to `latest`.
  void step(base::TimePoint latest);
  void run_for(base::Duration time);
  /// Runs until the condition holds; false if it does not within the limit.
  bool run_until(const std::function<bool()>& condition, base::Duration limit);
  /// Starts the nodes of the seeds and runs until they form one cluster.
  bool start_all();

  /// Follows an ask; it ends with its result or with its asker's node.
  template <class T>
  std::shared_ptr<Asked<T>> follow(actors::Ask<T> ask) {
    auto asked = std::make_shared<Asked<T>>();
    asked->since = now();
    // The callback dies with the asker's node; then so does this, and the ask is over.
    const std::shared_ptr<void> gone{nullptr, [asked](void*) { asked->asker_gone = true; }};
    std::move(ask).then([this, asked, gone](actors::AskResult<T> result) {
      asked->until = now();
      asked->result.emplace(std::move(result));
    });
    return asked;
  }
  /// Runs until the ask ends. An ask that never ends is a problem, and here an aborted test.
  template <class T>
  actors::AskResult<T> finish(actors::Ask<T> ask, base::Duration limit = std::chrono::seconds{30}) {
    const auto asked = follow(std::move(ask));
    if (!run_until([&] { return asked->is_over(); }, limit) || !asked->result) {
      const char* why = asked->asker_gone ? "the asker's node has ended" : "an ask never ended";
      problem(why);
      return actors::AskError{actors::AskError::Kind::may_have_run, base::Outcome::expired, why};
    }
    return std::move(*asked->result);
  }
  /// Starts a named actor of a kind through a node's own control and runs until that is decided.
  base::Result<node::control::NameRow> start_actor(const std::string& at, const std::string& kind,
                                                   node::NameOptions options);

  [[nodiscard]] base::TimePoint now() const { return clock_.now(); }
  [[nodiscard]] base::Random& random() { return random_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] transport::MemoryNetwork& network() { return network_; }
  [[nodiscard]] const base::ManualClock& clock() const { return clock_; }
  [[nodiscard]] Journal& journal() { return journal_; }

  /// Who holds the name by the copy of a running node.
  [[nodiscard]] const registry::Record* find(const std::string& at, const std::string& name);
  /// All running nodes see the same live members, themselves, and the same names.
  [[nodiscard]] bool has_converged();
  /// Why not, for a person.
  [[nodiscard]] std::string differences();
  /// Adds to problems() what the books of the running nodes do not explain.
  void check_ledgers();

  /// Messages that one life of a node, running or ended in order, has counted as not handled.
  [[nodiscard]] std::uint64_t dead_letters_of(const base::NodeId& id) const;

  void problem(const std::string& text);
  [[nodiscard]] const std::vector<std::string>& problems() const { return journal_.problems(); }
  /// A number of everything that has happened: equal runs, equal numbers.
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  void note(std::uint64_t value) { trace_ = (trace_ ^ value) * 0x100000001B3U; }
  [[nodiscard]] std::uint64_t instants() const { return instants_; }

 private:
  struct Life;

  void settle();
  bool run_life(Life& life);
  void end_in_order(Life& life);
  void destroy(const std::string& name);
  void check_names(Life& life);
  [[nodiscard]] Life& life(const std::string& name);

  const std::uint64_t seed_;
  WorldOptions options_;
  base::Random random_;
  base::ManualClock clock_;
  transport::MemoryNetwork network_;
  Journal journal_;
  std::uint64_t last_incarnation_ = 0;
  std::uint64_t trace_ = 0xCBF29CE484222325U;
  std::uint64_t instants_ = 0;
  /// Of all names, the life that a holder's epoch belongs to.
  std::map<std::pair<std::string, std::uint64_t>, base::NodeId> holders_;
  std::map<base::NodeId, std::string> ended_;
  std::map<base::NodeId, std::uint64_t> dead_of_ended_;
  std::map<std::string, std::unique_ptr<Life>> lives_;
};

}  // namespace troupe::harness
