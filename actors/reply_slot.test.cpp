#include "actors/reply_slot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

// What they write is plain on purpose: ThreadSanitizer sees two that use a slot's field at once.
struct Suspension {
  std::atomic<int>* resumed = nullptr;
  void resume() const { resumed->fetch_add(1, std::memory_order_release); }
};
struct BlockedThread {
  std::atomic<int> woken{0};
  void wake() { woken.fetch_add(1, std::memory_order_release); }
};
struct Types {
  using Reply = std::unique_ptr<std::uint32_t>;
  using Suspension = actors::Suspension;
  using Function = std::unique_ptr<std::function<void(Reply&&)>>;
  using BlockedThread = actors::BlockedThread;
};
using Slot = BasicReplySlot<Types>;

void await(const std::atomic<int>& count) {
  while (count.load(std::memory_order_acquire) == 0) {
    std::this_thread::yield();
  }
}

TEST(ReplySlot, EndsEachUseOnceUnderRepliesAndCloses) {
  constexpr std::uint32_t uses = 8'000;
  constexpr int repliers_count = 2;
  Slot slot;
  std::atomic<std::uint32_t> asked{0};
  std::atomic<bool> is_over{false};
  std::atomic<std::uint32_t> accepted{0};
  std::atomic<std::uint32_t> released{0};
  const auto release = [&] { released.fetch_add(1, std::memory_order_release); };
  std::vector<std::thread> repliers;
  for (int i = 0; i < repliers_count; ++i) {
    repliers.emplace_back([&] {
      while (!is_over.load(std::memory_order_acquire)) {
        const std::uint32_t generation = asked.load(std::memory_order_acquire);
        auto reply = std::make_unique<std::uint32_t>(generation);
        if (slot.fill(generation, std::move(reply), release)) {
          accepted.fetch_add(1, std::memory_order_relaxed);
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  std::uint32_t answered = 0;
  const auto end = [&](const std::unique_ptr<std::uint32_t>& reply, std::uint32_t generation) {
    ASSERT_TRUE(reply);
    EXPECT_EQ(*reply, generation);
    ++answered;
  };
  for (std::uint32_t use = 1; use <= uses; ++use) {
    const std::uint32_t generation = slot.open();
    asked.store(generation, std::memory_order_release);
    switch (use % 4) {
      case 0: {
        std::atomic<int> resumed{0};
        if (slot.resume_when_ready(generation, Suspension{&resumed})) {
          await(resumed);
        }
        end(slot.take(release), generation);
        break;
      }
      case 1: {
        BlockedThread blocked;
        if (slot.wake_when_ready(generation, blocked)) {
          await(blocked.woken);
        }
        end(slot.take(release), generation);
        break;
      }
      case 2: {
        std::atomic<int> called{0};
        auto function =
            std::make_unique<std::function<void(Types::Reply &&)>>([&](Types::Reply&& reply) {
              end(reply, generation);
              called.fetch_add(1, std::memory_order_release);
            });
        if (slot.call_when_ready(generation, function)) {
          await(called);
        } else {
          (*function)(slot.take(release));
        }
        break;
      }
      default: slot.close(generation, release); break;
    }
    EXPECT_EQ(released.load(std::memory_order_acquire), use);
  }
  is_over.store(true, std::memory_order_release);
  for (auto& replier : repliers) {
    replier.join();
  }
  EXPECT_EQ(answered, uses - uses / 4);
  EXPECT_GE(accepted.load(), answered);
  EXPECT_LE(accepted.load(), uses);
}

}  // namespace
}  // namespace troupe::actors
