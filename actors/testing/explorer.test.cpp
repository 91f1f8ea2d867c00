#include "actors/testing/explorer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace troupe::testing {
namespace {

using Number = ModelAtomic<int>;

TEST(Explorer, FindsALostUpdateAndShowsIt) {
  const auto result = Explorer{}.explore([](Explorer::Case& made) {
    const auto counter = std::make_shared<Number>(0);
    for (const char* name : {"a", "b"}) {
      made.thread(name, [counter] { counter->store(counter->load() + 1); });
    }
    made.at_end([counter] { Explorer::expect(counter->load() == 2, "an addition was lost"); });
  });
  EXPECT_EQ(result.failure, "an addition was lost");
  EXPECT_NE(result.trace.find("a: load #1\n"), std::string::npos) << result.trace;
  EXPECT_NE(result.trace.find("b: store #1\n"), std::string::npos) << result.trace;
}

TEST(Explorer, RunsAllSchedulesOfWhatIsRight) {
  for (const std::uint32_t preemptions_max : {ExplorerOptions::unlimited, 2U}) {
    const auto result =
        Explorer{{.preemptions_max = preemptions_max}}.explore([](Explorer::Case& made) {
          const auto counter = std::make_shared<Number>(0);
          for (const char* name : {"a", "b", "c"}) {
            made.thread(name, [counter] {
              counter->fetch_add(1);
              counter->fetch_add(1);
            });
          }
          made.at_end([counter] { Explorer::expect(counter->load() == 6, "not six"); });
        });
    EXPECT_EQ(result.failure, "");
    EXPECT_TRUE(result.is_complete);
    // Without a bound, all orders of six dependent steps.
    EXPECT_EQ(result.schedules > 60, preemptions_max == ExplorerOptions::unlimited);
    if (preemptions_max == ExplorerOptions::unlimited) {
      EXPECT_EQ(result.schedules, 90U);
    }
  }
}

TEST(Explorer, RunsOneScheduleOfIndependentSteps) {
  const auto result = Explorer{}.explore([](Explorer::Case& made) {
    for (const char* name : {"a", "b", "c"}) {
      made.thread(name, [own = std::make_shared<Number>(0)] {
        for (int i = 0; i < 5; ++i) {
          own->fetch_add(1);
        }
      });
    }
  });
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(result.schedules, 1U);
}

// Store buffering: under sequential consistency one of the two sees the other.
TEST(Explorer, SeesExactlyTheOutcomesOfSequentialConsistency) {
  std::set<std::pair<int, int>> outcomes;
  const auto result = Explorer{}.explore([&outcomes](Explorer::Case& made) {
    struct Shared {
      Number x{0}, y{0};
      int seen_x = 0, seen_y = 0;
    };
    const auto shared = std::make_shared<Shared>();
    made.thread("a", [shared] {
      shared->x.store(1);
      shared->seen_y = shared->y.load();
    });
    made.thread("b", [shared] {
      shared->y.store(1);
      shared->seen_x = shared->x.load();
    });
    made.at_end([shared, &outcomes] { outcomes.emplace(shared->seen_x, shared->seen_y); });
  });
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(outcomes, (std::set<std::pair<int, int>>{{0, 1}, {1, 0}, {1, 1}}));
  EXPECT_LE(result.schedules, 4U);
}

TEST(Explorer, FindsADeadlock) {
  const auto result = Explorer{}.explore([](Explorer::Case& made) {
    struct Shared {
      Number left{0}, right{0};
    };
    const auto shared = std::make_shared<Shared>();
    const auto lock_both = [](Number& first, Number& second) {
      for (Number* lock : {&first, &second}) {
        int free = 0;
        while (!lock->compare_exchange_strong(free, 1)) {
          free = 0;
          lock->wait_until([](int value) { return value == 0; });
        }
      }
      second.store(0);
      first.store(0);
    };
    made.thread("a", [=] { lock_both(shared->left, shared->right); });
    made.thread("b", [=] { lock_both(shared->right, shared->left); });
  });
  EXPECT_EQ(result.failure, "all threads that have not ended wait for ever");
}

TEST(Explorer, LetsOthersGoOnWhereAThreadSpins) {
  const auto result = Explorer{}.explore([](Explorer::Case& made) {
    const auto flag = std::make_shared<Number>(0);
    made.thread("spinning", [flag] {
      while (flag->load() == 0) {
      }
    });
    made.thread("setting", [flag] { flag->store(1); });
  });
  EXPECT_EQ(result.failure, "");
  EXPECT_TRUE(result.is_complete);
}

TEST(Explorer, FindsTheUseOfWhatWasFreed) {
  const auto result = Explorer{}.explore([](Explorer::Case& made) {
    struct Shared {
      Number value{0};
      ModelAtomic<Number*> place{&value};
    };
    const auto shared = std::make_shared<Shared>();
    made.thread("reader", [shared] {
      if (Number* value = shared->place.load()) {
        value->load();
      }
    });
    made.thread("owner", [shared] {
      Number* value = shared->place.exchange(nullptr);
      Explorer::free_memory(value, sizeof *value);
    });
  });
  EXPECT_EQ(result.failure, "load of freed memory");
}

}  // namespace
}  // namespace troupe::testing
