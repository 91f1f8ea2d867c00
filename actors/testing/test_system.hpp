#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "actors/actor_system.hpp"
#include "actors/step_scheduler.hpp"
#include "actors/testing/failure.hpp"
#include "base/clock.hpp"

namespace troupe::testing {

class Probe;

struct TestSystemOptions {
  /// Of the order and the length of all turns, and of the actors' random numbers.
  std::uint64_t seed = seed_or(1);
  /// Turns that one call may run: more is taken for actors that keep each other busy for ever.
  std::size_t turns_max = 1'000'000;
  /// How long the actors may take to stop at the end of the test.
  base::Duration stop_timeout = std::chrono::minutes{10};
};

/// An actor system for tests: one thread, a clock that is moved by hand, and a scheduler whose
/// choices follow from the seed, so that a failing seed replays its failure. Nothing runs but
/// within its calls; virtual time costs nothing.
///
/// Not thread-safe. Owns the system, the clock and the scheduler; references and probes are not
/// used after it. A failed expectation throws Failure. At its end, or in finish(), it stops all
/// actors and checks that none is left, that the ledger adds up, and that no message and no ask is
/// under way.
class TestSystem {
 public:
  explicit TestSystem(TestSystemOptions options = {});
  /// finish(), unless the test is failing already by an exception.
  ~TestSystem();
  TestSystem(const TestSystem&) = delete;
  TestSystem& operator=(const TestSystem&) = delete;

  /// A new actor, which begins when the system runs.
  template <class A, class... Args>
  actors::ActorRef<A> spawn(actors::SpawnOptions options = {}, Args... args) {
    auto spawned = system_.spawn<A>(std::move(options), std::move(args)...);
    if (!spawned.ok()) {
      fail("spawn: " + spawned.error().text());
    }
    return spawned.value();
  }
  /// An actor that takes every message, for the test to look at.
  [[nodiscard]] Probe probe(std::string name = "probe");
  /// Orders an actor to stop, and runs until nothing can run.
  void stop(const actors::AnyRef& actor, actors::ExitReason reason = actors::ExitReason::stopped);

  /// Asks, and runs until the answer is there; time moves as far as that needs.
  template <class T, base::Message M>
  actors::AskResult<actors::ReplyOf<M>> ask(const actors::ActorRef<T>& actor, M message,
                                            base::Duration timeout = std::chrono::seconds{5}) {
    auto pending = actor.ask(std::move(message), timeout);
    run_until_idle();
    const base::TimePoint end = base::later(now(), timeout);
    while (!pending.is_ready() && advance_to_next_timer(end)) {
    }
    if (!pending.is_ready()) {
      fail("an ask has not ended by its deadline");
    }
    return pending.get();
  }

  /// One turn of one actor, chosen by the seed; false if none is runnable.
  bool step() { return scheduler_.step(); }
  /// Runs until no actor is runnable; time stands still.
  void run_until_idle();
  /// Moves the clock: every timer that becomes due runs at its time, and after it all that can run.
  void advance(base::Duration by);
  /// Moves the clock to the next timer that is due by `end`, and runs; false if there is none.
  bool advance_to_next_timer(base::TimePoint end);

  [[nodiscard]] base::TimePoint now() const { return clock_.now(); }
  [[nodiscard]] std::uint64_t seed() const { return options_.seed; }
  [[nodiscard]] actors::ActorSystem& system() { return system_; }
  [[nodiscard]] base::ManualClock& clock() { return clock_; }
  [[nodiscard]] actors::StepScheduler& scheduler() { return scheduler_; }

  /// The checks of the end, now; the system cannot be used further. May be repeated.
  void finish();
  /// Throws Failure with the text, the last dead letters, and how to replay.
  [[noreturn]] void fail(std::string_view text) const;

 private:
  [[nodiscard]] std::string explain(std::string_view text) const;
  void check_books() const;

  TestSystemOptions options_;
  base::ManualClock clock_;
  actors::StepScheduler scheduler_;
  actors::ActorSystem system_;
  int exceptions_;
  bool is_finished_ = false;
};

}  // namespace troupe::testing
