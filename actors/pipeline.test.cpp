#include "actors/pipeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/detail/pause.hpp"
#include "actors/testing/test_system.hpp"
#include "actors/worker_pool.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

/// 1 to `count`.
auto count_to(int count) {
  return [next = 0, count]() mutable -> std::optional<int> {
    return next < count ? std::optional{++next} : std::nullopt;
  };
}
/// The end of a run whose actors have nothing more to do.
PipelineEnd end_of(const PipelineRun& run) {
  return run.wait();
}
auto into(const std::shared_ptr<std::vector<int>>& values) {
  return [values](int value) { values->push_back(value); };
}

class PipelineTest : public ::testing::Test {
 protected:
  std::shared_ptr<std::vector<int>> values = std::make_shared<std::vector<int>>();
  testing::TestSystem world;
};

TEST_F(PipelineTest, PassesValuesThroughItsStagesInOrder) {
  const auto run = pipeline_from(world.system(), count_to(100))
                       .then([](int value) { return std::to_string(value); })
                       .then([](std::string text) -> std::optional<int> {
                         const int value = std::stoi(text);
                         return value % 2 == 0 ? std::optional{value} : std::nullopt;
                       })
                       .into(into(values))
                       .value();
  world.run_until_idle();
  const PipelineEnd end = end_of(run);
  EXPECT_TRUE(end.ok()) << end.error;
  EXPECT_EQ(end.count, 50U);
  ASSERT_EQ(values->size(), 50U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ((*values)[static_cast<std::size_t>(i)], 2 * (i + 1));
  }
  EXPECT_EQ(world.system().actor_count(), 0U);
}

/// Takes longer for every third value.
Task<int> uneven(int value) {
  detail::Pause pause{value % 3 == 0 ? 30ms : 10ms};
  co_await pause;
  co_return value;
}

TEST_F(PipelineTest, KeepsOrderOverSeveralWorkers) {
  const auto run = pipeline_from(world.system(), count_to(200))
                       .then(uneven, {.workers = 4})
                       .into(into(values))
                       .value();
  const auto begin = world.now();
  world.advance(10s);
  EXPECT_TRUE(end_of(run).ok());
  EXPECT_EQ(values->size(), 200U);
  EXPECT_TRUE(std::is_sorted(values->begin(), values->end()));
  EXPECT_LT(begin, world.now());
}

TEST_F(PipelineTest, LetsTheFastOvertakeWhereOrderDoesNotMatter) {
  const auto run = pipeline_from(world.system(), count_to(200))
                       .then(uneven, {.workers = 4, .keeps_order = false})
                       .into(into(values))
                       .value();
  world.advance(2s);  // 200 values, on average 17 ms, four at a time
  EXPECT_TRUE(end_of(run).ok());
  EXPECT_FALSE(std::is_sorted(values->begin(), values->end()));
  std::sort(values->begin(), values->end());
  EXPECT_EQ(values->size(), 200U);
  EXPECT_EQ(values->back(), 200);
}

TEST_F(PipelineTest, HoldsAsManyValuesAsItsBuffersHoweverSlowTheSink) {
  std::int64_t living = 0;
  std::int64_t most = 0;
  struct Counted {
    explicit Counted(std::int64_t* living_count, std::int64_t* most_count) : living(living_count) {
      *most_count = std::max(*most_count, ++*living);
    }
    Counted(Counted&& other) noexcept : living(std::exchange(other.living, nullptr)) {}
    Counted& operator=(Counted&& other) noexcept {
      std::swap(living, other.living);
      return *this;
    }
    ~Counted() {
      if (living != nullptr) {
        --*living;
      }
    }
    std::int64_t* living;
  };
  const auto run = pipeline_from(world.system(),
                                 [&, left = 1000]() mutable -> std::optional<Counted> {
                                   if (left-- == 0) {
                                     return std::nullopt;
                                   }
                                   return Counted{&living, &most};
                                 },
                                 {.name = "source", .buffer = 4})
                       .then([](Counted value) { return value; }, {.workers = 2, .buffer = 4})
                       .then([](Counted value) { return value; },
                             {.workers = 3, .keeps_order = false, .buffer = 4})
                       .into([](Counted) -> Task<> {
                         detail::Pause pause{1ms};
                         co_await pause;
                       })
                       .value();
  world.run_until_idle();
  EXPECT_LE(most, 3 * 4 + 1 + 2 + 3 + 1);  // the buffers, and one in each hand
  world.advance(2s);
  EXPECT_EQ(end_of(run).count, 1000U);
  EXPECT_LE(most, 3 * 4 + 1 + 2 + 3 + 1);
  EXPECT_EQ(living, 0);
}

TEST_F(PipelineTest, EndsWithWhatAStageThrows) {
  for (const std::uint32_t workers : {1U, 3U}) {
    const auto run = pipeline_from(world.system(), count_to(1'000'000))
                         .then(
                             [](int value) {
                               if (value == 50) {
                                 throw std::runtime_error{"no fifty"};
                               }
                               return value;
                             },
                             {.name = "check", .workers = workers})
                         .into(into(values))
                         .value();
    world.run_until_idle();
    const PipelineEnd end = end_of(run);
    EXPECT_EQ(end.error, "check: no fifty");
    EXPECT_LT(end.count, 50U);
    EXPECT_EQ(world.system().actor_count(), 0U);
  }
}

TEST_F(PipelineTest, EndsWhenItIsCancelled) {
  const auto run = pipeline_from(world.system(), []() -> std::optional<int> { return 1; })
                       .then([](int value) { return value; }, {.workers = 2})
                       .into([](int) -> Task<> {
                         detail::Pause pause{1ms};
                         co_await pause;
                       })
                       .value();
  world.advance(10ms);
  run.cancel();
  world.advance(10ms);
  EXPECT_EQ(end_of(run).error, "it was cancelled");
  EXPECT_EQ(world.system().actor_count(), 0U);
}

TEST_F(PipelineTest, IsFedThroughAChannel) {
  const Channel<int> in{2};
  const auto run = pipeline_from(world.system(), in).into(into(values)).value();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(in.try_send(i));
    world.run_until_idle();
  }
  in.close();
  world.run_until_idle();
  EXPECT_EQ(end_of(run).count, 5U);
  EXPECT_EQ(*values, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(PipelineAlone, EndsWhenTheSystemStops) {
  const base::ManualClock clock;
  StepScheduler scheduler{base::Random{testing::seed_or(7)}};
  ActorSystem system{ActorSystemOptions{}, clock, scheduler};
  const auto run = pipeline_from(system, []() -> std::optional<int> { return 1; })
                       .into([](int) -> Task<> {
                         detail::Pause pause{1ms};
                         co_await pause;
                       })
                       .value();
  scheduler.run_until_idle(10'000);
  system.stop_all([] {});
  scheduler.run_until_idle(10'000);
  EXPECT_FALSE(end_of(run).ok());
  EXPECT_EQ(system.actor_count(), 0U);
}

TEST_F(PipelineTest, LeavesNothingBehindWhenItEndsWell) {
  std::weak_ptr<int> left;
  {
    const auto kept = std::make_shared<int>(0);
    left = kept;
    const auto run = pipeline_from(world.system(), count_to(10))
                         .then([kept](int value) { return value; }, {.workers = 2})
                         .then([](int value) { return value; })
                         .into(into(values))
                         .value();
    world.run_until_idle();
    EXPECT_TRUE(end_of(run).ok());
  }
  EXPECT_TRUE(left.expired());
}

TEST_F(PipelineTest, LeavesNothingBehindWhenItIsNeverStarted) {
  std::weak_ptr<int> left;
  {
    const auto kept = std::make_shared<int>(0);
    left = kept;
    (void)pipeline_from(world.system(), count_to(10)).then([kept](int value) { return value; });
  }
  EXPECT_TRUE(left.expired());
}

/// In some of these orders the stop reaches an actor before its first message.
TEST(PipelineAlone, EndsWhenTheSystemStopsBeforeItBegins) {
  const std::uint64_t first = testing::seed_or(0);
  for (std::uint64_t seed = first; seed < first + (first == 0 ? 30 : 1); ++seed) {
    SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed));
    const base::ManualClock clock;
    StepScheduler scheduler{base::Random{seed}};
    ActorSystem system{ActorSystemOptions{}, clock, scheduler};
    const auto run = pipeline_from(system, []() -> std::optional<int> { return 1; })
                         .then([](int value) { return value; }, {.workers = 2})
                         .into([](int) {})
                         .value();
    system.stop_all([] {});
    scheduler.run_until_idle(10'000);
    EXPECT_FALSE(end_of(run).ok());
    EXPECT_EQ(system.actor_count(), 0U);
  }
}

TEST(PipelineAlone, EndsWhenItsSystemIsDestroyed) {
  for (const std::size_t steps : {std::size_t{0}, std::size_t{3}, std::size_t{1000}}) {
    const base::ManualClock clock;
    StepScheduler scheduler{base::Random{testing::seed_or(7)}};
    std::optional<ActorSystem> system{std::in_place, ActorSystemOptions{}, clock, scheduler};
    const auto run = pipeline_from(*system, []() -> std::optional<int> { return 1; })
                         .then([](int value) { return value; }, {.workers = 2})
                         .into([](int) -> Task<> {
                           detail::Pause pause{1ms};
                           co_await pause;
                         })
                         .value();
    scheduler.run_until_idle(steps);
    system.reset();
    EXPECT_FALSE(end_of(run).ok());
  }
}

/// Cannot be copied any more once `is_broken`.
struct Fragile {
  explicit Fragile(std::shared_ptr<bool> broken) : is_broken(std::move(broken)) {}
  Fragile(Fragile&&) = default;
  Fragile& operator=(Fragile&&) = default;
  Fragile(const Fragile& other) : is_broken(other.is_broken) {
    if (*is_broken) {
      throw std::runtime_error{"no copy"};
    }
  }
  Fragile& operator=(const Fragile&) = default;
  ~Fragile() = default;
  int operator()(int value) const { return value; }

  std::shared_ptr<bool> is_broken;
};

TEST_F(PipelineTest, EndsWhenAWorkerCannotCopyItsFunction) {
  const auto is_broken = std::make_shared<bool>(false);
  const auto run = pipeline_from(world.system(), count_to(3))
                       .then(Fragile{is_broken}, {.name = "fragile", .workers = 2})
                       .into(into(values))
                       .value();
  *is_broken = true;
  world.run_until_idle();
  EXPECT_EQ(end_of(run).error, "fragile: no copy");
  EXPECT_EQ(world.system().actor_count(), 0U);
}

TEST_F(PipelineTest, NeverCopiesTheFunctionOfItsSinkOnceItRuns) {
  const auto is_broken = std::make_shared<bool>(false);
  const auto run = pipeline_from(world.system(), count_to(3))
                       .into([fragile = Fragile{is_broken}](int value) { (void)fragile(value); })
                       .value();
  *is_broken = true;
  world.run_until_idle();
  EXPECT_EQ(end_of(run).count, 3U);
}

TEST(PipelineOnThreads, KeepsOrderOverSeveralWorkers) {
  const base::SteadyClock clock;
  WorkerPool threads{{.workers = 2, .backlog_min = 1}};
  ActorSystem system{ActorSystemOptions{}, clock, threads};
  threads.start();
  const auto values = std::make_shared<std::vector<int>>();
  const auto run =
      pipeline_from(system, count_to(5000))
          .then([](int value) { return value; }, {.workers = 3, .buffer = 2})
          .then([](int value) { return value; }, {.workers = 2, .keeps_order = true, .buffer = 2})
          .into(into(values))
          .value();
  const PipelineEnd end = run.wait();
  EXPECT_EQ(end.count, 5000U);
  EXPECT_TRUE(std::is_sorted(values->begin(), values->end()));
  threads.stop();
}

class PipelineOwner : public Actor {
 public:
  using Protocol = actors::Protocol<>;
  PipelineOwner(Channel<int> in, std::shared_ptr<std::vector<int>> values,
                std::shared_ptr<std::optional<PipelineRun>> run)
      : in_(std::move(in)), values_(std::move(values)), run_(std::move(run)) {}
  void on_start() override {
    *run_ = pipeline_from(*this, in_)
                .then([](int value) { return 2 * value; })
                .into(into(values_))
                .value();
  }

 private:
  Channel<int> in_;
  std::shared_ptr<std::vector<int>> values_;
  std::shared_ptr<std::optional<PipelineRun>> run_;
};

TEST_F(PipelineTest, EndsWithTheActorThatItBelongsTo) {
  const Channel<int> in{4};
  const auto run = std::make_shared<std::optional<PipelineRun>>();
  const auto owner = world.spawn<PipelineOwner>({}, in, values, run);
  world.run_until_idle();
  EXPECT_TRUE(in.try_send(21));
  world.run_until_idle();
  EXPECT_EQ(*values, (std::vector<int>{42}));
  EXPECT_EQ(world.system().actor_count(), 3U);
  world.stop(owner);
  EXPECT_EQ(world.system().actor_count(), 0U);
  EXPECT_FALSE(end_of(run->value()).ok());
}

TEST_F(PipelineTest, SaysWhyItCouldNotBeStarted) {
  world.system().stop_all([] {});
  auto plan = detail::plan_in(world.system());
  const auto state = plan.state;
  auto run = detail::pipeline_from(std::move(plan), count_to(3), {}).into(into(values));
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(state->error(), "it could not be started: " + run.error().text());
}

}  // namespace
}  // namespace troupe::actors
