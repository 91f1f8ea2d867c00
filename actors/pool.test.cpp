#include "actors/pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/testing/test_system.hpp"
#include "actors/timer_thread.hpp"
#include "actors/worker_pool.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

// The rules.

TEST(JumpHash, GivesTheValuesOfThePaper) {
  EXPECT_EQ(jump_hash(0, 1), 0U);
  EXPECT_EQ(jump_hash(1, 1), 0U);
  EXPECT_EQ(jump_hash(256, 1024), 520U);
  EXPECT_EQ(jump_hash(10863919174838991U, 11), 6U);
  EXPECT_EQ(jump_hash(2016238256797177309U, 11), 3U);
}

TEST(JumpHash, MovesFewKeysAndOnlyToTheNewBucket) {
  constexpr std::uint32_t keys = 10'000;
  for (const std::uint32_t buckets : {1U, 4U, 9U}) {
    std::uint32_t moved = 0;
    for (std::uint32_t key = 0; key < keys; ++key) {
      const std::uint32_t before = jump_hash(key_hash(key), buckets);
      const std::uint32_t after = jump_hash(key_hash(key), buckets + 1);
      ASSERT_TRUE(after == before || after == buckets);
      moved += after != before ? 1 : 0;
    }
    EXPECT_NEAR(moved, keys / (buckets + 1), keys / 50) << buckets;
  }
}

TEST(PoolSizer, GrowsWhenWorkWaitsAndShrinksWhenIdleWithinItsBounds) {
  PoolSizer sizer{{.workers_min = 2, .workers_max = 6, .grow_after = 2, .shrink_after = 3}};
  EXPECT_EQ(sizer.look({.workers = 4, .waiting = 5}), 4U);
  EXPECT_EQ(sizer.look({.workers = 4, .waiting = 5}), 5U);
  EXPECT_EQ(sizer.look({.workers = 5, .waiting = 5}), 5U);
  EXPECT_EQ(sizer.look({.workers = 6, .waiting = 5}), 6U);
  EXPECT_EQ(sizer.look({.workers = 6, .idle = 1}), 6U);
  EXPECT_EQ(sizer.look({.workers = 6, .idle = 1}), 6U);
  EXPECT_EQ(sizer.look({.workers = 6, .idle = 1}), 5U);
  EXPECT_EQ(sizer.look({.workers = 1, .idle = 1}), 2U);
}

// The pool.

struct Who {
  using Reply = std::uint64_t;
  TROUPE_MESSAGE(Who)
};
struct Job {
  std::string key;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Job, key, number)
};
/// Takes 10 ms.
struct Slow {
  using Reply = std::uint64_t;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Slow, number)
};
/// Takes a second.
struct Rest {
  std::string key;
  TROUPE_MESSAGE(Rest, key)
};
struct Fail {
  using Reply = std::uint64_t;
  TROUPE_MESSAGE(Fail)
};
/// Fails until it was begun `times` + 1 times.
struct FailTimes {
  using Reply = std::int64_t;
  static constexpr bool idempotent = true;
  std::int64_t times = 0;
  TROUPE_MESSAGE(FailTimes, times)
};
struct Crash {
  std::string key;
  TROUPE_MESSAGE(Crash, key)
};
struct Quit {
  TROUPE_MESSAGE(Quit)
};

/// What happened in one test.
struct Log {
  std::map<std::uint64_t, std::vector<Job>> jobs_by_worker;
  std::vector<std::int64_t> slow;
  std::uint32_t at_once = 0;
  std::uint32_t at_once_max = 0;
  std::int64_t begun = 0;

  [[nodiscard]] std::size_t jobs() const {
    std::size_t count = 0;
    for (const auto& [worker, jobs] : jobs_by_worker) {
      count += jobs.size();
    }
    return count;
  }
};

class Worker : public Actor {
 public:
  using Protocol = actors::Protocol<Who, Job, Slow, Rest, Fail, FailTimes, Crash, Quit>;
  explicit Worker(std::shared_ptr<Log> log) : log_(std::move(log)) {}

  std::uint64_t on(const Who&) { return self().id().value; }
  void on(const Job& m) { log_->jobs_by_worker[self().id().value].push_back(m); }
  Task<std::uint64_t> on(Slow m) {
    log_->at_once_max = std::max(log_->at_once_max, ++log_->at_once);
    co_await delay(10ms);
    --log_->at_once;
    log_->slow.push_back(m.number);
    co_return self().id().value;
  }
  Task<void> on(Rest) { co_await delay(1s); }
  std::uint64_t on(const Fail&) { throw std::runtime_error{"boom"}; }
  void on(const FailTimes& m, ReplyTo<std::int64_t> reply) {
    if (++log_->begun <= m.times) {
      throw std::runtime_error{"not yet"};
    }
    reply.send(log_->begun);
  }
  void on(const Crash&) { throw std::runtime_error{"boom"}; }
  void on(const Quit&) { stop(); }

 private:
  std::shared_ptr<Log> log_;
};

struct KeyOf {
  std::string operator()(const Job& m) const { return m.key; }
  std::string operator()(const Crash& m) const { return m.key; }
  std::string operator()(const Rest& m) const { return m.key; }
  template <class M>
  std::string operator()(const M&) const {
    return "";
  }
};

class PoolTest : public ::testing::Test {
 protected:
  PoolRef<Worker> start(PoolOptions options) {
    const auto pool = spawn_pool<Worker>(world.system(), std::move(options), log).value();
    world.run_until_idle();
    return pool;
  }
  std::map<std::uint64_t, int> who(const PoolRef<Worker>& pool, int times) {
    std::map<std::uint64_t, int> count;
    for (int i = 0; i < times; ++i) {
      ++count[world.ask(pool, Who{}).value()];
    }
    return count;
  }

  std::shared_ptr<Log> log = std::make_shared<Log>();
  testing::TestSystem world;
};

TEST_F(PoolTest, GivesRoundRobinToEachInTurn) {
  const auto pool = start({.workers = 3});
  const auto count = who(pool, 9);
  ASSERT_EQ(count.size(), 3U);
  for (const auto& [worker, times] : count) {
    EXPECT_EQ(times, 3);
  }
}

TEST_F(PoolTest, GivesAtRandomToAll) {
  const auto pool = start({.workers = 3, .routing = Routing::random()});
  const auto count = who(pool, 90);
  ASSERT_EQ(count.size(), 3U);
  for (const auto& [worker, times] : count) {
    EXPECT_GT(times, 10);
  }
}

TEST_F(PoolTest, GivesToTheLessLoadedOfTwo) {
  const auto pool = start({.workers = 2, .routing = Routing::least_loaded()});
  auto slow = pool.ask(Slow{1}, 5s);
  world.run_until_idle();
  const auto count = who(pool, 20);
  world.advance(10ms);
  ASSERT_EQ(count.size(), 1U);  // never the one that waits in its coroutine
  EXPECT_NE(count.begin()->first, slow.get().value());
}

TEST_F(PoolTest, KeepsAKeyAtOneWorkerAndInOrder) {
  const auto pool = start({.workers = 4, .routing = Routing::by_key<Worker>(KeyOf{})});
  for (std::int64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(pool.tell(Job{"key" + std::to_string(i % 20), i}), base::Outcome::accepted);
  }
  world.run_until_idle();
  EXPECT_EQ(log->jobs(), 200U);
  EXPECT_GT(log->jobs_by_worker.size(), 2U);
  std::map<std::string, std::uint64_t> home;
  for (const auto& [worker, jobs] : log->jobs_by_worker) {
    std::map<std::string, std::int64_t> last;
    for (const Job& job : jobs) {
      EXPECT_EQ(home.try_emplace(job.key, worker).first->second, worker);
      EXPECT_LT(last.try_emplace(job.key, -1).first->second, job.number);
      last[job.key] = job.number;
    }
  }
}

TEST_F(PoolTest, NeverLetsAKeyOvertakeItselfWhileItsSizeChanges) {
  const auto pool = start({.workers = 2,
                           .routing = Routing::by_key<Worker>(KeyOf{}),
                           .worker = {.mailbox_messages_max = 4}});
  std::map<std::string, std::int64_t> last;
  for (std::int64_t i = 0; i < 600; ++i) {
    EXPECT_EQ(pool.tell(Job{"key" + std::to_string(i % 10), i}), base::Outcome::accepted);
    if (i % 100 == 50) {
      pool.resize(static_cast<std::uint32_t>(1 + i / 100));
    }
    world.scheduler().step();
  }
  world.advance(1s);
  EXPECT_EQ(log->jobs(), 600U);
  EXPECT_EQ(pool.status().workers, 6U);
  for (const auto& [worker, jobs] : log->jobs_by_worker) {
    EXPECT_TRUE(std::is_sorted(jobs.begin(), jobs.end(),
                               [](const Job& a, const Job& b) { return a.number < b.number; }));
  }
}

/// A pool by key of two workers, one of which rests and has no room left in its mailbox.
class PoolWithASlowWorker : public PoolTest {
 protected:
  static constexpr std::uint32_t pool_mailbox_max = 40;
  static constexpr std::uint32_t worker_mailbox_max = 4;

  PoolWithASlowWorker() {
    EXPECT_EQ(pool.tell(Rest{slow}), base::Outcome::accepted);
    world.run_until_idle();
  }
  /// Tells until it is refused; how often it was not.
  std::size_t fill() {
    std::size_t accepted = 0;
    while (pool.tell(Job{slow, static_cast<std::int64_t>(accepted)}) == base::Outcome::accepted) {
      ++accepted;
      world.run_until_idle();
    }
    return accepted;
  }
  /// The numbers that this key's worker has handled.
  [[nodiscard]] std::vector<std::int64_t> numbers(const std::string& key) const {
    std::vector<std::int64_t> numbers;
    for (const auto& [worker, jobs] : log->jobs_by_worker) {
      for (const Job& job : jobs) {
        if (job.key == key) {
          numbers.push_back(job.number);
        }
      }
    }
    return numbers;
  }
  static std::string key_of(std::uint32_t worker) {
    std::int64_t number = 0;
    while (jump_hash(key_hash(std::to_string(number)), 2) != worker) {
      ++number;
    }
    return std::to_string(number);
  }

  const std::string slow = key_of(0);
  const std::string fast = key_of(1);
  const PoolRef<Worker> pool = start({.workers = 2,
                                      .routing = Routing::by_key<Worker>(KeyOf{}),
                                      .pool = {.mailbox_messages_max = pool_mailbox_max},
                                      .worker = {.mailbox_messages_max = worker_mailbox_max}});
};

TEST_F(PoolWithASlowWorker, HandlesTheOtherKeysAndTellsTheSenderWhoseWorkerIsFull) {
  const std::size_t accepted = fill();
  // Its worker's mailbox, its share of the pool's, and one that was in the pool's hand.
  EXPECT_GE(accepted, worker_mailbox_max + pool_mailbox_max / 2);
  EXPECT_LE(accepted, worker_mailbox_max + pool_mailbox_max / 2 + 1);
  for (std::int64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(pool.tell(Job{fast, i}), base::Outcome::accepted);
    EXPECT_EQ(pool.tell(Job{slow, 1000}), base::Outcome::mailbox_full);
    world.run_until_idle();
  }
  EXPECT_EQ(numbers(fast).size(), 200U);
  EXPECT_EQ(numbers(slow).size(), 0U);
  EXPECT_LE(pool.status().waiting, pool_mailbox_max / 2 + 1);
  world.advance(2s);
  const auto handled = numbers(slow);
  EXPECT_EQ(handled.size(), accepted);
  EXPECT_TRUE(std::is_sorted(handled.begin(), handled.end()));
  EXPECT_EQ(pool.status().waiting, 0U);
  EXPECT_EQ(pool.tell(Job{slow, 1}), base::Outcome::accepted);
}

/// Sends one job and waits for room.
class Sending : public Actor {
 public:
  using Protocol = actors::Protocol<Job>;
  Sending(PoolRef<Worker> pool, std::vector<std::string>* sent)
      : pool_(std::move(pool)), sent_(*sent) {}
  Task<void> on(Job m) {
    const std::string key = m.key;
    Send sending = pool_.send(std::move(m), 10s);
    const base::Outcome outcome = co_await sending;
    sent_.push_back(key + ": " + std::string{base::to_string(outcome)});
  }

 private:
  PoolRef<Worker> pool_;
  std::vector<std::string>& sent_;
};

TEST_F(PoolWithASlowWorker, LetsWaitOnlyWhoSendsToIt) {
  const std::size_t accepted = fill();
  std::vector<std::string> sent;
  const auto send = [&](const std::string& key, std::int64_t number) {
    const auto sender = world.spawn<Sending>({}, pool, &sent);
    EXPECT_EQ(sender.tell(Job{key, number}), base::Outcome::accepted);
    world.run_until_idle();
  };
  send(slow, 100);
  send(slow, 101);
  EXPECT_TRUE(sent.empty());
  send(fast, 1);
  EXPECT_EQ(sent, (std::vector<std::string>{fast + ": accepted"}));
  EXPECT_EQ(numbers(fast).size(), 1U);
  world.advance(2s);
  EXPECT_EQ(sent, (std::vector<std::string>{fast + ": accepted", slow + ": accepted",
                                            slow + ": accepted"}));
  const auto handled = numbers(slow);
  EXPECT_EQ(handled.size(), accepted + 2);
  EXPECT_TRUE(std::is_sorted(handled.begin(), handled.end()));
}

TEST_F(PoolTest, GivesABroadcastToEachAndTheFirstAnswerToTheAsker) {
  const auto pool = start({.workers = 3, .routing = Routing::broadcast()});
  EXPECT_EQ(pool.tell(Job{"a", 1}), base::Outcome::accepted);
  world.run_until_idle();
  EXPECT_EQ(log->jobs_by_worker.size(), 3U);
  EXPECT_EQ(log->jobs(), 3U);
  EXPECT_TRUE(world.ask(pool, Who{}).ok());
}

TEST_F(PoolTest, LetsFreeWorkersPullOneAtATime) {
  const auto pool = start({.workers = 3, .routing = Routing::on_demand()});
  for (std::int64_t i = 0; i < 30; ++i) {
    EXPECT_EQ(pool.tell(Slow{i}), base::Outcome::accepted);
  }
  world.run_until_idle();
  EXPECT_EQ(log->at_once, 3U);
  world.advance(95ms);
  EXPECT_EQ(log->slow.size(), 27U);
  world.advance(5ms);
  EXPECT_EQ(log->slow.size(), 30U);
  EXPECT_EQ(log->at_once_max, 3U);
}

TEST_F(PoolTest, TellsTheSenderThatItIsSaturated) {
  const auto pool =
      start({.workers = 1, .routing = Routing::on_demand(), .pool = {.mailbox_messages_max = 2}});
  EXPECT_EQ(pool.tell(Slow{0}), base::Outcome::accepted);
  world.run_until_idle();  // in hand
  EXPECT_EQ(pool.tell(Slow{1}), base::Outcome::accepted);
  world.run_until_idle();  // held by the pool
  EXPECT_EQ(pool.tell(Slow{2}), base::Outcome::accepted);
  EXPECT_EQ(pool.tell(Slow{3}), base::Outcome::accepted);
  EXPECT_EQ(pool.tell(Slow{4}), base::Outcome::mailbox_full);
  const auto refused = world.ask(pool, Who{});
  EXPECT_EQ(refused.error().kind, AskError::Kind::not_run);
  EXPECT_EQ(refused.error().outcome, base::Outcome::mailbox_full);
  world.advance(1s);
  EXPECT_EQ(log->slow, (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST_F(PoolTest, DropsWhatExpiresWhileItWaitsAsNotRun) {
  const auto pool = start({.workers = 1, .routing = Routing::on_demand()});
  EXPECT_EQ(pool.tell(Slow{0}), base::Outcome::accepted);
  world.run_until_idle();
  auto late = pool.ask(Slow{1}, 5ms);
  world.advance(1s);
  EXPECT_FALSE(late.get().ok());
  EXPECT_EQ(log->slow, (std::vector<std::int64_t>{0}));
  EXPECT_EQ(pool.status().waiting, 0U);
}

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

TEST_F(PoolTest, LosesNothingWhenItIsMadeSmaller) {
  const auto pool = start({.workers = 4});
  std::vector<Ask<std::uint64_t>> asks;
  for (std::int64_t i = 0; i < 40; ++i) {
    asks.push_back(pool.ask(Slow{i}, 10s));
  }
  world.run_until_idle();
  pool.resize(1);
  world.run_until_idle();
  EXPECT_EQ(pool.status().workers, 1U);
  EXPECT_EQ(world.system().actor_count(), 5U);  // the others finish what they have
  world.advance(1s);
  EXPECT_EQ(world.system().actor_count(), 2U);
  for (auto& ask : asks) {
    EXPECT_TRUE(ask.get().ok());
  }
}

TEST_F(PoolTest, GrowsWhenWorkWaitsAndShrinksWhenIdle) {
  const auto pool =
      start({.workers = 1,
             .routing = Routing::on_demand(),
             .scaling = {.workers_min = 1, .workers_max = 4, .interval = 10ms, .shrink_after = 5}});
  for (std::int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(pool.tell(Slow{i}), base::Outcome::accepted);
  }
  world.advance(150ms);
  EXPECT_EQ(pool.status().workers, 4U);
  world.advance(1s);
  EXPECT_EQ(log->slow.size(), 100U);
  EXPECT_EQ(pool.status().workers, 1U);
}

TEST_F(PoolTest, AnswersNotRunForWhatWaitsWhenItIsStopped) {
  const auto pool = start({.workers = 1, .routing = Routing::on_demand()});
  auto begun = pool.ask(Slow{0}, 10s);
  world.run_until_idle();
  auto held = pool.ask(Slow{1}, 10s);
  auto idempotent = pool.ask(FailTimes{0}, 10s);
  world.run_until_idle();
  world.system().stop(pool);
  world.run_until_idle();
  EXPECT_EQ(begun.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(held.get().error().kind, AskError::Kind::not_run);
  EXPECT_EQ(idempotent.get().error().kind, AskError::Kind::not_run);
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

class Owner : public Actor {
 public:
  using Protocol = actors::Protocol<Who>;
  explicit Owner(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void on_start() override { pool_ = spawn_pool<Worker>(*this, {.workers = 2}, log_).value(); }
  void on(const Who& m, ReplyTo<std::uint64_t> reply) { (void)reply.forward(pool_, m); }

 private:
  std::shared_ptr<Log> log_;
  ActorRef<Worker> pool_;
};

TEST_F(PoolTest, IsAChildOfTheActorThatStartsIt) {
  const auto owner = world.spawn<Owner>({}, log);
  EXPECT_TRUE(world.ask(owner, Who{}).ok());
  EXPECT_EQ(world.system().actor_count(), 4U);
  world.system().stop(owner);
  world.run_until_idle();
  EXPECT_EQ(world.system().actor_count(), 0U);
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
