#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/pool.hpp"
#include "actors/testing/test_system.hpp"

/// What the tests of pools share: the messages, a worker that writes down what it does, and the
/// fixture that starts a pool of it.
namespace troupe::actors::pool_test {

using namespace std::chrono_literals;

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
  std::vector<Job> in_order;
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
  void on(const Job& m) {
    log_->jobs_by_worker[self().id().value].push_back(m);
    log_->in_order.push_back(m);
  }
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

}  // namespace troupe::actors::pool_test
