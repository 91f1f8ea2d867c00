#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <string>
#include <utility>
#include <vector>

#include "actors/testing/stepped_test.hpp"
#include "actors/worker_pool.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

using Log = std::vector<std::string>;

class Witness : public Actor {
 public:
  using Protocol = actors::Protocol<>;
  Witness(std::string name, Log* log) : name_(std::move(name)), log_(log) {}
  void on_stop(ExitReason) override { log_->push_back(name_); }

 protected:
  std::string name_;
  Log* log_;
};

class Parent : public Witness {
 public:
  using Witness::Witness;
  void on_start() override { (void)spawn<Witness>({}, name_ + "'s child", log_); }
};

class StopAll : public testing::SteppedTest {
 protected:
  void stop_all() {
    system.stop_all([this] { stopped_at.push_back(world.now()); });
  }
  /// Its end does not come before go_on() is called.
  ExitHook held() {
    return [this](ExitReason, std::function<void()> proceed) {
      proceeds.push_back(std::move(proceed));
    };
  }
  void go_on() {
    for (const auto& proceed : std::exchange(proceeds, {})) {
      proceed();
    }
    run();
  }
  Log log;
  std::vector<base::TimePoint> stopped_at;
  std::vector<std::function<void()>> proceeds;
};

TEST_F(StopAll, EndsTheLastOneStartedFirstWithItsChildren) {
  spawn<Witness>({}, "first", &log);
  spawn<Parent>({}, "second", &log);
  spawn<Witness>({}, "third", &log);
  run();
  stop_all();
  run();
  EXPECT_EQ(log, (Log{"third", "second's child", "second", "first"}));
  EXPECT_EQ(stopped_at.size(), 1U);
}

TEST_F(StopAll, EndsAnActorOnlyWhenThoseThatCameLaterAreGone) {
  spawn<Witness>({}, "first", &log);
  spawn<Witness>({.on_exit = held()}, "second", &log);
  run();
  stop_all();
  advance(4s);
  EXPECT_EQ(log, (Log{"second"}));
  go_on();
  EXPECT_EQ(log, (Log{"second", "first"}));
}

TEST_F(StopAll, LetsGoOfWhoDoesNotEndInItsTime) {
  const base::TimePoint began = world.now();
  spawn<Witness>({.stop_timeout = 2s, .on_exit = held()}, "first", &log);
  spawn<Witness>({}, "second", &log);
  spawn<Witness>({.stop_timeout = 3s, .on_exit = held()}, "third", &log);
  run();
  stop_all();
  advance(2999ms);
  EXPECT_EQ(log, (Log{"third"}));
  advance(1ms);
  EXPECT_EQ(log, (Log{"third", "second", "first"}));
  EXPECT_TRUE(stopped_at.empty());
  advance(2s);
  EXPECT_EQ(stopped_at, (std::vector<base::TimePoint>{began + 5s}));
  EXPECT_EQ(system.actor_count(), 2U);  // let go of, not ended
  EXPECT_EQ(system.timers().size(), 0U);
  go_on();
  EXPECT_EQ(system.actor_count(), 0U);
}

TEST_F(StopAll, WaitsForEverWhereItIsToldTo) {
  spawn<Witness>({.stop_timeout = base::Duration::max(), .on_exit = held()}, "first", &log);
  run();
  stop_all();
  advance(24h);
  EXPECT_TRUE(stopped_at.empty());
  go_on();
  EXPECT_EQ(stopped_at.size(), 1U);
}

TEST_F(StopAll, CallsEveryoneBackAlsoWhoComesLater) {
  spawn<Witness>({}, "first", &log);
  run();
  stop_all();
  stop_all();
  run();
  EXPECT_EQ(stopped_at.size(), 2U);
  stop_all();
  EXPECT_EQ(stopped_at.size(), 3U);
}

struct Knock {
  TROUPE_MESSAGE(Knock)
};
class Sleeper : public Actor {
 public:
  using Protocol = actors::Protocol<Knock>;
  explicit Sleeper(std::latch* done) : done_(done) {}
  void on(const Knock&) { done_->count_down(); }

 private:
  std::latch* done_;
};

TEST(ActorSystemOnThreads, MayBeDestroyedWhileItsWorkersRun) {
  for (int round = 0; round < 20; ++round) {
    std::latch done{50};
    std::latch stopped{1};
    const base::SteadyClock clock;
    WorkerPool pool{{.workers = 2}};
    ActorSystem system{ActorSystemOptions{}, clock, pool};
    pool.start();
    for (int i = 0; i < 50; ++i) {
      auto sleeper = system.spawn<Sleeper>({}, &done).value();
      EXPECT_EQ(sleeper.tell(Knock{}), base::Outcome::accepted);
    }
    done.wait();  // the last turns may not have ended
    if (round % 2 == 0) {
      system.stop_all([&] { stopped.count_down(); });
      stopped.wait();
    }
  }
}

}  // namespace
}  // namespace troupe::actors
