#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "cluster-tests/harness/tally.hpp"
#include "cluster-tests/harness/world.hpp"

namespace troupe::harness {

/// Which faults a run has; each seed switches them on and off.
struct ChaosFaults {
  bool crash = true;
  bool leave = true;
  bool break_connection = true;
  bool freeze = true;  ///< too short for a node to be declared down
  bool stop_names = true;
  bool slow_network = true;  ///< delays up to 20 ms instead of 0.5 ms
  bool pool = true;          ///< not a fault: there is a pool, and it is asked too
  [[nodiscard]] static ChaosFaults draw(base::Random& random);
  [[nodiscard]] std::string text() const;
};

struct ChaosCounts {
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t not_run = 0;
  std::uint64_t may_have_run = 0;
  std::uint64_t crashes = 0;
  std::uint64_t leaves = 0;
  std::uint64_t renewed = 0;
};

/// Five nodes that tell and ask tallies by name while things fail, then quiet, then everything must
/// have converged. What is wrong stands in problems() of the world.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed);
  void run(base::Duration time);

  [[nodiscard]] World& world() { return *world_; }
  [[nodiscard]] const ChaosCounts& counts() const { return counts_; }
  [[nodiscard]] const ChaosFaults& faults() const { return faults_; }

 private:
  void begin();
  void talk();
  void ask(const std::string& at);
  void ask_pool(const std::string& at);
  template <class T>
  void follow(actors::Ask<T> ask, base::Duration timeout,
              std::function<void(const T& reply)> check);
  void stop_and_start(const std::string& at, const std::string& name);
  void fail_something();
  void end_faults();
  void check_end();
  void check_names_at(const std::string& at);
  void check_actors();
  [[nodiscard]] bool may_lose(const std::string& name) const;
  [[nodiscard]] std::string any_running();

  base::Random random_;
  const ChaosFaults faults_;
  std::vector<std::string> nodes_;
  std::vector<std::string> names_;
  std::uint64_t last_number_ = 0;
  std::uint64_t open_ = 0;
  std::string frozen_;
  base::TimePoint thaw_at_ = base::time_never;
  ChaosCounts counts_;
  std::unique_ptr<World> world_;  // its end still counts asks
};

}  // namespace troupe::harness
