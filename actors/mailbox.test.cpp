#include "actors/mailbox.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

struct Number {
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Number, value)
};

MessageBlock* block(std::uint64_t value) {
  return Envelope::of(BlockKind::message, message_type<Number>, Number{value}).release();
}

std::uint64_t value_of(MessageBlock* block) {
  return block->as<Number>().value;
}

TEST(Mailbox, WakesOnlyForTheFirstMessage) {
  Mailbox mailbox{10};
  EXPECT_EQ(mailbox.push(block(1)), Mailbox::Push::wake);
  EXPECT_EQ(mailbox.push(block(2)), Mailbox::Push::queued);
  EXPECT_EQ(value_of(mailbox.front()), 1U);
  mailbox.done();
  EXPECT_FALSE(mailbox.try_idle());
  EXPECT_EQ(value_of(mailbox.front()), 2U);
  mailbox.done();
  EXPECT_EQ(mailbox.front(), nullptr);
  EXPECT_TRUE(mailbox.try_idle());
  EXPECT_EQ(mailbox.push(block(3)), Mailbox::Push::wake);
  EXPECT_EQ(value_of(mailbox.front()), 3U);
}

TEST(Mailbox, RefusesMessagesWhenFull) {
  Mailbox mailbox{2};
  EXPECT_EQ(mailbox.push(block(1)), Mailbox::Push::wake);
  EXPECT_EQ(mailbox.push(block(2)), Mailbox::Push::queued);
  MessageBlock* third = block(3);
  EXPECT_EQ(mailbox.push(third), Mailbox::Push::full);
  EXPECT_EQ(mailbox.size(), 2U);
  ASSERT_NE(mailbox.front(), nullptr);
  mailbox.done();
  EXPECT_EQ(mailbox.push(third), Mailbox::Push::queued);
}

TEST(Mailbox, ControlIsTakenInOrderAndNeverRefused) {
  Mailbox mailbox{1};
  EXPECT_EQ(mailbox.push(block(1)), Mailbox::Push::wake);
  EXPECT_FALSE(mailbox.push_control(block(10)));
  EXPECT_FALSE(mailbox.push_control(block(11)));
  for (std::uint64_t expected : {10U, 11U}) {
    Envelope control{mailbox.pop_control()};
    ASSERT_TRUE(control);
    EXPECT_EQ(control->as<Number>().value, expected);
  }
  EXPECT_EQ(mailbox.pop_control(), nullptr);
}

TEST(Mailbox, ControlWakesAnIdleActorOnce) {
  Mailbox mailbox{1};
  EXPECT_TRUE(mailbox.push_control(block(1)));
  EXPECT_FALSE(mailbox.push_control(block(2)));
  EXPECT_EQ(mailbox.push(block(3)), Mailbox::Push::queued);
  Envelope first{mailbox.pop_control()};
  Envelope second{mailbox.pop_control()};
  EXPECT_EQ(value_of(mailbox.front()), 3U);
}

TEST(Mailbox, DetachHandsTheMessageOver) {
  Mailbox mailbox{4};
  EXPECT_EQ(mailbox.push(block(1)), Mailbox::Push::wake);
  ASSERT_NE(mailbox.front(), nullptr);
  Envelope only{mailbox.detach()};
  EXPECT_EQ(only->as<Number>().value, 1U);
  EXPECT_EQ(mailbox.front(), nullptr);
  EXPECT_EQ(mailbox.push(block(2)), Mailbox::Push::queued);
  EXPECT_EQ(mailbox.push(block(3)), Mailbox::Push::queued);
  ASSERT_NE(mailbox.front(), nullptr);
  Envelope second{mailbox.detach()};
  EXPECT_EQ(second->as<Number>().value, 2U);
  EXPECT_EQ(value_of(mailbox.front()), 3U);
  mailbox.done();
  EXPECT_TRUE(mailbox.try_idle());
}

TEST(Mailbox, KeepsOrderPerSenderAndLosesNothingUnderThreads) {
  constexpr std::uint64_t senders = 3;
  constexpr std::uint64_t each = 20000;
  Mailbox mailbox{64};
  std::atomic<int> wakes{0};  // at most one turn may be owed at a time
  std::vector<std::thread> threads;
  for (std::uint64_t sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&, sender] {
      for (std::uint64_t i = 0; i < each; ++i) {
        MessageBlock* message = block(sender * each + i);
        if (i % 100 == 0) {
          if (mailbox.push_control(block(i))) {
            EXPECT_EQ(wakes.fetch_add(1), 0);
          }
        }
        for (;;) {
          const auto pushed = mailbox.push(message);
          if (pushed == Mailbox::Push::wake) {
            EXPECT_EQ(wakes.fetch_add(1), 0);
          }
          if (pushed != Mailbox::Push::full) {
            break;
          }
          std::this_thread::yield();
        }
      }
    });
  }
  std::vector<std::uint64_t> next(senders, 0);
  std::uint64_t received = 0;
  std::uint64_t controls = 0;
  while (received < senders * each || controls < senders * each / 100) {
    if (wakes.load() == 0) {
      std::this_thread::yield();
      continue;
    }
    for (;;) {
      while (MessageBlock* control = mailbox.pop_control()) {
        ++controls;
        destroy_block(control);
      }
      if (MessageBlock* message = mailbox.front()) {
        const std::uint64_t value = value_of(message);
        EXPECT_EQ(value % each, next[value / each]++);
        ++received;
        if (value % 7 == 0) {
          destroy_block(mailbox.detach());
        } else {
          mailbox.done();
        }
        continue;
      }
      wakes.store(0);  // before try_idle(): the next push may wake at once
      if (mailbox.try_idle()) {
        break;
      }
      wakes.store(1);
    }
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(received, senders * each);
}

}  // namespace
}  // namespace troupe::actors
