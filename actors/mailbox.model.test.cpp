#include "actors/mailbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "actors/testing/explorer.hpp"

namespace troupe::actors {
namespace {

using testing::Explorer;
using testing::ExplorerOptions;
using testing::ModelAtomic;
using testing::ModelAtomics;
using testing::TornAtomics;

template <class Atomics>
struct Block {
  typename Atomics::template Atomic<Block*> next{nullptr};
  std::size_t producer = 0;
  int number = 0;
};

/// What the mailbox calls: the case keeps the memory, and nobody may touch it any more.
template <class Atomics>
void destroy_block(Block<Atomics>* block) {
  Explorer::free_memory(block, sizeof *block);
}

struct Options {
  std::vector<int> messages = {1};  ///< by producer
  int controls = 0;                 ///< of a thread of its own
  std::uint32_t messages_max = 8;
  bool detaches = false;  ///< takes messages out instead of handling them in place
};

/// A mailbox, those who write to it, and a worker that runs its turns as ActorCell::run() does.
template <class Atomics>
struct World {
  using Mailbox = BasicMailbox<Block<Atomics>, Atomics>;

  explicit World(const Options& given) : options(given), mailbox(given.messages_max) {
    for (std::size_t producer = 0; producer < options.messages.size(); ++producer) {
      for (int i = 0; i < options.messages[producer]; ++i) {
        add(producer, i);
      }
      handled.push_back(0);
    }
    for (int i = 0; i < options.controls; ++i) {
      add(options.messages.size(), i);
    }
    handled.push_back(0);
  }

  void add(std::size_t producer, int number) {
    blocks.push_back(std::make_unique<Block<Atomics>>());
    blocks.back()->producer = producer;
    blocks.back()->number = number;
  }
  Block<Atomics>* block(std::size_t producer, int number) {
    for (auto& made : blocks) {
      if (made->producer == producer && made->number == number) {
        return made.get();
      }
    }
    return nullptr;
  }

  void schedule() { Explorer::expect(scheduled.fetch_add(1) == 0, "the actor was woken twice"); }
  void produce(std::size_t producer) {
    for (int i = 0; i < options.messages[producer]; ++i) {
      auto pushed = mailbox.push(block(producer, i));
      while (pushed == Mailbox::Push::full) {
        Explorer::await_change();
        pushed = mailbox.push(block(producer, i));
      }
      ++accepted;
      Explorer::expect(accepted - finished <= static_cast<int>(options.messages_max),
                       "the mailbox holds more than its bound");
      if (pushed == Mailbox::Push::wake) {
        schedule();
      }
    }
  }
  void control() {
    for (int i = 0; i < options.controls; ++i) {
      if (mailbox.push_control(block(options.messages.size(), i))) {
        schedule();
      }
    }
  }
  void take(Block<Atomics>* taken) {
    Explorer::expect(taken->number == handled[taken->producer]++, "the order was not kept");
  }
  /// One turn, and the next ones until the actor is idle.
  void turn() {
    for (;;) {
      while (mailbox.has_control()) {
        take(mailbox.pop_control());
      }
      Block<Atomics>* message = mailbox.front();
      if (message == nullptr) {
        if (mailbox.try_idle()) {
          return;
        }
        if (mailbox.front() == nullptr && !mailbox.has_control()) {
          Explorer::await_change();  // its sender is just linking it
        }
        continue;
      }
      take(message);
      ++finished;
      if (options.detaches) {
        destroy_block(mailbox.detach());
      } else {
        mailbox.done();
      }
    }
  }
  [[nodiscard]] int total() const {
    int sum = options.controls;
    for (const int count : options.messages) {
      sum += count;
    }
    return sum;
  }
  [[nodiscard]] int taken() const {
    int sum = 0;
    for (const int count : handled) {
      sum += count;
    }
    return sum;
  }
  void work() {
    while (taken() < total()) {
      scheduled.wait_until([](int count) { return count > 0; });
      scheduled.fetch_sub(1);
      turn();
    }
  }

  Options options;
  std::vector<std::unique_ptr<Block<Atomics>>> blocks;  // outlive the mailbox
  Mailbox mailbox;
  ModelAtomic<int> scheduled{0};
  std::vector<int> handled;
  int accepted = 0;
  int finished = 0;  ///< or about to be, and still in the mailbox
};

template <class Atomics>
Explorer::Result explore(const Options& options, ExplorerOptions how = {}) {
  return Explorer{how}.explore([=](Explorer::Case& made) {
    const auto world = std::make_shared<World<Atomics>>(options);
    made.thread("worker", [world] { world->work(); });
    for (std::size_t producer = 0; producer < options.messages.size(); ++producer) {
      made.thread("producer " + std::to_string(producer),
                  [world, producer] { world->produce(producer); });
    }
    if (options.controls > 0) {
      made.thread("control", [world] { world->control(); });
    }
  });
}

void expect_right(const Options& options, ExplorerOptions how = {}) {
  const auto result = explore<ModelAtomics>(options, how);
  EXPECT_EQ(result.failure, "") << result.trace;
  EXPECT_TRUE(result.is_complete) << result.schedules;
}

// Where a wake-up is lost, the worker waits for ever, and the explorer says so.

TEST(MailboxModel, HandlesEachMessageOnceInOrderAndSleepsThroughNone) {
  expect_right({.messages = {3}});
  expect_right({.messages = {1, 1}});
  expect_right({.messages = {2, 1}});
  expect_right({.messages = {2, 2}}, {.preemptions_max = 2});
}

TEST(MailboxModel, GivesMessagesAway) {
  expect_right({.messages = {2}, .detaches = true});
  expect_right({.messages = {1, 1}, .detaches = true});
}

TEST(MailboxModel, HearsOfControlWhateverTheUserLaneDoes) {
  expect_right({.messages = {1}, .controls = 2});
  expect_right({.messages = {2}, .controls = 1});
  expect_right({.messages = {1}, .controls = 1, .detaches = true});
}

TEST(MailboxModel, LetsRefusedSendersInWhenThereIsRoom) {
  expect_right({.messages = {2}, .messages_max = 1});
  expect_right({.messages = {1, 1}, .messages_max = 1});
  expect_right({.messages = {3}, .messages_max = 2});
  expect_right({.messages = {2, 1}, .messages_max = 2}, {.preemptions_max = 2});
}

TEST(MailboxModel, TakesExactlyAsManyAsTheBoundAllows) {
  const auto result = Explorer{}.explore([](Explorer::Case& made) {
    const auto world =
        std::make_shared<World<ModelAtomics>>(Options{.messages = {1, 1, 1}, .messages_max = 2});
    const auto accepted = std::make_shared<int>(0);
    for (std::size_t producer = 0; producer < 3; ++producer) {
      made.thread("producer", [world, accepted, producer] {
        const auto pushed = world->mailbox.push(world->block(producer, 0));
        *accepted += pushed == World<ModelAtomics>::Mailbox::Push::full ? 0 : 1;
      });
    }
    made.at_end([world, accepted] {
      Explorer::expect(*accepted == 2, "not as many as there is room for");
      world->turn();
      Explorer::expect(world->taken() == 2, "what was accepted is not there");
    });
  });
  EXPECT_EQ(result.failure, "") << result.trace;
  EXPECT_TRUE(result.is_complete);
}

TEST(MailboxModel, FindsPlantedBugs) {
  for (const Options& options :
       {Options{.messages = {1, 1}}, Options{.messages = {2}},
        Options{.messages = {1}, .controls = 1}, Options{.messages = {2}, .detaches = true}}) {
    EXPECT_NE(explore<TornAtomics>(options).failure, "");
  }
}

}  // namespace
}  // namespace troupe::actors
