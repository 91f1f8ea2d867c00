#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <set>

#include "actors/testing/pool_test.hpp"
#include "actors/timer_thread.hpp"
#include "actors/worker_pool.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using namespace pool_test;

TEST_F(PoolTest, GivesQueuedWorkToOthersWhenAWorkerCrashes) {
  const auto pool = start({.workers = 2});
  world.system().call(pool, [] {});
  auto failed = pool.ask(Fail{}, 1s);
  std::vector<Ask<std::uint64_t>> queued;
  for (int i = 0; i < 10; ++i) {
    queued.push_back(pool.ask(Who{}, 1s));
  }
  world.run_until_idle();  // not even the backoff of the replacement has passed
  EXPECT_EQ(failed.get().error().kind, AskError::Kind::may_have_run);
  std::set<std::uint64_t> by;
  for (auto& ask : queued) {
    ASSERT_TRUE(ask.is_ready());
    const auto result = ask.get();
    ASSERT_TRUE(result.ok()) << result.error().text();
    by.insert(result.value());
  }
  EXPECT_EQ(by.size(), 1U);
  world.advance(100ms);
  EXPECT_EQ(pool.status().replaced, 1U);
  EXPECT_EQ(who(pool, 10).size(), 2U);
}

TEST_F(PoolTest, KeepsAKeysOrderWhenItsWorkerCrashes) {
  const auto pool = start({.workers = 2, .routing = Routing::by_key<Worker>(KeyOf{})});
  for (std::int64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(pool.tell(Job{"", i}), base::Outcome::accepted);
    if (i == 10) {
      (void)pool.tell(Fail{});
    }
    world.scheduler().step();
  }
  world.advance(1s);
  ASSERT_EQ(log->jobs(), 50U);
  ASSERT_EQ(log->jobs_by_worker.size(), 2U);  // the first, and its replacement
  std::vector<std::int64_t> numbers;
  for (const auto& [worker, jobs] : log->jobs_by_worker) {
    EXPECT_TRUE(jobs.front().number == 0 || jobs.back().number == 49);
    for (std::size_t i = 1; i < jobs.size(); ++i) {
      EXPECT_EQ(jobs[i].number, jobs[i - 1].number + 1);
    }
  }
}

TEST(PoolByKey, KeepsAKeysOrderWhenItGrowsWhileAWorkerStopsItself) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    testing::TestSystem world{{.seed = seed}};
    const auto log = std::make_shared<Log>();
    const auto pool =
        spawn_pool<Worker>(world.system(),
                           {.workers = 1, .routing = Routing::by_key<Worker>(KeyOf{})}, log)
            .value();
    world.run_until_idle();
    const auto tell_all = [&](std::int64_t number) {
      for (const char* key : {"a", "b", "c", "d"}) {
        EXPECT_EQ(pool.tell(Job{key, number}), base::Outcome::accepted);
      }
    };
    EXPECT_EQ(pool.tell(Quit{}), base::Outcome::accepted);
    tell_all(1);
    world.step();  // they are the worker's now
    pool.resize(4);
    tell_all(2);
    world.advance(1s);
    EXPECT_EQ(log->jobs(), 8U);
    std::map<std::string, std::int64_t> last;
    for (const Job& job : log->in_order) {
      EXPECT_EQ(job.number, ++last[job.key]) << "seed " << seed;
    }
  }
}

TEST_F(PoolTest, BeginsIdempotentWorkAgainAndReportsTheRest) {
  const auto pool = start({.workers = 2, .attempts_max = 3});
  EXPECT_EQ(world.ask(pool, FailTimes{2}).value(), 3);
  log->begun = 0;
  const auto given_up = world.ask(pool, FailTimes{9});
  EXPECT_EQ(given_up.error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(log->begun, 3);
}

TEST_F(PoolTest, NeverBeginsWhatAWorkerLeftBehindMoreOftenThanItMay) {
  const auto pool = start({.workers = 1, .attempts_max = 2});
  EXPECT_EQ(pool.tell(Fail{}), base::Outcome::accepted);
  auto given_up = pool.ask(FailTimes{99}, 60s);
  EXPECT_EQ(pool.tell(Fail{}), base::Outcome::accepted);
  world.advance(30s);
  ASSERT_TRUE(given_up.is_ready());
  EXPECT_EQ(given_up.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(log->begun, 2);
}

TEST_F(PoolTest, ReplacesAWorkerThatStopsItself) {
  const auto pool = start({.workers = 2});
  EXPECT_EQ(pool.tell(Quit{}), base::Outcome::accepted);
  world.advance(1s);
  EXPECT_EQ(pool.status().workers, 2U);
  EXPECT_EQ(who(pool, 10).size(), 2U);
}

TEST_F(PoolTest, FailsWhenTheRestartsOfAWorkerAreSpent) {
  const auto pool = start({.workers = 1, .restart = {.restarts_max = 0}});
  EXPECT_EQ(world.ask(pool, Fail{}).error().kind, AskError::Kind::may_have_run);
  EXPECT_TRUE(world.ask(pool, Who{}).ok());  // restarted by its supervisor
  EXPECT_EQ(pool.status().replaced, 0U);
}

/// Until release_all(), workers end, for their pool, only by that.
class PoolOfSlowEnds : public PoolTest {
 protected:
  PoolOptions slow_ends(PoolOptions options) {
    options.worker.on_exit = [ends = ends](ExitReason, std::function<void()> release) {
      if (ends->are_held) {
        ends->releases.push_back(std::move(release));
      } else {
        release();
      }
    };
    return options;
  }
  void release_all() {
    ends->are_held = false;
    for (const auto& release : std::exchange(ends->releases, {})) {
      release();
    }
  }
  /// A key of the worker `at` of `workers`.
  static std::string key_of(std::uint32_t at, std::uint32_t workers) {
    std::int64_t number = 0;
    while (jump_hash(key_hash(std::to_string(number)), workers) != at) {
      ++number;
    }
    return std::to_string(number);
  }

  struct Ends {
    std::vector<std::function<void()>> releases;
    bool are_held = true;
  };
  /// Shared with the workers, which may outlive the fixture's own members.
  const std::shared_ptr<Ends> ends = std::make_shared<Ends>();
};

TEST_F(PoolOfSlowEnds, LosesNothingOfADyingWorkerWhenItIsMadeSmaller) {
  const auto pool = start(slow_ends({.workers = 2, .routing = Routing::by_key<Worker>(KeyOf{})}));
  const std::string key = key_of(1, 2);
  for (std::int64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(pool.tell(Job{key, i}), base::Outcome::accepted);
    if (i == 2) {
      EXPECT_EQ(pool.tell(Crash{key}), base::Outcome::accepted);
    }
  }
  world.run_until_idle();
  ASSERT_EQ(ends->releases.size(), 1U);
  EXPECT_EQ(log->jobs(), 3U);
  pool.resize(1);
  world.run_until_idle();
  release_all();
  world.advance(1s);
  EXPECT_EQ(pool.status().workers, 1U);
  EXPECT_EQ(log->jobs(), 10U);
  for (const auto& [worker, jobs] : log->jobs_by_worker) {
    EXPECT_TRUE(std::is_sorted(jobs.begin(), jobs.end(),
                               [](const Job& a, const Job& b) { return a.number < b.number; }));
  }
}

TEST_F(PoolOfSlowEnds, RefusesWhatADyingWorkerLeavesOfABroadcastWhenItIsMadeSmaller) {
  const auto pool = start(slow_ends({.workers = 2, .routing = Routing::broadcast()}));
  EXPECT_EQ(pool.tell(Fail{}), base::Outcome::accepted);
  auto ask = pool.ask(Who{}, 60s);
  world.run_until_idle();
  ASSERT_EQ(ends->releases.size(), 2U);
  pool.resize(0);
  world.run_until_idle();
  ASSERT_TRUE(ask.is_ready());
  EXPECT_EQ(ask.get().error().kind, AskError::Kind::not_run);
  EXPECT_EQ(world.system().ledger().dead[static_cast<std::size_t>(base::Outcome::stopped)], 2U);
  release_all();
}

/// Whatever the routing and the seed: with crashes and resizes every ask ends, and what was not
/// begun by a worker that crashed is done exactly once.
TEST(PoolRandom, EveryAskEndsAndNoTellIsLost) {
  const std::uint64_t first = testing::seed_or(0);
  for (std::uint64_t seed = first; seed < first + (first == 0 ? 60 : 1); ++seed) {
    SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed));
    testing::TestSystem world{{.seed = seed}};
    const auto log = std::make_shared<Log>();
    const std::array routings{Routing::round_robin(), Routing::random(), Routing::least_loaded(),
                              Routing::by_key<Worker>(KeyOf{}), Routing::on_demand()};
    const auto pool = spawn_pool<Worker>(world.system(),
                                         {.workers = 3,
                                          .routing = routings[seed % routings.size()],
                                          .pool = {.mailbox_messages_max = 30},
                                          .worker = {.mailbox_messages_max = 5}},
                                         log)
                          .value();
    base::Random random{seed};
    std::vector<Ask<std::uint64_t>> asks;
    std::vector<Ask<std::int64_t>> idempotent;
    std::size_t accepted = 0;
    for (std::int64_t i = 0; i < 400; ++i) {
      switch (random.below(20)) {
        case 0: (void)pool.tell(Fail{}); break;
        case 1: pool.resize(static_cast<std::uint32_t>(1 + random.below(5))); break;
        case 2: asks.push_back(pool.ask(Who{}, 60s)); break;
        case 3: asks.push_back(pool.ask(Slow{i}, 60s)); break;
        case 4: idempotent.push_back(pool.ask(FailTimes{0}, 60s)); break;
        case 5:
          world.advance(base::Duration{static_cast<std::int64_t>(random.below(20)) * 1'000'000});
          break;
        case 6: world.run_until_idle(); break;
        default: {
          const auto outcome = pool.tell(Job{std::to_string(random.below(9)), i});
          accepted += outcome == base::Outcome::accepted ? 1 : 0;
        }
      }
      for (std::uint64_t steps = random.below(4); steps > 0; --steps) {
        world.scheduler().step();
      }
    }
    world.advance(30s);
    EXPECT_EQ(log->jobs(), accepted);
    EXPECT_EQ(pool.status().waiting, 0U);
    for (auto& ask : asks) {
      EXPECT_TRUE(ask.is_ready());
    }
    for (auto& ask : idempotent) {
      ASSERT_TRUE(ask.is_ready());
      const auto result = ask.get();
      EXPECT_TRUE(result.ok() || result.error().outcome == base::Outcome::mailbox_full);
    }
  }
}

/// Counts what it handles, and crashes now and then.
class Counting : public Actor {
 public:
  using Protocol = actors::Protocol<Job, Who, Fail>;
  explicit Counting(std::shared_ptr<std::atomic<std::int64_t>> count) : count_(std::move(count)) {}
  void on(const Job&) { count_->fetch_add(1); }
  std::uint64_t on(const Who&) { return 0; }
  std::uint64_t on(const Fail&) { throw std::runtime_error{"boom"}; }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> count_;
};

TEST(PoolOnThreads, LosesNothingWhenWorkersCrashAndTheSizeChanges) {
  for (const Routing& routing : {Routing::round_robin(), Routing::least_loaded(),
                                 Routing::by_key<Counting>(KeyOf{}), Routing::on_demand()}) {
    const base::SteadyClock clock;
    WorkerPool threads{{.workers = 2, .backlog_min = 1}};
    ActorSystem system{ActorSystemOptions{}, clock, threads};
    TimerThread timers{system.timers(), clock};
    threads.start();
    const auto count = std::make_shared<std::atomic<std::int64_t>>(0);
    const auto pool =
        spawn_pool<Counting>(system,
                             {.workers = 3,
                              .routing = routing,
                              .pool = {.mailbox_messages_max = 64},
                              .worker = {.mailbox_messages_max = 8},
                              .restart = {.restarts_max = 1'000'000,
                                          .backoff_min = std::chrono::microseconds{50},
                                          .backoff_max = 1ms}},
                             count)
            .value();
    std::int64_t accepted = 0;
    for (std::int64_t i = 0; i < 3'000; ++i) {
      const auto outcome = pool.tell(Job{std::to_string(i % 7), i});
      accepted += outcome == base::Outcome::accepted ? 1 : 0;
      if (outcome == base::Outcome::mailbox_full || i % 500 == 0) {
        (void)pool.ask(Who{}, 10s).get();
      }
      if (i % 400 == 200) {
        (void)pool.tell(Fail{});
        pool.resize(static_cast<std::uint32_t>(2 + i % 3));
      }
    }
    for (int i = 0; i < 1'000'000 && count->load() < accepted; ++i) {
      (void)pool.ask(Who{}, 10s).get();
    }
    EXPECT_EQ(count->load(), accepted);
    std::latch stopped{1};
    system.stop_all([&] { stopped.count_down(); });
    stopped.wait();
    threads.stop();
    EXPECT_TRUE(system.ledger().is_balanced());
  }
}

}  // namespace
}  // namespace troupe::actors
