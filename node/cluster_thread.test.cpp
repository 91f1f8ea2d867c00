#include "node/cluster_thread.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace troupe::node {
namespace {

using namespace std::chrono_literals;

TEST(ClusterThread, StepsAtOnceAndWhenWoken) {
  base::SteadyClock clock;
  std::promise<void> first;
  std::promise<void> second;
  int steps = 0;
  ClusterThread thread{[&] {
                         ++steps;
                         if (steps == 1) {
                           first.set_value();
                         } else if (steps == 2) {
                           second.set_value();
                         }
                         return base::time_never;
                       },
                       clock};
  thread.start();
  first.get_future().wait();
  thread.wake();
  second.get_future().wait();
  thread.stop();
  EXPECT_EQ(steps, 2);
}

TEST(ClusterThread, StepsWhenItIsDue) {
  base::SteadyClock clock;
  std::promise<void> done;
  int steps = 0;
  base::TimePoint due;
  bool was_early = false;
  ClusterThread thread{[&] {
                         const base::TimePoint now = clock.now();
                         was_early = was_early || now < due;
                         if (++steps == 5) {
                           done.set_value();
                         }
                         due = now + 1ms;
                         return steps < 5 ? due : base::time_never;
                       },
                       clock};
  thread.start();
  done.get_future().wait();
  thread.stop();
  EXPECT_EQ(steps, 5);
  EXPECT_FALSE(was_early);
}

TEST(ClusterThread, LosesNoWakeUp) {
  constexpr int threads = 4;
  constexpr int posts = 2'000;
  base::SteadyClock clock;
  std::atomic<int> posted{0};
  std::promise<void> done;
  int seen = 0;
  ClusterThread thread{[&] {
                         const int now_seen = posted.exchange(0);
                         seen += now_seen;
                         if (now_seen > 0 && seen == threads * posts) {
                           done.set_value();
                         }
                         return base::time_never;
                       },
                       clock};
  thread.start();
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < posts; ++j) {
        posted.fetch_add(1);
        thread.wake();
      }
    });
  }
  for (auto& poster : posters) {
    poster.join();
  }
  done.get_future().wait();
  thread.stop();
  EXPECT_EQ(seen, threads * posts);
}

TEST(ClusterThread, AWakeUpFromTheStepCausesAnotherOne) {
  base::SteadyClock clock;
  std::promise<void> done;
  int steps = 0;
  ClusterThread* self = nullptr;
  ClusterThread thread{[&] {
                         if (++steps == 3) {
                           done.set_value();
                         } else {
                           self->wake();
                         }
                         return base::time_never;
                       },
                       clock};
  self = &thread;
  thread.start();
  done.get_future().wait();
  thread.stop();
  EXPECT_EQ(steps, 3);
}

TEST(ClusterThread, StopsWithoutHavingBeenStartedAndTwice) {
  base::SteadyClock clock;
  ClusterThread thread{[] { return base::time_never; }, clock};
  thread.wake();
  thread.stop();
  thread.stop();
}

}  // namespace
}  // namespace troupe::node
