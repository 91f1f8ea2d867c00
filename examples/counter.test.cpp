// Tests of one's own actors, without threads and without waiting: the test moves the clock, and a
// seed decides who runs when. What fails prints its seed; TROUPE_SEED=n replays it.
#include <gtest/gtest.h>

#include <troupe/testing.hpp>
#include <troupe/troupe.hpp>

using namespace std::chrono_literals;
using troupe::testing::Probe;
using troupe::testing::TestSystem;

struct Increment {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Increment, by)
};
struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};
struct Total {
  std::int64_t count = 0;
  TROUPE_MESSAGE(Total, count)
};
struct Report {
  TROUPE_MESSAGE(Report)
};

/// Counts, and tells an observer the total every second in which it has changed.
class Counter : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Increment, Get, Report>;
  explicit Counter(troupe::ActorRef<troupe::Protocol<Total>> observer) : observer_(observer) {}

  void on_start() override { every(1s, Report{}); }
  void on(const Increment& m) {
    if (m.by < 0) {
      throw std::invalid_argument{"a counter only counts up"};
    }
    count_ += m.by;
  }
  std::int64_t on(const Get&) { return count_; }
  void on(const Report&) {
    if (count_ != reported_) {
      reported_ = count_;
      (void)observer_.tell(Total{count_});
    }
  }

 private:
  troupe::ActorRef<troupe::Protocol<Total>> observer_;
  std::int64_t count_ = 0;
  std::int64_t reported_ = 0;
};

TEST(Counter, AnswersWithItsCount) {
  TestSystem system;
  const auto counter = system.spawn<Counter>({}, system.probe().as<troupe::Protocol<Total>>());
  EXPECT_EQ(counter.tell(Increment{.by = 2}), troupe::Outcome::accepted);
  EXPECT_EQ(system.ask(counter, Get{}).value(), 2);
}

TEST(Counter, ReportsAChangeOnceASecond) {
  TestSystem system;
  Probe observer = system.probe("observer");
  const auto counter = system.spawn<Counter>({}, observer.as<troupe::Protocol<Total>>());
  EXPECT_EQ(counter.tell(Increment{.by = 2}), troupe::Outcome::accepted);
  observer.expect_none(999ms);
  EXPECT_EQ(observer.expect<Total>().count, 2);  // moves the clock as far as it takes
  observer.expect_none(1h);                      // an hour passes at once
}

TEST(Counter, CrashesOnANegativeNumberAndBeginsAnew) {
  TestSystem system;
  const auto counter = system.spawn<Counter>({}, system.probe().as<troupe::Protocol<Total>>());
  EXPECT_TRUE(system.ask(counter, Increment{.by = 5}).ok());
  EXPECT_EQ(system.ask(counter, Increment{.by = -1}).error().reason,
            "the actor crashed: a counter only counts up");
  EXPECT_EQ(system.ask(counter, Get{}).value(), 0);
}

TEST(Counter, LosesNothingInWhateverOrderActorsRun) {
  troupe::testing::for_each_seed(50, [](std::uint64_t seed) {
    TestSystem system{{.seed = seed}};
    Probe observer = system.probe();
    const auto counter = system.spawn<Counter>({}, observer.as<troupe::Protocol<Total>>());
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(counter.tell(Increment{}), troupe::Outcome::accepted);
      system.step();
    }
    EXPECT_EQ(observer.expect<Total>().count, 20);
  });  // each system's end checks that no message and no ask was left over
}
