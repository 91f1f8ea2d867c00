#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "actors/scheduler.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"

namespace troupe::actors {

/// The scheduler of simulations and tests: whoever calls step() is its thread, and the seed decides
/// which runnable comes next and how long its turn is. Equal seeds and equal calls give equal runs.
///
/// schedule() is thread-safe; step() and run_until_idle() belong to one thread. Owns no runnable.
class StepScheduler final : public Scheduler {
 public:
  /// Turns are short, to interleave as much as possible.
  static constexpr std::uint32_t turn_messages_max = 8;

  explicit StepScheduler(base::Random random) : random_(random) {}

  void schedule(Runnable& runnable) override;

  /// Runs one of the runnables for one turn of 1 to turn_messages_max messages; false if there is
  /// none.
  bool step();

  /// Steps until there is no runnable or `steps_max` steps are done; returns how many it did. As
  /// many as steps_max: probably actors that keep each other busy for ever.
  std::size_t run_until_idle(std::size_t steps_max);

  [[nodiscard]] std::size_t runnables() const;

 private:
  mutable base::Mutex mutex_;
  std::vector<Runnable*> runnables_ TROUPE_GUARDED_BY(mutex_);
  base::Random random_;
};

}  // namespace troupe::actors
