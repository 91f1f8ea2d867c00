#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/pool.hpp"
#include "actors/testing/test_system.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Who {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Who)
};
/// Takes 10 ms; fails at the worker `fails_at`.
struct Slow {
  using Reply = std::int64_t;
  std::int64_t fails_at = -1;
  TROUPE_MESSAGE(Slow, fails_at)
};
/// Fails at one worker.
struct FailAt {
  std::int64_t worker = 0;
  TROUPE_MESSAGE(FailAt, worker)
};

/// Takes 10 ms, and fails.
struct Repeat {
  using Reply = std::int64_t;
  static constexpr bool idempotent = true;
  TROUPE_MESSAGE(Repeat)
};
/// Answered 50 ms later.
struct Later {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Later)
};
struct AnswerLater {
  TROUPE_MESSAGE(AnswerLater)
};
/// Put aside for 50 ms when it comes first.
struct Aside {
  TROUPE_MESSAGE(Aside)
};
struct GoOn {
  TROUPE_MESSAGE(GoOn)
};

/// What happened in one test.
struct Log {
  std::int64_t started = 0;
  /// By the number of the worker.
  std::vector<std::int64_t> begun;
  std::vector<std::int64_t> ended;
  std::size_t kept_max = 0;
};

/// Numbered from 0 in their order in the pool; a replacement has the same number.
class Worker : public Actor {
 public:
  using Protocol = actors::Protocol<Who, Slow, FailAt, Repeat, Later, AnswerLater, Aside, GoOn>;
  explicit Worker(std::shared_ptr<Log> log) : log_(std::move(log)) {
    ++log_->started;
    number_ = std::stoll(std::string{cell().label().substr(std::strlen("worker-"))}) - 1;
  }

  std::int64_t on(const Who&) {
    log_->begun.push_back(number_);
    return number_;
  }
  Task<std::int64_t> on(Slow m) {
    log_->begun.push_back(number_);
    co_await delay(10ms);
    if (m.fails_at == number_) {
      throw std::runtime_error{"boom"};
    }
    log_->ended.push_back(number_);
    co_return number_;
  }
  Task<std::int64_t> on(Repeat) {
    log_->begun.push_back(number_);
    co_await delay(10ms);
    throw std::runtime_error{"boom"};
  }
  void on(const FailAt& m) {
    if (m.worker == number_) {
      throw std::runtime_error{"boom"};
    }
  }
  void on(const Later&, ReplyTo<std::int64_t> reply) {
    log_->begun.push_back(number_);
    kept_.push_back(std::move(reply));
    log_->kept_max = std::max(log_->kept_max, kept_.size());
    after(50ms, AnswerLater{});
  }
  void on(const AnswerLater&) {
    kept_.front().send(number_);
    kept_.erase(kept_.begin());
  }
  void on(const Aside& m) {
    if (is_open_) {
      log_->ended.push_back(number_);
    } else {
      EXPECT_EQ(stash(m), base::Outcome::accepted);
      after(50ms, GoOn{});
    }
  }
  void on(const GoOn&) {
    is_open_ = true;
    unstash_all();
  }

 private:
  std::shared_ptr<Log> log_;
  std::int64_t number_ = 0;
  std::vector<ReplyTo<std::int64_t>> kept_;
  bool is_open_ = false;
};

class PoolReplies : public ::testing::Test {
 protected:
  PoolRef<Worker> start(PoolOptions options) {
    const auto pool = spawn_pool<Worker>(world.system(), std::move(options), log).value();
    world.run_until_idle();
    return pool;
  }

  std::shared_ptr<Log> log = std::make_shared<Log>();
  testing::TestSystem world;
};

// Broadcast.

TEST_F(PoolReplies, ABroadcastAskReachesEveryWorkerThoughTheFirstAnswersAtOnce) {
  const auto pool = start({.workers = 3, .routing = Routing::broadcast()});
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(world.ask(pool, Who{}).ok());
    EXPECT_EQ(log->begun.size(), 3U) << i;
    log->begun.clear();
  }
}

/// Until let_go(), the ends of workers are not told.
class BroadcastWithADyingWorker : public PoolReplies {
 protected:
  /// A pool of two. The last one has failed, and a Slow has been asked that it will never handle.
  Ask<std::int64_t> ask_while_the_last_dies(Slow message) {
    PoolOptions options{.workers = 2, .routing = Routing::broadcast()};
    options.worker.on_exit = [ends = ends](ExitReason, std::function<void()> release) {
      if (ends->are_held) {
        ends->releases.push_back(std::move(release));
      } else {
        release();
      }
    };
    pool = start(std::move(options));
    EXPECT_EQ(pool.tell(FailAt{1}), base::Outcome::accepted);
    Ask<std::int64_t> ask = pool.ask(message, 60s);
    world.run_until_idle();
    EXPECT_EQ(log->begun, (std::vector<std::int64_t>{0}));
    pool.resize(1);
    world.run_until_idle();
    return ask;
  }
  void let_go() {
    ends->are_held = false;
    for (const auto& release : std::exchange(ends->releases, {})) {
      release();
    }
  }
  ~BroadcastWithADyingWorker() override { let_go(); }

  struct Ends {
    std::vector<std::function<void()>> releases;
    bool are_held = true;
  };
  /// Shared with the workers, which outlive it.
  const std::shared_ptr<Ends> ends = std::make_shared<Ends>();
  PoolRef<Worker> pool;
};

TEST_F(BroadcastWithADyingWorker, IsAnsweredByTheOthers) {
  auto ask = ask_while_the_last_dies({});
  EXPECT_FALSE(ask.is_ready());
  world.advance(10ms);
  ASSERT_TRUE(ask.is_ready());
  EXPECT_EQ(ask.get().value(), 0);
}

TEST_F(BroadcastWithADyingWorker, MayHaveRunIfOneOfTheOthersBeganIt) {
  auto ask = ask_while_the_last_dies({.fails_at = 0});
  let_go();
  world.run_until_idle();
  EXPECT_FALSE(ask.is_ready());
  world.advance(10ms);
  ASSERT_TRUE(ask.is_ready());
  EXPECT_EQ(ask.get().error().kind, AskError::Kind::may_have_run);
}

TEST_F(PoolReplies, ABroadcastThatExpiresBeforeAnyWorkerBeganItIsNotRun) {
  const auto pool = start({.workers = 2, .routing = Routing::broadcast()});
  EXPECT_EQ(pool.tell(Slow{}), base::Outcome::accepted);
  world.run_until_idle();
  auto late = pool.ask(Who{}, 5ms);
  world.advance(20ms);
  ASSERT_TRUE(late.is_ready());
  EXPECT_FALSE(late.get().ok());
  EXPECT_EQ(log->begun.size(), 2U);
}

TEST(BroadcastWithARetiredWorker, GivesNobodyElseWhatThatOneLeftBehind) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    testing::TestSystem world{{.seed = seed}};
    const auto log = std::make_shared<Log>();
    const auto pool =
        spawn_pool<Worker>(world.system(), {.workers = 2, .routing = Routing::broadcast()}, log)
            .value();
    world.run_until_idle();
    EXPECT_EQ(pool.tell(FailAt{1}), base::Outcome::accepted);
    auto ask = pool.ask(Slow{}, 60s);
    while (log->begun.empty() && world.step()) {
    }
    pool.resize(1);
    world.advance(1s);
    EXPECT_EQ(log->begun, (std::vector<std::int64_t>{0})) << "seed " << seed;
    ASSERT_TRUE(ask.is_ready());
    EXPECT_EQ(ask.get().value(), 0);
  }
}

TEST_F(PoolReplies, ABroadcastOutlivesItsPool) {
  const auto pool = start({.workers = 2, .routing = Routing::broadcast()});
  auto ask = pool.ask(Slow{}, 60s);
  world.run_until_idle();
  world.system().stop(pool);
  world.run_until_idle();
  ASSERT_TRUE(ask.is_ready());
  EXPECT_EQ(ask.get().error().kind, AskError::Kind::may_have_run);
}

// Cancellation.

TEST_F(PoolReplies, CancelReachesWhatWaitsInThePool) {
  const auto pool = start({.workers = 1, .routing = Routing::on_demand()});
  EXPECT_EQ(pool.tell(Slow{}), base::Outcome::accepted);
  world.run_until_idle();
  auto idempotent = pool.ask(Repeat{}, 60s);
  world.run_until_idle();
  EXPECT_EQ(pool.status().waiting, 1U);
  auto plain = pool.ask(Who{}, 60s);
  idempotent.cancel();
  plain.cancel();
  world.advance(1s);
  EXPECT_EQ(log->begun, (std::vector<std::int64_t>{0}));
  EXPECT_EQ(pool.status().waiting, 0U);
}

TEST_F(PoolReplies, CancelledRequestKeepsNoWorkerFromTheNextOne) {
  const auto pool = start({.workers = 1, .routing = Routing::on_demand()});
  EXPECT_EQ(pool.tell(Slow{}), base::Outcome::accepted);
  world.advance(5ms);
  auto cancelled = pool.ask(Who{}, 60s);
  world.run_until_idle();
  EXPECT_EQ(pool.status().waiting, 1U);
  auto next = pool.ask(Who{}, 60s);
  cancelled.cancel();
  world.advance(5ms);
  EXPECT_TRUE(next.is_ready());
  EXPECT_EQ(log->begun, (std::vector<std::int64_t>{0, 0}));
}

TEST_F(PoolReplies, CancelledIdempotentWorkIsNotBegunAgain) {
  const auto pool = start({.workers = 2, .attempts_max = 3});
  auto ask = pool.ask(Repeat{}, 60s);
  world.run_until_idle();
  ask.cancel();
  world.advance(1s);
  EXPECT_EQ(log->begun.size(), 1U);
}

TEST_F(PoolReplies, CancelledBroadcastGoesToNoMoreWorkers) {
  const auto pool =
      start({.workers = 2, .routing = Routing::broadcast(), .worker = {.mailbox_messages_max = 2}});
  EXPECT_EQ(pool.tell(FailAt{1}), base::Outcome::accepted);
  world.run_until_idle();
  // What the replacement may have at first.
  EXPECT_EQ(pool.tell(Who{}), base::Outcome::accepted);
  EXPECT_EQ(pool.tell(Who{}), base::Outcome::accepted);
  auto ask = pool.ask(Later{}, 60s);
  world.run_until_idle();
  EXPECT_EQ(log->begun, (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(pool.status().waiting, 3U);
  ask.cancel();
  world.advance(1s);
  EXPECT_EQ(log->begun, (std::vector<std::int64_t>{0, 0, 0, 1, 1}));
}

TEST(BroadcastThatWasCancelled, GoesToNoMoreWorkersThoughOneAnswersIt) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    testing::TestSystem world{{.seed = seed}};
    const auto log = std::make_shared<Log>();
    const auto pool =
        spawn_pool<Worker>(
            world.system(),
            {.workers = 2, .routing = Routing::broadcast(), .worker = {.mailbox_messages_max = 2}},
            log)
            .value();
    EXPECT_EQ(pool.tell(FailAt{1}), base::Outcome::accepted);
    world.run_until_idle();
    EXPECT_EQ(pool.tell(Who{}), base::Outcome::accepted);
    EXPECT_EQ(pool.tell(Who{}), base::Outcome::accepted);
    auto ask = pool.ask(Slow{}, 60s);
    world.run_until_idle();
    ask.cancel();
    world.advance(1s);
    EXPECT_EQ(log->begun, (std::vector<std::int64_t>{0, 0, 0, 1, 1})) << "seed " << seed;
    EXPECT_EQ(log->ended, (std::vector<std::int64_t>{0}));
  }
}

// What a worker has begun and keeps.

TEST_F(PoolReplies, AWorkerTooManyAnswersFirstWhatItKept) {
  const auto pool = start({.workers = 4});
  std::vector<Ask<std::int64_t>> asks;
  for (int i = 0; i < 8; ++i) {
    asks.push_back(pool.ask(Later{}, 60s));
  }
  world.run_until_idle();
  pool.resize(1);
  world.advance(40ms);
  EXPECT_EQ(world.system().actor_count(), 5U);
  world.advance(1s);
  EXPECT_EQ(world.system().actor_count(), 2U);
  for (auto& ask : asks) {
    ASSERT_TRUE(ask.is_ready());
    const auto result = ask.get();
    EXPECT_TRUE(result.ok()) << result.error().text();
  }
}

TEST_F(PoolReplies, AWorkerTooManyHandlesFirstWhatItPutAside) {
  const auto pool = start({.workers = 4});
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(pool.tell(Aside{}), base::Outcome::accepted);
  }
  world.run_until_idle();
  pool.resize(1);
  world.advance(1s);
  EXPECT_EQ(log->ended.size(), 8U);
  EXPECT_EQ(world.system().actor_count(), 2U);
}

TEST_F(PoolReplies, WhatADyingWorkerPutAsideGoesToAnother) {
  const auto pool = start({.workers = 2});
  EXPECT_EQ(pool.tell(Aside{}), base::Outcome::accepted);
  world.run_until_idle();
  EXPECT_EQ(pool.tell(Who{}), base::Outcome::accepted);
  EXPECT_EQ(pool.tell(FailAt{0}), base::Outcome::accepted);
  world.advance(1s);
  EXPECT_EQ(pool.status().replaced, 1U);
  EXPECT_EQ(log->ended, (std::vector<std::int64_t>{1}));
}

TEST_F(PoolReplies, WhoHasYetToAnswerIsNotFree) {
  const auto pool = start({.workers = 3, .routing = Routing::on_demand()});
  std::vector<Ask<std::int64_t>> asks;
  for (int i = 0; i < 9; ++i) {
    asks.push_back(pool.ask(Later{}, 60s));
  }
  world.run_until_idle();
  EXPECT_EQ(pool.status().waiting, 1U);
  world.advance(149ms);
  EXPECT_FALSE(asks.back().is_ready());
  world.advance(1ms);
  EXPECT_EQ(log->kept_max, 1U);
  for (auto& ask : asks) {
    ASSERT_TRUE(ask.is_ready());
    EXPECT_TRUE(ask.get().ok());
  }
}

TEST_F(PoolReplies, LooksAtItsLoadAsOftenAfterItHasFailed) {
  constexpr std::int64_t size = 4;
  const auto pool = start(
      {.workers = size,
       .routing = Routing::broadcast(),
       .scaling = {.workers_min = 1, .workers_max = size, .interval = 1min, .shrink_after = 10},
       .restart = {.restarts_max = 0}});
  for (std::int64_t life = 1; life <= 3; ++life) {
    EXPECT_EQ(pool.tell(FailAt{0}), base::Outcome::accepted);
    for (int i = 0; i < 1'000 && log->started == life * size; ++i) {
      world.advance(1ms);
    }
    ASSERT_EQ(log->started, (life + 1) * size);
  }
  world.advance(9min);
  EXPECT_EQ(pool.status().workers, 4U);
  world.advance(2min);
  EXPECT_EQ(pool.status().workers, 3U);
}

/// Reached from outside of its turns, which only a test may do.
class Owner : public Actor {
 public:
  using Protocol = actors::Protocol<Who>;
  explicit Owner(Owner** here) { *here = this; }
  std::int64_t on(const Who&) { return 0; }
};

TEST_F(PoolReplies, APoolIsTheChildOfTheActorThatWasGiven) {
  Owner* owner = nullptr;
  const auto ref = world.spawn<Owner>({}, &owner);
  world.run_until_idle();
  const auto pool = spawn_pool<Worker>(*owner, {.workers = 2}, log);
  ASSERT_TRUE(pool.ok());
  EXPECT_TRUE(world.ask(pool.value(), Who{}).ok());
  EXPECT_EQ(world.system().actor_count(), 4U);
  world.stop(ref);
  EXPECT_EQ(world.system().actor_count(), 0U);
}

}  // namespace
}  // namespace troupe::actors
