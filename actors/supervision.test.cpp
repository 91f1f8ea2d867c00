#include "actors/supervision.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using Action = RestartTracker::Action;

constexpr base::TimePoint start{base::Duration{1000}};

TEST(ExitReason, HasANameEach) {
  EXPECT_EQ(to_string(ExitReason::stopped), "stopped");
  EXPECT_EQ(to_string(ExitReason::crashed), "crashed");
  EXPECT_EQ(to_string(ExitReason::killed), "killed");
  EXPECT_EQ(to_string(ExitReason::node_lost), "node_lost");
  EXPECT_EQ(to_string(ExitReason::no_such_actor), "no_such_actor");
}

TEST(RestartTracker, AnswersEachExitAsThePolicySays) {
  const struct {
    Restart restart;
    ExitReason reason;
    Action action;
  } table[] = {
      {Restart::permanent, ExitReason::stopped, Action::restart},
      {Restart::permanent, ExitReason::crashed, Action::restart},
      {Restart::permanent, ExitReason::killed, Action::restart},
      {Restart::permanent, ExitReason::node_lost, Action::restart},
      {Restart::permanent, ExitReason::no_such_actor, Action::restart},
      {Restart::transient, ExitReason::stopped, Action::stop},
      {Restart::transient, ExitReason::crashed, Action::restart},
      {Restart::transient, ExitReason::killed, Action::restart},
      {Restart::transient, ExitReason::node_lost, Action::restart},
      {Restart::transient, ExitReason::no_such_actor, Action::restart},
      {Restart::temporary, ExitReason::stopped, Action::stop},
      {Restart::temporary, ExitReason::crashed, Action::stop},
      {Restart::temporary, ExitReason::killed, Action::stop},
      {Restart::temporary, ExitReason::node_lost, Action::stop},
      {Restart::temporary, ExitReason::no_such_actor, Action::stop},
  };
  for (const auto& row : table) {
    base::Random random{1};
    RestartTracker tracker{{.restart = row.restart}, start};
    EXPECT_EQ(tracker.on_exit(row.reason, start + 1s, random).action, row.action)
        << static_cast<int>(row.restart) << " " << to_string(row.reason);
  }
}

TEST(RestartTracker, EscalatesOnceTheBudgetIsSpent) {
  base::Random random{1};
  RestartTracker tracker{{.restarts_max = 3, .window = 5s, .jitter = 0.0}, start};
  base::TimePoint now = start;
  for (const base::Duration delay : {100ms, 200ms, 400ms}) {
    const auto decision = tracker.on_exit(ExitReason::crashed, now, random);
    EXPECT_EQ(decision.action, Action::restart);
    EXPECT_EQ(decision.delay, delay);
    now += delay + 10ms;
  }
  EXPECT_EQ(tracker.restarts_within_window(now), 3U);
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, now, random).action, Action::escalate);
}

TEST(RestartTracker, ForgetsRestartsThatLeftTheWindow) {
  base::Random random{1};
  RestartTracker tracker{{.restarts_max = 1, .window = 5s}, start};
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start, random).action, Action::restart);
  EXPECT_EQ(tracker.restarts_within_window(start + 4999ms), 1U);
  EXPECT_EQ(tracker.restarts_within_window(start + 5s), 0U);
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start + 5s, random).action, Action::restart);
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start + 9s, random).action, Action::escalate);
}

TEST(RestartTracker, EscalatesAtOnceWithoutABudget) {
  base::Random random{1};
  RestartTracker tracker{{.restarts_max = 0}, start};
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start, random).action, Action::escalate);
}

TEST(RestartTracker, NeverEscalatesWithAnUnlimitedBudget) {
  base::Random random{1};
  RestartTracker tracker{
      {.restarts_max = RestartPolicy::restarts_unlimited, .backoff_max = 1s, .jitter = 0.0}, start};
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start, random).action, Action::restart);
  }
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start, random).delay, 1s);
}

TEST(RestartTracker, BeginsAgainWithTheShortestWaitAfterAStableTime) {
  base::Random random{1};
  RestartTracker tracker{{.restarts_max = 10, .jitter = 0.0, .stable_after = 10s}, start};
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start, random).delay, 100ms);
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start + 200ms, random).delay, 200ms);
  // It was back at 400 ms: not stable at 10,399 ms, stable at 10,400 ms after that.
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start + 10'399ms, random).delay, 400ms);
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start + 20'799ms, random).delay, 100ms);
}

TEST(RestartTracker, DoesNotCountTheLossOfANode) {
  base::Random random{1};
  RestartTracker tracker{{.restarts_max = 1, .jitter = 0.0}, start};
  for (int i = 0; i < 20; ++i) {
    const auto decision = tracker.on_exit(ExitReason::node_lost, start, random);
    EXPECT_EQ(decision.action, Action::restart);
    EXPECT_EQ(decision.delay, 0s);
  }
  EXPECT_EQ(tracker.on_exit(ExitReason::crashed, start, random).delay, 100ms);
}

TEST(RestartTracker, SpreadsTheWaitsOfEqualPolicies) {
  base::Random random{3};
  RestartTracker one{{}, start};
  RestartTracker other{{}, start};
  const base::Duration first = one.on_exit(ExitReason::crashed, start, random).delay;
  const base::Duration second = other.on_exit(ExitReason::crashed, start, random).delay;
  EXPECT_NE(first, second);
  EXPECT_GE(first, 80ms);
  EXPECT_LE(first, 120ms);
}

}  // namespace
}  // namespace troupe::actors
