#include "actors/supervisor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "actors/testing/stepped_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Crash {
  TROUPE_MESSAGE(Crash)
};
struct Finish {
  TROUPE_MESSAGE(Finish)
};
struct Note {
  TROUPE_MESSAGE(Note)
};
struct LinkTo {
  AnyRef actor;
  TROUPE_MESSAGE(LinkTo, actor)
};

using Story = std::vector<std::string>;

/// Writes down its starts and ends.
class Worker : public Actor {
 public:
  using Protocol = actors::Protocol<Crash, Finish, Note, LinkTo>;
  Worker(std::string name, Story* story) : name_(std::move(name)), story_(story) {}
  void on_start() override { story_->push_back("+" + name_); }
  void on_stop(ExitReason reason) override {
    const bool is_usual = reason == ExitReason::stopped;
    story_->push_back("-" + name_ + (is_usual ? "" : " " + std::string{to_string(reason)}));
  }
  void on(const Crash&) {
    story_->push_back("!" + name_);
    throw std::runtime_error{"trouble"};
  }
  void on(const Finish&) { stop(); }
  void on(const Note&) { story_->push_back("." + name_); }
  void on(const LinkTo& m) { link(m.actor); }

 private:
  std::string name_;
  Story* story_;
};

/// A worker below which something takes its time to end.
class Slow : public Worker {
 public:
  using Protocol = actors::Protocol<Crash, Finish, Note>;
  using Worker::Worker;
  void on_start() override {
    Worker::on_start();
    SpawnOptions held{.stop_timeout = 1h};
    held.on_exit = [](ExitReason, std::function<void()> proceed) {
      if (holds_back) {
        held_back.push_back(std::move(proceed));
      } else {
        proceed();
      }
    };
    (void)spawn<Held>(held);
  }
  static inline bool holds_back = true;
  static inline std::vector<std::function<void()>> held_back;

 private:
  class Held : public Actor {
   public:
    using Protocol = actors::Protocol<>;
  };
};

/// Adds children when asked to.
class Door : public Supervisor {
 public:
  using Protocol = actors::Protocol<WhichChildren, RestartChild, RemoveChild, Note>;
  using Supervisor::on;
  Door(SupervisorOptions options, Story* story) : Supervisor(std::move(options)), story_(story) {}
  void on(const Note&) {
    const auto added = add_child(child_spec<Worker>({}, std::string{"guest"}, story_));
    EXPECT_TRUE(added.ok());
  }

 private:
  Story* story_;
};

/// Runs what was scheduled first to its end before the next one: shows the order of starts, which
/// the test system's own scheduler would mix.
class InOrder final : public Scheduler, public Runnable {
 public:
  explicit InOrder(Scheduler& below) : below_(below) {}
  void schedule(Runnable& runnable) override {
    if (waiting_.first == nullptr && !runs_) {
      below_.schedule(*this);
    }
    waiting_.push(runnable);
  }
  After run(Turn turn) override {
    Runnable& next = *waiting_.first;
    waiting_.pop();
    runs_ = true;
    while (next.run(turn) == After::again) {
    }
    runs_ = false;
    return waiting_.first == nullptr ? After::idle : After::again;
  }

 private:
  Scheduler& below_;
  RunnableList waiting_;
  bool runs_ = false;
};

class SupervisorTest : public testing::SteppedTest {
 protected:
  ChildSpec worker(const std::string& name, Restart restart = Restart::permanent) {
    return child_spec<Worker>({.name = name, .restart = {.restart = restart}}, name, &story);
  }
  /// Workers of these names, which are started in the order in which they are scheduled.
  std::vector<ChildSpec> workers_in_order(const std::vector<std::string>& names) {
    std::vector<ChildSpec> specs;
    for (const std::string& name : names) {
      specs.push_back(worker(name));
      specs.back().options.scheduler = &in_order;
    }
    return specs;
  }
  SupervisorOptions with(Strategy strategy, std::vector<ChildSpec> children) {
    return {.strategy = strategy,
            .restarts = {.restarts_max = 3, .window = 60s, .jitter = 0},
            .children = std::move(children)};
  }
  /// Starts it; the story begins after that.
  ActorRef<Supervisor> start(SupervisorOptions options) {
    const auto supervisor =
        system.spawn<Supervisor>({.restart = {.restart = Restart::temporary}}, std::move(options))
            .value();
    run();
    starts = std::exchange(story, {});
    return supervisor;
  }
  std::vector<ChildInfo> children(const ActorRef<Supervisor>& supervisor) {
    auto pending = supervisor.ask(WhichChildren{}, 1s);
    run();
    return pending.get().value().children;
  }
  ActorRef<Worker> child(const ActorRef<Supervisor>& supervisor, const std::string& name) {
    for (const ChildInfo& info : children(supervisor)) {
      if (info.name == name) {
        return ActorRef<Worker>{info.actor};
      }
    }
    return {};
  }
  void crash(const ActorRef<Supervisor>& supervisor, const std::string& name) {
    EXPECT_EQ(child(supervisor, name).tell(Crash{}), base::Outcome::accepted);
    run();
  }
  void SetUp() override { Slow::holds_back = true; }
  void TearDown() override {
    Slow::holds_back = false;
    for (const auto& proceed : std::exchange(Slow::held_back, {})) {
      proceed();
    }
    SteppedTest::TearDown();
    EXPECT_EQ(system.actor_count(), 0U);
  }

  Story starts;
  Story story;
  InOrder in_order{world.scheduler()};
};

TEST(Strategy, SaysWhoIsRestarted) {
  const struct {
    Strategy strategy;
    std::size_t failed;
    ChildRange restarted;
  } table[] = {
      {Strategy::one_for_one, 1, {1, 2}},  {Strategy::one_for_all, 1, {0, 4}},
      {Strategy::one_for_all, 0, {0, 4}},  {Strategy::rest_for_one, 0, {0, 4}},
      {Strategy::rest_for_one, 2, {2, 4}}, {Strategy::rest_for_one, 3, {3, 4}},
      {Strategy::dynamic, 3, {3, 4}},
  };
  for (const auto& row : table) {
    EXPECT_EQ(restarted_with(row.strategy, row.failed, 4), row.restarted)
        << static_cast<int>(row.strategy) << " " << row.failed;
  }
}

TEST(AutoShutdown, LooksAtTheSignificantOnesThatAreLeft) {
  EXPECT_FALSE(ends_supervisor(AutoShutdown::never, 0));
  EXPECT_TRUE(ends_supervisor(AutoShutdown::any_significant, 2));
  EXPECT_FALSE(ends_supervisor(AutoShutdown::all_significant, 1));
  EXPECT_TRUE(ends_supervisor(AutoShutdown::all_significant, 0));
}

TEST_F(SupervisorTest, OneForOneRestartsTheOneThatFailed) {
  const auto supervisor =
      start(with(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")}));
  const auto b = child(supervisor, "b");
  crash(supervisor, "b");
  EXPECT_EQ(children(supervisor)[1].state, "restarting");
  advance(100ms);
  EXPECT_EQ(story, (Story{"!b", "+b"}));
  EXPECT_EQ(child(supervisor, "b"), b);
}

TEST_F(SupervisorTest, OneForAllStopsInReverseAndStartsInOrder) {
  const auto supervisor = start(with(Strategy::one_for_all, workers_in_order({"a", "b", "c"})));
  EXPECT_EQ(starts, (Story{"+a", "+b", "+c"}));
  const auto c = child(supervisor, "c");
  crash(supervisor, "b");
  EXPECT_EQ(story, (Story{"!b", "-c", "-a"}));
  EXPECT_EQ(c.tell(Note{}), base::Outcome::accepted);  // kept until it is back
  advance(100ms);
  EXPECT_EQ(story, (Story{"!b", "-c", "-a", "+a", "+b", "+c", ".c"}));
}

TEST_F(SupervisorTest, RestForOneLeavesAloneThoseStartedBefore) {
  const auto supervisor =
      start(with(Strategy::rest_for_one, workers_in_order({"a", "b", "c", "d"})));
  crash(supervisor, "b");
  EXPECT_EQ(story, (Story{"!b", "-d", "-c"}));
  advance(100ms);
  EXPECT_EQ(story, (Story{"!b", "-d", "-c", "+b", "+c", "+d"}));
}

TEST_F(SupervisorTest, AFailureOfAnEarlierChildWidensTheGroup) {
  const auto supervisor =
      start(with(Strategy::rest_for_one, {worker("a"), worker("b"), worker("c")}));
  crash(supervisor, "b");
  crash(supervisor, "a");
  advance(1s);
  EXPECT_EQ(story.size(), 6U);
  EXPECT_EQ((Story{story.begin(), story.begin() + 3}), (Story{"!b", "-c", "!a"}));
  for (const ChildInfo& info : children(supervisor)) {
    EXPECT_EQ(info.state, "running") << info.name;
  }
}

TEST_F(SupervisorTest, ChildrenEndInReverseOrderOfStart) {
  const auto supervisor =
      start(with(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")}));
  system.stop(supervisor);
  run();
  EXPECT_EQ(story, (Story{"-c", "-b", "-a"}));
}

TEST_F(SupervisorTest, AChildThatDoesNotEndInTimeIsKilledAndTheNextOneIsStopped) {
  ChildSpec slow =
      child_spec<Slow>({.name = "slow", .stop_timeout = 2s}, std::string{"slow"}, &story);
  const auto supervisor = start(with(Strategy::one_for_one, {worker("a"), slow, worker("c")}));
  system.stop(supervisor);
  advance(1900ms);
  EXPECT_EQ(story, (Story{"-c"}));
  advance(200ms);
  EXPECT_EQ(story, (Story{"-c", "-a"}));
  EXPECT_EQ(supervisor.tell(RestartChild{"a"}), base::Outcome::stopped);
}

TEST_F(SupervisorTest, ARestartDoesNotWaitForAKilledChild) {
  ChildSpec slow = child_spec<Slow>(
      {.name = "slow", .restart = {.restart = Restart::permanent}, .stop_timeout = 2s},
      std::string{"slow"}, &story);
  const auto supervisor = start(with(Strategy::one_for_all, {worker("a"), slow}));
  const auto before = child(supervisor, "slow");
  crash(supervisor, "a");
  advance(1900ms);
  EXPECT_EQ(story, (Story{"!a", "-slow"}));
  advance(200ms);
  EXPECT_EQ(story.size(), 4U);  // both are back
  EXPECT_NE(child(supervisor, "slow"), before);
}

TEST_F(SupervisorTest, ASpentBudgetEndsTheSupervisor) {
  const auto supervisor = start(with(Strategy::one_for_one, {worker("a"), worker("b")}));
  for (int i = 0; i < 3; ++i) {
    crash(supervisor, i % 2 == 0 ? "a" : "b");
    advance(1s);
  }
  EXPECT_EQ(child(supervisor, "a").tell(Crash{}), base::Outcome::accepted);
  advance(1s);
  EXPECT_EQ(supervisor.tell(RestartChild{"a"}), base::Outcome::stopped);
  EXPECT_EQ(system.actor_count(), 0U);
}

TEST_F(SupervisorTest, OnStopIsCalledWithTheReasonOfAnEndInOrderOnly) {
  const auto crash_linked = [this](const ActorRef<Supervisor>& supervisor) {
    const auto other =
        spawn<Worker>({.restart = {.restart = Restart::temporary}}, std::string{"other"}, &story);
    EXPECT_EQ(child(supervisor, "it").tell(LinkTo{other}), base::Outcome::accepted);
    run();
    EXPECT_EQ(other.tell(Crash{}), base::Outcome::accepted);
  };
  const struct {
    const char* what;
    std::function<void(const ActorRef<Supervisor>&)> cause;
    Story ends;
  } table[] = {
      {"it is stopped", [&](const auto& of) { system.stop(child(of, "it")); }, {"-it"}},
      {"it stops itself", [&](const auto& of) { (void)child(of, "it").tell(Finish{}); }, {"-it"}},
      {"it is stopped for that reason",
       [&](const auto& of) { system.stop(child(of, "it"), ExitReason::killed); },
       {"-it killed"}},
      {"its supervisor is stopped", [&](const auto& of) { system.stop(of); }, {"-it"}},
      {"another one crashes", [&](const auto& of) { crash(of, "sibling"); }, {"-it"}},
      {"it is restarted", [&](const auto& of) { (void)of.tell(RestartChild{"it"}); }, {"-it"}},
      {"it crashes", [&](const auto& of) { crash(of, "it"); }, {}},
      {"who is linked to it crashes", crash_linked, {}},
  };
  for (const auto& row : table) {
    const auto supervisor = start(with(Strategy::one_for_all, {worker("sibling"), worker("it")}));
    row.cause(supervisor);
    advance(1s);
    std::erase_if(story, [](const std::string& what) { return !what.starts_with("-it"); });
    EXPECT_EQ(story, row.ends) << row.what;
    system.stop(supervisor);
    run();
  }
}

TEST_F(SupervisorTest, PermanentChildrenComeBackTransientOnesMayFinish) {
  const auto supervisor = start(
      with(Strategy::one_for_one, {worker("permanent"), worker("transient", Restart::transient),
                                   worker("temporary", Restart::temporary)}));
  for (const ChildInfo& info : children(supervisor)) {
    EXPECT_EQ(ActorRef<Worker>{info.actor}.tell(Finish{}), base::Outcome::accepted);
  }
  advance(1s);
  const auto left = children(supervisor);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].state, "running");
  EXPECT_EQ(left[1].name, "transient");
  EXPECT_EQ(left[1].state, "ended");
}

TEST_F(SupervisorTest, ATemporaryChildThatCrashesIsForgotten) {
  const auto supervisor =
      start(with(Strategy::one_for_one, {worker("a", Restart::temporary), worker("b")}));
  crash(supervisor, "a");
  EXPECT_EQ(children(supervisor).size(), 1U);
}

TEST_F(SupervisorTest, TheEndOfASignificantChildEndsTheSupervisor) {
  ChildSpec main = worker("main", Restart::transient);
  main.significant = true;
  SupervisorOptions options = with(Strategy::one_for_one, {worker("helper"), main});
  options.auto_shutdown = AutoShutdown::any_significant;
  const auto supervisor = start(options);
  crash(supervisor, "main");  // is no end: it comes back
  advance(1s);
  EXPECT_EQ(child(supervisor, "main").tell(Finish{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(system.actor_count(), 0U);
  EXPECT_EQ(story.back(), "-helper");
}

TEST_F(SupervisorTest, AllSignificantChildrenEndBeforeTheSupervisorDoes) {
  ChildSpec one = worker("one", Restart::transient);
  ChildSpec two = worker("two", Restart::temporary);
  one.significant = two.significant = true;
  SupervisorOptions options = with(Strategy::one_for_one, {one, two, worker("helper")});
  options.auto_shutdown = AutoShutdown::all_significant;
  const auto supervisor = start(options);
  crash(supervisor, "two");
  EXPECT_EQ(children(supervisor).size(), 2U);
  EXPECT_EQ(child(supervisor, "one").tell(Finish{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(system.actor_count(), 0U);
}

TEST_F(SupervisorTest, ChildrenAreRestartedAndRemovedByName) {
  const auto supervisor =
      start(with(Strategy::one_for_one, {worker("a"), worker("b", Restart::transient)}));
  auto restarted = supervisor.ask(RestartChild{"a"}, 1s);
  auto unknown = supervisor.ask(RemoveChild{"x"}, 1s);
  run();
  EXPECT_TRUE(restarted.get().ok());
  EXPECT_EQ(unknown.get().error().kind, AskError::Kind::refusal);
  EXPECT_EQ(story, (Story{"-a", "+a"}));
  EXPECT_EQ(child(supervisor, "b").tell(Finish{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(supervisor.tell(RestartChild{"b"}), base::Outcome::accepted);
  EXPECT_EQ(supervisor.tell(RemoveChild{"a"}), base::Outcome::accepted);
  run();
  const auto left = children(supervisor);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].state, "running");
}

TEST_F(SupervisorTest, DynamicChildrenComeAndGo) {
  const auto door = system.spawn<Door>({}, with(Strategy::dynamic, {}), &story).value();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(door.tell(Note{}), base::Outcome::accepted);
  }
  run();
  const ActorRef<Supervisor> supervisor{AnyRef{door}};
  auto guests = children(supervisor);
  ASSERT_EQ(guests.size(), 3U);
  EXPECT_EQ(ActorRef<Worker>{guests[0].actor}.tell(Crash{}), base::Outcome::accepted);
  EXPECT_EQ(ActorRef<Worker>{guests[1].actor}.tell(Finish{}), base::Outcome::accepted);
  advance(1s);
  EXPECT_EQ(children(supervisor).size(), 2U);
  EXPECT_EQ(std::count(story.begin(), story.end(), "+guest"), 4);
}

TEST_F(SupervisorTest, AChildThatCannotBeStartedFailsTheSupervisor) {
  SupervisorOptions options = with(Strategy::one_for_one, {worker("same"), worker("same")});
  const auto supervisor = start(options);
  EXPECT_EQ(supervisor.tell(RestartChild{"same"}), base::Outcome::stopped);
  EXPECT_EQ(system.actor_count(), 0U);
}

TEST_F(SupervisorTest, ARestartedSupervisorStartsItsChildrenAnew) {
  const auto supervisor =
      system.spawn<Supervisor>({}, with(Strategy::one_for_one, {worker("a"), worker("b")})).value();
  run();
  for (int i = 0; i < 4; ++i) {
    crash(supervisor, "a");
    advance(1s);
  }
  advance(5s);
  EXPECT_EQ(children(supervisor).size(), 2U);
  EXPECT_EQ(system.actor_count(), 3U);
}

}  // namespace
}  // namespace troupe::actors
