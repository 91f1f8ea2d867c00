#include "actors/step_scheduler.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace troupe::actors {
namespace {

struct Noted {
  int who;
  std::uint32_t messages;
  bool operator==(const Noted&) const = default;
};

class Noting final : public Runnable {
 public:
  Noting(int who, int turns, std::vector<Noted>& notes) : who_(who), turns_(turns), notes_(notes) {}
  After run(Turn turn) override {
    notes_.push_back({who_, turn.messages_max});
    return --turns_ > 0 ? After::again : After::idle;
  }

 private:
  int who_;
  int turns_;
  std::vector<Noted>& notes_;
};

std::vector<Noted> run_seed(std::uint64_t seed) {
  StepScheduler scheduler{base::Random{seed}};
  std::vector<Noted> notes;
  Noting a{1, 20, notes};
  Noting b{2, 20, notes};
  Noting c{3, 20, notes};
  scheduler.schedule(a);
  scheduler.schedule(b);
  scheduler.schedule(c);
  EXPECT_EQ(scheduler.run_until_idle(1000), 60U);
  EXPECT_EQ(scheduler.runnables(), 0U);
  return notes;
}

TEST(StepScheduler, RepeatsARunWithTheSameSeedOnly) {
  EXPECT_EQ(run_seed(1), run_seed(1));
  EXPECT_NE(run_seed(1), run_seed(2));
}

TEST(StepScheduler, VariesOrderAndLengthOfTurns) {
  const std::vector<Noted> notes = run_seed(5);
  std::uint32_t least = 1000;
  std::uint32_t most = 0;
  int switches = 0;
  for (std::size_t i = 0; i < notes.size(); ++i) {
    least = std::min(least, notes[i].messages);
    most = std::max(most, notes[i].messages);
    switches += i > 0 && notes[i].who != notes[i - 1].who ? 1 : 0;
  }
  EXPECT_EQ(least, 1U);
  EXPECT_EQ(most, StepScheduler::turn_messages_max);
  EXPECT_GT(switches, 10);
}

TEST(StepScheduler, HasNothingToStepWhenIdle) {
  StepScheduler scheduler{base::Random{1}};
  EXPECT_FALSE(scheduler.step());
  EXPECT_EQ(scheduler.run_until_idle(10), 0U);
}

TEST(StepScheduler, StopsAtTheLimitOfSteps) {
  StepScheduler scheduler{base::Random{1}};
  std::vector<Noted> notes;
  Noting endless{1, 1'000'000, notes};
  scheduler.schedule(endless);
  EXPECT_EQ(scheduler.run_until_idle(100), 100U);
  EXPECT_EQ(scheduler.runnables(), 1U);
}

TEST(StepScheduler, RunsWhatATurnSchedules) {
  StepScheduler scheduler{base::Random{1}};
  std::vector<Noted> notes;
  Noting second{2, 1, notes};
  struct First final : Runnable {
    First(Scheduler& its_scheduler, Runnable& its_next) : owner(its_scheduler), next(its_next) {}
    After run(Turn) override {
      owner.schedule(next);
      return After::idle;
    }
    Scheduler& owner;
    Runnable& next;
  } first{scheduler, second};
  scheduler.schedule(first);
  EXPECT_EQ(scheduler.run_until_idle(10), 2U);
  EXPECT_EQ(notes.size(), 1U);
}

}  // namespace
}  // namespace troupe::actors
