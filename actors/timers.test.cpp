#include "actors/timers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "actors/testing/failure.hpp"
#include "actors/timer_thread.hpp"
#include "base/random.hpp"

namespace troupe::actors {
namespace {

using base::Duration;
using base::TimePoint;

TimePoint at(std::int64_t time) {
  return TimePoint{Duration{time}};
}

TEST(Timers, RunsWhatIsDueInOrderOfDueThenAdding) {
  Timers timers;
  std::vector<int> ran;
  (void)timers.add(at(30), [&] { ran.push_back(3); });
  (void)timers.add(at(10), [&] { ran.push_back(1); });
  (void)timers.add(at(20), [&] { ran.push_back(20); });
  (void)timers.add(at(20), [&] { ran.push_back(21); });
  EXPECT_EQ(timers.run_due(at(9)), 0U);
  EXPECT_EQ(timers.run_due(at(20)), 3U);
  EXPECT_EQ(ran, (std::vector{1, 20, 21}));
  EXPECT_EQ(timers.next_due(), at(30));
  EXPECT_EQ(timers.run_due(at(100)), 1U);
  EXPECT_EQ(timers.next_due(), base::time_never);
}

TEST(Timers, DestroysACancelledActionAtOnceAndNeverRunsIt) {
  Timers timers;
  auto captured = std::make_shared<int>(1);
  const Timers::Id id = timers.add(at(10), [captured] { ADD_FAILURE(); });
  EXPECT_TRUE(timers.cancel(id));
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_EQ(timers.size(), 0U);
  EXPECT_FALSE(timers.cancel(id));
  EXPECT_EQ(timers.run_due(at(10)), 0U);
}

TEST(Timers, RefusesToCancelWhatRanAlsoWhenItsSlotIsUsedAgain) {
  Timers timers;
  const Timers::Id first = timers.add(at(1), [] {});
  timers.run_due(at(1));
  const Timers::Id second = timers.add(at(2), [] {});
  EXPECT_NE(first, second);
  EXPECT_FALSE(timers.cancel(first));
  EXPECT_FALSE(timers.cancel(0));
  EXPECT_FALSE(timers.cancel(12345));
  EXPECT_TRUE(timers.cancel(second));
}

TEST(Timers, LetsAnActionCancelTheNextOne) {
  Timers timers;
  Timers::Id second = 0;
  bool cancelled = false;
  (void)timers.add(at(1), [&] { cancelled = timers.cancel(second); });
  second = timers.add(at(2), [] { ADD_FAILURE(); });
  EXPECT_EQ(timers.run_due(at(5)), 1U);
  EXPECT_TRUE(cancelled);
}

TEST(Timers, IsNotHeldByATimerThatAlwaysAddsADueOne) {
  Timers timers;
  int ran = 0;
  std::function<void()> again = [&] {
    ++ran;
    (void)timers.add(at(0), again);
  };
  (void)timers.add(at(0), again);
  (void)timers.add(at(1), [&] { ran += 100; });
  EXPECT_EQ(timers.run_due(at(1)), 2U);
  EXPECT_EQ(timers.next_due(), at(0));
}

TEST(Timers, TellsTheWakerOnlyOfWhatIsEarlierThanTheDriverKnows) {
  Timers timers;
  std::vector<TimePoint> told;
  timers.set_waker([&](TimePoint due) {
    EXPECT_GT(timers.size(), 0U);  // the lock is free
    told.push_back(due);
  });
  const Timers::Id first = timers.add(at(50), [] {});
  EXPECT_EQ(told, (std::vector{at(50)}));
  (void)timers.add(at(60), [] {});
  EXPECT_TRUE(timers.cancel(first));
  (void)timers.add(at(55), [] {});  // the driver wakes at 50 anyway
  EXPECT_EQ(told.size(), 1U);
  EXPECT_EQ(timers.next_due(), at(55));
  (void)timers.add(at(54), [] {});
  EXPECT_EQ(told, (std::vector{at(50), at(54)}));
  timers.set_waker(nullptr);
  (void)timers.add(at(1), [] {});
  EXPECT_EQ(told.size(), 2U);
}

TEST(Timers, AgreesWithASortedListUnderRandomUse) {
  const std::uint64_t chosen = testing::seed_or(1);
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(chosen));
  base::Random random{chosen};
  Timers timers;
  struct Expected {
    TimePoint due;
    std::uint64_t order;
    Timers::Id id;
    auto operator<=>(const Expected& other) const {
      return std::pair{due, order} <=> std::pair{other.due, other.order};
    }
  };
  std::set<Expected> expected;
  std::vector<std::uint64_t> ran;
  std::vector<std::uint64_t> expected_ran;
  std::uint64_t added = 0;
  for (int now = 0; now < 3000; ++now) {
    for (std::uint64_t i = random.below(4); i > 0; --i) {
      const TimePoint due = at(now + static_cast<std::int64_t>(random.below(200)));
      const std::uint64_t order = ++added;
      expected.insert({due, order, timers.add(due, [&ran, order] { ran.push_back(order); })});
    }
    if (!expected.empty() && random.chance(0.6)) {
      const auto chosen_one =
          std::next(expected.begin(), static_cast<std::ptrdiff_t>(random.below(expected.size())));
      EXPECT_TRUE(timers.cancel(chosen_one->id));
      expected.erase(chosen_one);
    }
    while (!expected.empty() && expected.begin()->due <= at(now)) {
      expected_ran.push_back(expected.begin()->order);
      expected.erase(expected.begin());
    }
    timers.run_due(at(now));
    ASSERT_EQ(timers.size(), expected.size());
    ASSERT_EQ(timers.next_due(), expected.empty() ? base::time_never : expected.begin()->due);
  }
  EXPECT_EQ(ran, expected_ran);
  EXPECT_GT(ran.size(), 1000U);
}

TEST(TimerThread, RunsWhatOthersAddAndCancelMeanwhile) {
  const base::SteadyClock clock;
  Timers timers;
  base::Mutex mutex;
  std::condition_variable_any changed;
  int ran = 0;
  constexpr int count = 200;
  {
    TimerThread driver(timers, clock);
    std::thread canceller([&] {
      for (int i = 0; i < count; ++i) {
        const auto id = timers.add(clock.now() + std::chrono::hours{1}, [] { ADD_FAILURE(); });
        EXPECT_TRUE(timers.cancel(id));
      }
    });
    for (int i = 0; i < count; ++i) {
      (void)timers.add(clock.now() + std::chrono::microseconds{i * 10}, [&] {
        base::MutexLock lock(mutex);
        ++ran;
        changed.notify_one();
      });
    }
    canceller.join();
    base::MutexLock lock(mutex);
    while (ran < count) {
      changed.wait(lock);
    }
  }
  EXPECT_EQ(timers.size(), 0U);
}

TEST(TimerThread, WakesUpForAnEarlierTimer) {
  const base::SteadyClock clock;
  Timers timers;
  TimerThread driver(timers, clock);
  (void)timers.add(clock.now() + std::chrono::hours{1}, [] { ADD_FAILURE(); });
  base::Mutex mutex;
  std::condition_variable_any changed;
  bool has_run = false;
  (void)timers.add(clock.now() + std::chrono::milliseconds{1}, [&] {
    base::MutexLock lock(mutex);
    has_run = true;
    changed.notify_one();
  });
  base::MutexLock lock(mutex);
  while (!has_run) {
    changed.wait(lock);
  }
}

}  // namespace
}  // namespace troupe::actors
