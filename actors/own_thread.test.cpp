#include "actors/own_thread.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "actors/testing/stepped_test.hpp"
#include "actors/worker_pool.hpp"

namespace troupe::actors {
namespace {

struct WhichThread {
  using Reply = std::uint64_t;
  TROUPE_MESSAGE(WhichThread)
};
struct Block {
  TROUPE_MESSAGE(Block)
};
struct Fail {
  TROUPE_MESSAGE(Fail)
};

std::uint64_t this_thread() {
  return std::hash<std::thread::id>{}(std::this_thread::get_id());
}

class Driver : public Actor {
 public:
  using Protocol = actors::Protocol<WhichThread, Block, Fail>;
  explicit Driver(std::shared_ptr<std::latch> gate = nullptr) : gate_(std::move(gate)) {}
  std::uint64_t on(const WhichThread&) { return this_thread(); }
  void on(const Block&) { gate_->wait(); }
  void on(const Fail&) { throw std::runtime_error{"the device is on fire"}; }

 private:
  std::shared_ptr<std::latch> gate_;
};

class OwnThreadTest : public ::testing::Test {
 protected:
  OwnThreadTest() { pool.start(); }
  ~OwnThreadTest() override {
    std::latch stopped{1};
    system.stop_all([&] { stopped.count_down(); });
    stopped.wait();
    pool.stop();
  }
  base::SteadyClock clock;
  WorkerPool pool{{.workers = 1}};
  ActorSystem system{ActorSystemOptions{}, clock, pool};
};

TEST_F(OwnThreadTest, ActorsThatBlockHoldNobodyUp) {
  const auto gate = std::make_shared<std::latch>(1);
  std::vector<ActorRef<Driver>> drivers;
  for (int i = 0; i < 3; ++i) {
    drivers.push_back(system.spawn<Driver>({.own_thread = true}, gate).value());
    EXPECT_EQ(drivers.back().tell(Block{}), base::Outcome::accepted);
  }
  auto other = system.spawn<Driver>({}).value();
  const auto elsewhere = other.ask(WhichThread{}, std::chrono::minutes{1}).get().value();
  gate->count_down();
  std::vector<std::uint64_t> threads{elsewhere, this_thread()};
  for (const auto& driver : drivers) {
    threads.push_back(driver.ask(WhichThread{}, std::chrono::minutes{1}).get().value());
  }
  std::sort(threads.begin(), threads.end());
  EXPECT_EQ(std::unique(threads.begin(), threads.end()), threads.end());
}

/// Waits for another one's answer without a coroutine.
class Waiter : public Actor {
 public:
  using Protocol = actors::Protocol<WhichThread>;
  explicit Waiter(ActorRef<Driver> other) : other_(other) {}
  std::uint64_t on(const WhichThread& m) {
    return other_.ask(m, std::chrono::minutes{1}).get().value();
  }

 private:
  ActorRef<Driver> other_;
};

TEST_F(OwnThreadTest, AHandlerMayWaitForAnAnswer) {
  auto driver = system.spawn<Driver>({}).value();
  auto waiter = system.spawn<Waiter>({.own_thread = true}, driver).value();
  const auto by_waiter = waiter.ask(WhichThread{}, std::chrono::minutes{1}).get();
  ASSERT_TRUE(by_waiter.ok()) << by_waiter.error().text();
  EXPECT_EQ(by_waiter.value(), driver.ask(WhichThread{}, std::chrono::minutes{1}).get().value());
}

TEST_F(OwnThreadTest, ThreadsArePutToUseAgain) {
  for (int i = 0; i < 50; ++i) {
    auto driver = system.spawn<Driver>({.own_thread = true}).value();
    const auto here = driver.ask(WhichThread{}, std::chrono::minutes{1}).get().value();
    EXPECT_EQ(driver.ask(WhichThread{}, std::chrono::minutes{1}).get().value(), here);
    system.stop(driver);
  }
}

TEST_F(OwnThreadTest, ExitHookOfTheUserIsStillCalled) {
  std::latch left{1};
  auto driver = system
                    .spawn<Driver>({.own_thread = true,
                                    .on_exit =
                                        [&](ExitReason, std::function<void()> proceed) {
                                          proceed();
                                          left.count_down();
                                        }})
                    .value();
  system.stop(driver);
  left.wait();
}

class OwnThreadSimulation : public testing::SteppedTest {};

TEST_F(OwnThreadSimulation, RunsOnTheSchedulerWhereThereAreNoOwnThreads) {
  auto driver = spawn<Driver>({.own_thread = true});
  EXPECT_EQ(ask(driver, WhichThread{}).value(), this_thread());
}

}  // namespace
}  // namespace troupe::actors
