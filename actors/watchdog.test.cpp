#include "actors/watchdog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <latch>
#include <string>
#include <thread>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Block {
  TROUPE_MESSAGE(Block)
};

struct Ping {
  TROUPE_MESSAGE(Ping)
};

struct Latches {
  std::latch has_begun{1};
  std::latch may_end{1};
};

class Blocking : public Actor {
 public:
  using Protocol = actors::Protocol<Block, Ping>;
  explicit Blocking(Latches* latches) : latches_(*latches) {}
  void on(const Block&) {
    latches_.has_begun.count_down();
    latches_.may_end.wait();
  }
  void on(const Ping&) {}

 private:
  Latches& latches_;
};

/// Real workers, and a clock and timers by hand.
class WatchdogTest : public ::testing::Test {
 protected:
  void advance(base::Duration by) {
    for (const base::TimePoint end = clock.now() + by; clock.now() < end;) {
      clock.set(std::min(end, std::max(clock.now(), system.timers().next_due())));
      system.timers().run_due(clock.now());
    }
  }
  void TearDown() override {
    std::latch stopped{1};
    system.stop_all([&stopped] { stopped.count_down(); });
    stopped.wait();
    pool.stop();
  }

  base::ManualClock clock;
  WorkerPool pool{{.workers = 2}};
  ActorSystem system{ActorSystemOptions{}, clock, pool};
};

TEST_F(WatchdogTest, NamesAnActorWhoseHandlerDoesNotReturn) {
  const Watchdog watchdog{system, pool, {.turn_max = 1s}};
  Latches latches;
  const auto blocking = system.spawn<Blocking>({}, &latches).value();
  pool.start();
  EXPECT_EQ(blocking.tell(Block{}), base::Outcome::accepted);
  latches.has_begun.wait();
  advance(900ms);
  EXPECT_TRUE(watchdog.stuck().empty());
  advance(700ms);
  const auto stuck = watchdog.stuck();
  ASSERT_EQ(stuck.size(), 1U);
  EXPECT_EQ(stuck[0].actor, blocking.id());
  EXPECT_EQ(stuck[0].type, "Blocking");
  EXPECT_GE(stuck[0].duration, 1s);
  latches.may_end.count_down();
  while (!watchdog.stuck().empty()) {  // until the turn has ended
    std::this_thread::yield();
  }
  const auto handled = blocking.ask(Ping{}, 100s).get();
  EXPECT_TRUE(handled.ok());
}

/// Blocks twice, each time until it is let on.
class TwiceBlocking : public Actor {
 public:
  using Protocol = actors::Protocol<Block>;
  TwiceBlocking(Latches* first, Latches* second) : latches_{first, second} {}
  void on(const Block&) {
    Latches& mine = *latches_[next_++];
    mine.has_begun.count_down();
    mine.may_end.wait();
  }

 private:
  std::array<Latches*, 2> latches_;
  std::size_t next_ = 0;
};

TEST_F(WatchdogTest, TellsSinceWhenAHandlerBlocksAThreadOfItsOwn) {
  const Watchdog watchdog{system, pool, {.turn_max = 1s}};
  Latches first;
  Latches second;
  const auto blocking = system.spawn<TwiceBlocking>({.own_thread = true}, &first, &second).value();
  EXPECT_EQ(blocking.tell(Block{}), base::Outcome::accepted);
  EXPECT_EQ(blocking.tell(Block{}), base::Outcome::accepted);
  pool.start();
  first.has_begun.wait();
  advance(900ms);
  EXPECT_TRUE(watchdog.blocked().empty());
  advance(700ms);
  auto blocked = watchdog.blocked();
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_EQ(blocked[0].actor, blocking.id());
  EXPECT_EQ(blocked[0].type, "TwiceBlocking");
  EXPECT_GE(blocked[0].duration, 1s);
  EXPECT_TRUE(watchdog.stuck().empty());  // it is where it may block

  first.may_end.count_down();
  second.has_begun.wait();
  EXPECT_TRUE(watchdog.blocked().empty());  // another message: from now on
  advance(1600ms);
  blocked = watchdog.blocked();
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_LE(blocked[0].duration, 1600ms);
  second.may_end.count_down();
  while (!watchdog.blocked().empty()) {  // until the turn has ended
    std::this_thread::yield();
  }
}

TEST_F(WatchdogTest, LogsAHandlerOnAThreadOfItsOwnOnceAsInformation) {
  const Watchdog watchdog{
      system, pool, {.turn_max = 1s, .own_thread_max = 10s, .name_of = [](base::ActorId) {
                       return std::string{"driver"};
                     }}};
  Latches latches;
  const auto blocking = system.spawn<Blocking>({.own_thread = true}, &latches).value();
  pool.start();
  EXPECT_EQ(blocking.tell(Block{}), base::Outcome::accepted);
  latches.has_begun.wait();
  ::testing::internal::CaptureStderr();
  advance(9s);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  advance(60s);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  latches.may_end.count_down();
  EXPECT_TRUE(blocking.ask(Ping{}, 100s).get().ok());  // nobody looks at the latches any more
  EXPECT_NE(logged.find("info"), std::string::npos) << logged;
  EXPECT_NE(logged.find("'driver'"), std::string::npos) << logged;
  EXPECT_EQ(std::count(logged.begin(), logged.end(), '\n'), 1) << logged;
}

struct Begin {
  AnyRef other;
  TROUPE_MESSAGE(Begin, other)
};

/// Sends on, without end, what it gets; to itself, or to another one and back.
class Endless : public Actor {
 public:
  using Protocol = actors::Protocol<Begin>;
  void on(const Begin& m) {
    (void)ActorRef<Endless>{m.other}.tell(Begin{m.other == self() ? m.other : self()});
  }
};

TEST_F(WatchdogTest, NamesAnActorThatSendsToItselfWithoutEnd) {
  const Watchdog watchdog{system, pool, {.turn_max = 1s}};
  const auto endless = system.spawn<Endless>({}).value();
  pool.start();
  EXPECT_EQ(endless.tell(Begin{endless}), base::Outcome::accepted);
  while (watchdog.endless().empty()) {  // until it was found running, and has answered
    advance(500ms);
    std::this_thread::yield();
  }
  const auto found = watchdog.endless();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].actor, endless.id());
  EXPECT_EQ(found[0].type, "Endless");
  EXPECT_GE(found[0].duration, 1s);
  system.stop(endless);
  while (!watchdog.endless().empty()) {
    advance(500ms);
    std::this_thread::yield();
  }
}

TEST_F(WatchdogTest, IsSilentAboutActorsThatKeepEachOtherBusy) {
  const Watchdog watchdog{system, pool, {.turn_max = 1s}};
  const auto one = system.spawn<Endless>({}).value();
  const auto two = system.spawn<Endless>({}).value();
  pool.start();
  EXPECT_EQ(one.tell(Begin{two}), base::Outcome::accepted);
  for (int look = 0; look < 1000; ++look) {
    advance(500ms);
    ASSERT_TRUE(watchdog.endless().empty());
  }
}

TEST_F(WatchdogTest, IsSilentAboutIdleWorkers) {
  const Watchdog watchdog{system, pool, {.turn_max = 1s}};
  pool.start();
  advance(10s);
  EXPECT_TRUE(watchdog.stuck().empty());
}

TEST_F(WatchdogTest, EndsItsTimer) {
  pool.start();
  {
    const Watchdog watchdog{system, pool};
    EXPECT_EQ(system.timers().size(), 1U);
  }
  EXPECT_EQ(system.timers().size(), 0U);
}

}  // namespace
}  // namespace troupe::actors
