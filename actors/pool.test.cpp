#include "actors/pool.hpp"

#include <algorithm>

#include "actors/testing/pool_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using namespace pool_test;

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

}  // namespace
}  // namespace troupe::actors
