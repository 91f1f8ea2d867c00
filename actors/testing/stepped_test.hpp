#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "actors/actor_system.hpp"
#include "actors/step_scheduler.hpp"
#include "base/clock.hpp"

namespace troupe::actors::testing {

/// One actor system that a test steps by hand; at its end all actors are stopped and the ledger is
/// checked.
class SteppedTest : public ::testing::Test {
 protected:
  static std::uint64_t seed() {
    const char* text = std::getenv("TROUPE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 7;
  }

  void run() { (void)scheduler.run_until_idle(1'000'000); }
  void advance(base::Duration by) {
    const base::TimePoint end = clock.now() + by;
    run();
    while (system->timers().next_due() <= end) {
      clock.set(std::max(clock.now(), system->timers().next_due()));
      (void)system->timers().run_due(clock.now());
      run();
    }
    clock.set(end);
    run();
  }
  template <class A, class... Args>
  ActorRef<A> spawn(SpawnOptions options, Args... args) {
    return system->spawn<A>(std::move(options), args...).value();
  }
  /// Steps, and moves the time if nothing else answers.
  template <class T, class M>
  AskResult<ReplyOf<M>> ask(const ActorRef<T>& ref, M message,
                            base::Duration timeout = std::chrono::seconds{1}) {
    auto pending = ref.ask(std::move(message), timeout);
    run();
    if (!pending.is_ready()) {
      advance(timeout);
    }
    return pending.get();
  }
  std::uint64_t dead(base::Outcome reason) const {
    return system->ledger().dead[static_cast<std::size_t>(reason)];
  }

  void TearDown() override {
    bool stopped = false;
    system->stop_all([&] { stopped = true; });
    advance(std::chrono::seconds{60});
    EXPECT_TRUE(stopped) << "seed " << seed();
    const auto ledger = system->ledger();
    EXPECT_TRUE(ledger.is_balanced())
        << "sent " << ledger.sent << ", delivered " << ledger.delivered << ", in flight "
        << ledger.in_flight << ", seed " << seed();
    EXPECT_EQ(system->requests().open_count(), 0U);
  }

  base::ManualClock clock;
  StepScheduler scheduler{base::Random{seed()}};
  std::unique_ptr<ActorSystem> system =
      std::make_unique<ActorSystem>(ActorSystemOptions{}, clock, scheduler);
};

}  // namespace troupe::actors::testing
