#include <gtest/gtest.h>

#include <future>
#include <set>

#include "actors/testing/stepped_test.hpp"
#include "actors/worker_pool.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Hit {
  std::int64_t depth = 0;
  TROUPE_MESSAGE(Hit, depth)
};
struct Count {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Count)
};

/// What the short-lived actors of one test did.
struct Tally {
  std::atomic<int> starts{0};
  std::atomic<int> hits{0};
  std::atomic<int> stops{0};
};

/// Ends with its first message; before that it may have children of its kind.
class ShortLived : public Actor {
 public:
  using Protocol = actors::Protocol<Hit>;
  explicit ShortLived(Tally* tally) : tally_(tally) {}
  void on_start() override { ++tally_->starts; }
  void on_stop(ExitReason) override { ++tally_->stops; }
  void on(const Hit& m) {
    ++tally_->hits;
    for (std::int64_t i = 0; i < m.depth; ++i) {
      const auto child = spawn<ShortLived>({}, tally_);
      if (child.ok()) {  // not while the system is stopping
        (void)child->tell(Hit{m.depth - 1});
      }
    }
    stop();
  }

 private:
  Tally* tally_;
};

class Spawner : public Actor {
 public:
  using Protocol = actors::Protocol<Hit, Count>;
  explicit Spawner(Tally* tally) : tally_(tally) {}
  void on(const Hit& m) {
    for (int i = 0; i < 40; ++i) {
      const auto child = spawn<ShortLived>({}, tally_);
      if (!child.ok()) {
        return;  // the system is stopping
      }
      spawned_ += child->tell(Hit{2}) == base::Outcome::accepted ? 1 : 0;
      if (i % 3 == 0) {
        stop(*child);  // perhaps before its message
      }
    }
    if (m.depth > 0) {
      (void)self_as<Spawner>().tell(Hit{m.depth - 1});
    }
  }
  std::int64_t on(const Count&) { return spawned_; }

 private:
  using Actor::stop;
  Tally* tally_;
  std::int64_t spawned_ = 0;
};

TEST(ActorLifecycle, ManyComeAndGoOnSeveralThreads) {
  Tally tally;
  const base::SteadyClock clock;
  WorkerPool pool{{.workers = 3, .backlog_min = 2}};
  ActorSystem system{{}, clock, pool};
  pool.start();
  std::vector<ActorRef<Spawner>> spawners;
  for (int i = 0; i < 4; ++i) {
    spawners.push_back(system.spawn<Spawner>({}, &tally).value());
    (void)spawners.back().tell(Hit{20});
  }
  for (int i = 0; i < 500; ++i) {  // and children of the root beside them
    (void)system.spawn<ShortLived>({}, &tally)->tell(Hit{1});
  }
  for (const auto& spawner : spawners) {
    EXPECT_TRUE(spawner.ask(Count{}, 20s).get().ok());
    system.stop(spawner);
  }
  std::promise<void> stopped;
  system.stop_all([&] { stopped.set_value(); });
  stopped.get_future().wait();
  pool.stop();
  EXPECT_EQ(tally.starts, tally.stops);
  EXPECT_GT(tally.hits, 0);
  EXPECT_EQ(system.actor_count(), 0U);
  EXPECT_TRUE(system.ledger().is_balanced());
}

class ActorLife : public testing::SteppedTest {
 protected:
  Tally tally;
};

TEST_F(ActorLife, CellsAreUsedAgainUnderNewNumbers) {
  std::set<std::uint64_t> numbers;
  std::set<MessageSink*> cells;
  for (int i = 0; i < 1000; ++i) {
    const auto actor = system.spawn<ShortLived>({}, &tally).value();
    EXPECT_TRUE(numbers.insert(actor.id().value).second);
    cells.insert(actor.sink());
    EXPECT_EQ(actor.tell(Hit{}), base::Outcome::accepted);
    run();
    EXPECT_EQ(actor.tell(Hit{}), base::Outcome::stopped);
  }
  EXPECT_LE(cells.size(), 100U);
}

TEST_F(ActorLife, AStopThatOvertakesTheStartIsInOrder) {
  const auto actor = system.spawn<ShortLived>({}, &tally).value();
  system.stop(actor);
  run();
  EXPECT_EQ(tally.starts, 1);
  EXPECT_EQ(tally.stops, 1);
}

class SpawnsAtItsEnd : public Actor {
 public:
  using Protocol = actors::Protocol<Hit>;
  explicit SpawnsAtItsEnd(Tally* tally) : tally_(tally) {}
  void on(const Hit&) { stop(); }
  void on_stop(ExitReason) override {
    const auto late = spawn<ShortLived>({}, tally_);
    ASSERT_FALSE(late.ok());
    EXPECT_EQ(late.error().code, base::Errc::closed);
    ++tally_->stops;
  }

 private:
  Tally* tally_;
};

TEST_F(ActorLife, WhoEndsSpawnsNoMore) {
  EXPECT_EQ(system.spawn<SpawnsAtItsEnd>({}, &tally)->tell(Hit{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(tally.stops, 1);
  EXPECT_EQ(tally.starts, 0);
}

class StopsItselfAtOnce : public Actor {
 public:
  using Protocol = actors::Protocol<Hit>;
  explicit StopsItselfAtOnce(Tally* tally) : tally_(tally) { stop(); }
  void on(const Hit&) { ++tally_->hits; }
  void on_start() override { ++tally_->starts; }
  void on_stop(ExitReason) override { ++tally_->stops; }

 private:
  Tally* tally_;
};

TEST_F(ActorLife, AnActorMayStopInItsConstructor) {
  const auto actor = system.spawn<StopsItselfAtOnce>({}, &tally).value();
  EXPECT_EQ(actor.tell(Hit{}), base::Outcome::accepted);
  run();
  EXPECT_EQ(tally.starts, 1);
  EXPECT_EQ(tally.stops, 1);
  EXPECT_EQ(tally.hits, 0);
  EXPECT_EQ(actor.tell(Hit{}), base::Outcome::stopped);
}

}  // namespace
}  // namespace troupe::actors
