#include "actors/testing/testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

struct Note {
  std::int64_t number = 0;
  TROUPE_MESSAGE(Note, number)
};
struct Other {
  TROUPE_MESSAGE(Other)
};
struct Question {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Question)
};

using Listener = actors::Protocol<Note, Question>;

/// Passes on what it gets, later or at once.
class Relay : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Note, Other, Question>;
  explicit Relay(actors::ActorRef<Listener> to) : to_(to) {}
  void on(const Note& m) { (void)to_.tell(m); }
  void on(const Other&) { after(2s, Note{42}); }
  actors::Task<std::int64_t> on(Question m) {
    auto pending = to_.ask(m, 1s);
    const auto answer = co_await pending;
    if (!answer.ok()) {
      throw actors::Refusal{answer.error().text()};
    }
    co_return answer.value() + 1;
  }

 private:
  actors::ActorRef<Listener> to_;
};

class Endless : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Other>;
  void on(const Other& m) { (void)self_as<Endless>().tell(m); }
};

std::string failure_of(const std::function<void()>& function) {
  try {
    function();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "no failure";
}

TEST(Probe, TakesMessagesInOrderAndSaysWhatCameInstead) {
  TestSystem system{{.seed = 17}};
  Probe probe = system.probe("bookkeeper");
  const auto relay = system.spawn<Relay>({}, probe.as<Listener>());
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(relay.tell(Note{i}), base::Outcome::accepted);
  }
  EXPECT_EQ(probe.expect<Note>().number, 1);
  EXPECT_EQ(probe.sender(), relay.id());
  const std::string text = failure_of([&] { probe.expect<Other>(); });
  EXPECT_TRUE(text.starts_with("bookkeeper expected Other, and Note came")) << text;
  EXPECT_NE(text.find("TROUPE_SEED=17"), std::string::npos) << text;
  EXPECT_NE(text.find("--gtest_filter=Probe.TakesMessages"), std::string::npos) << text;
  EXPECT_TRUE(failure_of([&] {
                probe.expect<Note>();
              }).starts_with("bookkeeper expected Note, and no message came"));
}

TEST(Probe, WaitsInVirtualTime) {
  TestSystem system;
  Probe probe = system.probe();
  const auto relay = system.spawn<Relay>({}, probe.as<Listener>());
  EXPECT_EQ(relay.tell(Other{}), base::Outcome::accepted);
  const base::TimePoint start = system.now();
  probe.expect_none(1999ms);
  EXPECT_EQ(probe.expect<Note>().number, 42);
  EXPECT_EQ(system.now() - start, 2s);
  EXPECT_EQ(relay.tell(Note{1}), base::Outcome::accepted);
  EXPECT_TRUE(failure_of([&] {
                probe.expect_none();
              }).starts_with("probe expected no message, and Note came"));
}

TEST(Probe, AnswersAsksOnce) {
  TestSystem system;
  Probe probe = system.probe();
  const auto relay = system.spawn<Relay>({}, probe.as<Listener>());
  auto first = relay.ask(Question{}, 5s);
  probe.expect<Question>();
  probe.reply(std::int64_t{6});
  EXPECT_EQ(first.get().value(), 7);
  EXPECT_TRUE(
      failure_of([&] { probe.reply(std::int64_t{6}); }).starts_with("probe has nobody to answer"));
  auto second = relay.ask(Question{}, 5s);
  probe.expect<Question>();
  probe.refuse("not today");
  EXPECT_EQ(second.get().error().reason, "not today");
}

TEST(Probe, HearsOfAnEnd) {
  TestSystem system;
  Probe probe = system.probe();
  const auto relay = system.spawn<Relay>({}, probe.as<Listener>());
  probe.watch(relay);
  EXPECT_TRUE(failure_of([&] {
                probe.expect_terminated(relay);
              }).starts_with("probe expected the end of an actor"));
  system.stop(relay);
  EXPECT_EQ(probe.expect_terminated(relay).reason, actors::ExitReason::stopped);
}

TEST(TestSystem, RepeatsARunWithTheSameSeedOnly) {
  const auto order_of = [](std::uint64_t seed) {
    TestSystem system{{.seed = seed}};
    Probe probe = system.probe();
    for (int i = 0; i < 10; ++i) {
      const auto relay = system.spawn<Relay>({}, probe.as<Listener>());
      EXPECT_EQ(relay.tell(Note{i}), base::Outcome::accepted);
    }
    std::vector<std::int64_t> order;
    for (int i = 0; i < 10; ++i) {
      order.push_back(probe.expect<Note>().number);
    }
    return order;
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
}

TEST(TestSystem, AsksWithoutWaitingAndSeesDeadlinesPass) {
  TestSystem system;
  Probe silent = system.probe();
  const auto relay = system.spawn<Relay>({}, silent.as<Listener>());
  EXPECT_TRUE(system.ask(relay, Note{1}).ok());
  EXPECT_EQ(system.ask(relay, Question{}).error().kind, actors::AskError::Kind::refusal);
}

struct WhichThread {
  using Reply = bool;
  TROUPE_MESSAGE(WhichThread)
};
class Blocking : public actors::Actor {
 public:
  using Protocol = actors::Protocol<WhichThread>;
  explicit Blocking(std::thread::id tests) : tests_(tests) {}
  bool on(const WhichThread&) { return std::this_thread::get_id() == tests_; }

 private:
  std::thread::id tests_;
};

TEST(TestSystem, RunsActorsWithAThreadOfTheirOwnOnTheTests) {
  TestSystem system;
  const auto blocking = system.spawn<Blocking>({.own_thread = true}, std::this_thread::get_id());
  EXPECT_TRUE(system.ask(blocking, WhichThread{}).value());
}

TEST(TestSystem, FindsActorsThatNeverRest) {
  TestSystem system{{.turns_max = 1000}};
  const auto endless = system.spawn<Endless>();
  EXPECT_EQ(endless.tell(Other{}), base::Outcome::accepted);
  EXPECT_TRUE(failure_of([&] { system.run_until_idle(); }).starts_with("1000 turns, and no end"));
}

TEST(TestSystem, FindsAnActorThatDoesNotStop) {
  TestSystem system;
  (void)system.spawn<Endless>({.on_exit = [](actors::ExitReason, std::function<void()>) {}});
  EXPECT_TRUE(
      failure_of([&] { system.finish(); }).starts_with("the actors have not stopped: 1 are left"));
}

TEST(TestSystem, ChecksTheLedgerAtItsEnd) {
  TestSystem system;
  const auto relay = system.spawn<Relay>({}, system.probe().as<Listener>());
  EXPECT_EQ(relay.tell(Note{1}), base::Outcome::accepted);
  system.run_until_idle();
  EXPECT_EQ(system.system().ledger().text(), "sent 2 = delivered 2 + in flight 0");
  system.system().count_sent();  // one that nobody received
  EXPECT_TRUE(failure_of([&] {
                system.finish();
              }).starts_with("the ledger does not add up: sent 3 != delivered 2"));
  system.system().count_delivered();
}

TEST(ForEachSeed, StopsAtTheSeedThatFailsAndSaysHowToReplay) {
  std::vector<std::uint64_t> ran;
  ::testing::internal::CaptureStderr();
  const std::string text = failure_of([&] {
    for_each_seed(10, [&](std::uint64_t seed) {
      ran.push_back(seed);
      if (seed == 3) {
        throw Failure{"third"};
      }
    });
  });
  const std::string printed = ::testing::internal::GetCapturedStderr();
  if (std::getenv("TROUPE_SEED") == nullptr) {
    EXPECT_EQ(text, "third");
    EXPECT_EQ(ran, (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_TRUE(printed.starts_with("seed 3 failed; replay with: TROUPE_SEED=3 ")) << printed;
    EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 1) << printed;
  } else {
    EXPECT_EQ(ran.size(), 1U);
  }
}

TEST(ForEachSeed, StopsAtTheSeedWhoseTestFailsWithoutThrowing) {
  static std::uint64_t running = 0;
  use_framework({.has_failed = [] { return running == 2; }});
  ::testing::internal::CaptureStderr();
  for_each_seed(10, [](std::uint64_t seed) { running = seed; });
  const std::string printed = ::testing::internal::GetCapturedStderr();
  use_framework(detail::googletest);
  if (std::getenv("TROUPE_SEED") == nullptr) {
    EXPECT_EQ(running, 2U);
    EXPECT_TRUE(printed.starts_with("seed 2 failed; replay with: TROUPE_SEED=2 ")) << printed;
  }
  running = 0;
}

}  // namespace
}  // namespace troupe::testing
