#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "actors/actor_system.hpp"
#include "actors/step_scheduler.hpp"
#include "base/clock.hpp"

namespace troupe::actors::testing {

/// TROUPE_SEED, or the default.
[[nodiscard]] inline std::uint64_t seed_or(std::uint64_t seed) {
  const char* text = std::getenv("TROUPE_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : seed;
}

/// An actor system that a test steps by hand: one thread, a clock that is moved, turns in the order
/// of the seed. At its end all actors are stopped, and the ledger must add up.
class SteppedSystem {
 public:
  explicit SteppedSystem(std::uint64_t seed = seed_or(7))
      : seed_(seed), scheduler_(base::Random{seed}), system_({.seed = seed}, clock_, scheduler_) {}
  SteppedSystem(const SteppedSystem&) = delete;
  SteppedSystem& operator=(const SteppedSystem&) = delete;
  ~SteppedSystem() {
    bool stopped = false;
    system_.stop_all([&] { stopped = true; });
    advance(std::chrono::minutes{1});
    EXPECT_TRUE(stopped) << "seed " << seed_;
    const LedgerSnapshot ledger = system_.ledger();
    EXPECT_TRUE(ledger.is_balanced())
        << "sent " << ledger.sent << ", delivered " << ledger.delivered << ", in flight "
        << ledger.in_flight << ", seed " << seed_;
    EXPECT_EQ(system_.requests().open_count(), 0U) << "seed " << seed_;
  }

  template <class A, class... Args>
  ActorRef<A> spawn(SpawnOptions options = {}, Args... args) {
    return system_.spawn<A>(std::move(options), std::move(args)...).value();
  }
  /// Runs until nothing can run; time stands still.
  void run() { scheduler_.run_until_idle(10'000'000); }
  /// Moves the clock: each timer runs at its time, and after it all that can run.
  void advance(base::Duration by) {
    const base::TimePoint end = clock_.now() + by;
    run();
    while (system_.timers().next_due() <= end) {
      clock_.set(std::max(clock_.now(), system_.timers().next_due()));
      system_.timers().run_due(clock_.now());
      run();
    }
    clock_.set(end);
    run();
  }
  /// Runs an ask to its end; time moves only if it must.
  template <class T, class M>
  AskResult<ReplyOf<M>> ask(const ActorRef<T>& ref, M message,
                            base::Duration timeout = std::chrono::seconds{5}) {
    auto pending = ref.ask(std::move(message), timeout);
    run();
    const base::TimePoint end = clock_.now() + timeout;
    while (!pending.is_ready() && system_.timers().next_due() <= end) {
      advance(std::max(system_.timers().next_due() - clock_.now(), base::Duration::zero()));
    }
    return pending.get();
  }

  [[nodiscard]] ActorSystem& system() { return system_; }
  [[nodiscard]] base::ManualClock& clock() { return clock_; }
  [[nodiscard]] StepScheduler& scheduler() { return scheduler_; }
  [[nodiscard]] base::TimePoint now() const { return clock_.now(); }

 private:
  std::uint64_t seed_;
  base::ManualClock clock_;
  StepScheduler scheduler_;
  ActorSystem system_;
};

}  // namespace troupe::actors::testing
