#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/channel.hpp"
#include "actors/testing/testing.hpp"
#include "actors/worker_pool.hpp"
#include "base/clock.hpp"

namespace troupe::actors {
namespace {

constexpr int values_count = 300;

struct Go {
  TROUPE_MESSAGE(Go)
};

struct Shared {
  explicit Shared(std::size_t capacity) : channel(capacity) {}
  Channel<std::unique_ptr<int>> channel;
  std::vector<int> received;  // the consumer's alone until done
  std::latch done{1};
};

class Producer : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  explicit Producer(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  Task<void> on(Go) {
    for (int i = 0; i < values_count; ++i) {
      const bool sent = co_await shared_->channel.send(std::make_unique<int>(i));
      EXPECT_TRUE(sent);
    }
    shared_->channel.close();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

class Consumer : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  explicit Consumer(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  Task<void> on(Go) {
    for (;;) {
      const std::optional<std::unique_ptr<int>> value = co_await shared_->channel.receive();
      if (!value) {
        break;
      }
      shared_->received.push_back(**value);
    }
    shared_->done.count_down();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

void expect_all_in_order(const std::vector<int>& received) {
  ASSERT_EQ(received.size(), static_cast<std::size_t>(values_count));
  for (int i = 0; i < values_count; ++i) {
    EXPECT_EQ(received[static_cast<std::size_t>(i)], i);
  }
}

TEST(ChannelInActors, StreamsBetweenTwoActorsWhateverTheOrderOfTurns) {
  testing::for_each_seed(20, [](std::uint64_t seed) {
    testing::TestSystem system{{.seed = seed}};
    const auto shared = std::make_shared<Shared>(seed % 4);
    EXPECT_EQ(system.spawn<Producer>({}, shared).tell(Go{}), base::Outcome::accepted);
    EXPECT_EQ(system.spawn<Consumer>({}, shared).tell(Go{}), base::Outcome::accepted);
    system.run_until_idle();
    expect_all_in_order(shared->received);
  });
}

TEST(ChannelInActors, StreamsBetweenTwoActorsOnWorkers) {
  for (const std::size_t capacity : {0U, 1U, 16U}) {
    const base::SteadyClock clock;
    WorkerPool pool{
        {.workers = 2, .backlog_min = 1, .patrol_interval = std::chrono::microseconds{50}}};
    ActorSystem system{ActorSystemOptions{}, clock, pool};
    pool.start();
    const auto shared = std::make_shared<Shared>(capacity);
    EXPECT_EQ(system.spawn<Producer>({}, shared).value().tell(Go{}), base::Outcome::accepted);
    EXPECT_EQ(system.spawn<Consumer>({}, shared).value().tell(Go{}), base::Outcome::accepted);
    shared->done.wait();
    expect_all_in_order(shared->received);
    std::latch stopped{1};
    system.stop_all([&] { stopped.count_down(); });
    stopped.wait();
    pool.stop();
  }
}

TEST(ChannelInActors, ForgetsAnActorThatIsStoppedWhileItWaits) {
  testing::TestSystem system;
  const auto shared = std::make_shared<Shared>(0);
  const auto consumer = system.spawn<Consumer>({}, shared);
  EXPECT_EQ(consumer.tell(Go{}), base::Outcome::accepted);
  system.run_until_idle();
  system.stop(consumer, ExitReason::killed);
  EXPECT_FALSE(shared->channel.try_send(std::make_unique<int>(1)));
}

}  // namespace
}  // namespace troupe::actors
