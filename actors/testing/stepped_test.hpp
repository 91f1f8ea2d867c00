#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "actors/testing/testing.hpp"

namespace troupe::testing {

/// A test with a TestSystem and short words for it. The system ends before the members of derived
/// fixtures do, so actors may point to those.
class SteppedTest : public ::testing::Test {
 protected:
  explicit SteppedTest(TestSystemOptions options = {}) : world(options) {}

  void run() { world.run_until_idle(); }
  void advance(base::Duration by) { world.advance(by); }
  template <class A, class... Args>
  actors::ActorRef<A> spawn(actors::SpawnOptions options, Args... args) {
    return world.spawn<A>(std::move(options), std::move(args)...);
  }
  template <class T, base::Message M>
  actors::AskResult<actors::ReplyOf<M>> ask(const actors::ActorRef<T>& actor, M message,
                                            base::Duration timeout = std::chrono::seconds{1}) {
    return world.ask(actor, std::move(message), timeout);
  }
  /// How many messages have ended as dead letters for this reason.
  [[nodiscard]] std::uint64_t dead(base::Outcome reason) const {
    return system.ledger().dead[static_cast<std::size_t>(reason)];
  }

  void TearDown() override { world.finish(); }

  TestSystem world;
  actors::ActorSystem& system = world.system();
};

}  // namespace troupe::testing
