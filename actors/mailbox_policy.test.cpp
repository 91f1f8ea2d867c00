#include "actors/mailbox_policy.hpp"

#include <gtest/gtest.h>

#include "actors/testing/testing.hpp"

namespace troupe::actors {
namespace {

using base::Outcome;
using testing::TestSystem;

struct Note {
  std::int64_t number = 0;
  std::string text;
  TROUPE_MESSAGE(Note, number, text)
};
struct Alarm {
  static constexpr int priority = 10;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Alarm, number)
};
struct Question {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Question)
};

using Log = std::shared_ptr<std::vector<std::int64_t>>;

class Reader : public Actor {
 public:
  using Protocol = actors::Protocol<Note, Alarm, Question>;
  explicit Reader(Log log) : log_(std::move(log)) {}
  void on(const Note& m) { log_->push_back(m.number); }
  void on(const Alarm& m) { log_->push_back(-m.number); }
  std::int64_t on(const Question&) { return static_cast<std::int64_t>(log_->size()); }

 private:
  Log log_;
};

struct Go {
  std::int64_t first = 0;
  std::int64_t count = 0;
  TROUPE_MESSAGE(Go, first, count)
};

/// Sends notes by `co_await send` and says how each ended.
class Sender : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Sender(ActorRef<Reader> to, std::shared_ptr<std::vector<Outcome>> outcomes)
      : to_(to), outcomes_(std::move(outcomes)) {}
  Task<> on(Go m) {
    for (std::int64_t i = 0; i < m.count; ++i) {
      Note note{m.first + i, {}};
      outcomes_->push_back(co_await to_.send(note));
    }
  }

 private:
  ActorRef<Reader> to_;
  std::shared_ptr<std::vector<Outcome>> outcomes_;
};

std::uint64_t dead_by_full_mailbox(TestSystem& system) {
  return system.system().ledger().dead[static_cast<std::size_t>(Outcome::mailbox_full)];
}

TEST(MailboxExpiry, DropsWhatComesTooLateBeforeItIsHandled) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({}, log);
  EXPECT_EQ(reader.tell_within(std::chrono::seconds{1}, Note{1, {}}), Outcome::accepted);
  EXPECT_EQ(reader.tell_within(std::chrono::seconds{3}, Note{2, {}}), Outcome::accepted);
  system.clock().advance(std::chrono::seconds{2});
  system.run_until_idle();
  EXPECT_EQ(*log, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(system.system().ledger().dead[static_cast<std::size_t>(Outcome::expired)], 1U);
}

TEST(MailboxPolicy, DropsTheOldestForTheNewest) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader =
      system.spawn<Reader>({.mailbox_messages_max = 3, .overflow = Overflow::drop_oldest}, log);
  for (std::int64_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(reader.tell(Note{i, {}}), Outcome::accepted);
  }
  system.run_until_idle();
  EXPECT_EQ(*log, (std::vector<std::int64_t>{3, 4, 5}));
  EXPECT_EQ(dead_by_full_mailbox(system), 2U);
}

TEST(MailboxPolicy, DropsTheNewestOfThoseThatWait) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader =
      system.spawn<Reader>({.mailbox_messages_max = 3, .overflow = Overflow::drop_newest}, log);
  for (std::int64_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(reader.tell(Note{i, {}}), Outcome::accepted);
  }
  system.run_until_idle();
  EXPECT_EQ(*log, (std::vector<std::int64_t>{1, 2, 5}));
  EXPECT_EQ(dead_by_full_mailbox(system), 2U);
}

TEST(MailboxPolicy, TellsTheAskerOfADroppedRequestThatItDidNotRun) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader =
      system.spawn<Reader>({.mailbox_messages_max = 1, .overflow = Overflow::drop_oldest}, log);
  auto asked = reader.ask(Question{});
  EXPECT_EQ(reader.tell(Note{1, {}}), Outcome::accepted);
  system.run_until_idle();
  const auto result = asked.get();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, AskError::Kind::not_run);
  EXPECT_EQ(result.error().outcome, Outcome::mailbox_full);
}

TEST(MailboxPolicy, RejectsAlsoWhoWouldWait) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader =
      system.spawn<Reader>({.mailbox_messages_max = 2, .overflow = Overflow::reject}, log);
  const auto outcomes = std::make_shared<std::vector<Outcome>>();
  // The reader does not run before the test lets it: its mailbox is filled first.
  EXPECT_EQ(reader.tell(Note{1, {}}), Outcome::accepted);
  EXPECT_EQ(reader.tell(Note{2, {}}), Outcome::accepted);
  EXPECT_EQ(reader.tell(Note{3, {}}), Outcome::mailbox_full);
  const auto sender = system.spawn<Sender>({}, reader, outcomes);
  EXPECT_EQ(sender.tell(Go{4, 50}), Outcome::accepted);
  system.run_until_idle();
  ASSERT_EQ(outcomes->size(), 50U);
  EXPECT_EQ(outcomes->back() == Outcome::accepted || outcomes->back() == Outcome::mailbox_full,
            true);
  EXPECT_GT(std::count(outcomes->begin(), outcomes->end(), Outcome::mailbox_full), 0);
  EXPECT_EQ(static_cast<std::ptrdiff_t>(log->size()),
            2 + std::count(outcomes->begin(), outcomes->end(), Outcome::accepted));
}

TEST(MailboxPolicy, PassesOnToTheFallbackOnce) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto spare_log = std::make_shared<std::vector<std::int64_t>>();
  const auto spare =
      system.spawn<Reader>({.mailbox_messages_max = 1, .overflow = Overflow::reject}, spare_log);
  const auto reader = system.spawn<Reader>(
      {.mailbox_messages_max = 1, .overflow = Overflow::fallback, .overflow_to = spare}, log);
  EXPECT_EQ(reader.tell(Note{1, {}}), Outcome::accepted);
  EXPECT_EQ(reader.tell(Note{2, {}}), Outcome::accepted);
  EXPECT_EQ(reader.tell(Note{3, {}}), Outcome::mailbox_full);
  system.run_until_idle();
  EXPECT_EQ(*log, (std::vector<std::int64_t>{1}));
  EXPECT_EQ(*spare_log, (std::vector<std::int64_t>{2}));
}

TEST(MailboxPolicy, PassesAMessageOnOnce) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto spare = system.spawn<Reader>({}, log);
  SpawnOptions options{.mailbox_messages_max = 1, .overflow = Overflow::fallback};
  options.overflow_to = spare;
  const auto first = system.spawn<Reader>(options, log);
  options.overflow_to = first;
  const auto second = system.spawn<Reader>(options, log);
  EXPECT_EQ(second.tell(Note{1, {}}), Outcome::accepted);
  EXPECT_EQ(second.tell(Note{2, {}}), Outcome::accepted);
  EXPECT_EQ(second.tell(Note{3, {}}), Outcome::mailbox_full);
  system.run_until_idle();
}

TEST(MailboxPolicy, BoundsTheBytes) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({.mailbox_bytes_max = 10'000}, log);
  EXPECT_EQ(reader.tell(Note{1, std::string(6'000, 'x')}), Outcome::accepted);
  EXPECT_EQ(reader.tell(Note{2, std::string(6'000, 'x')}), Outcome::mailbox_full);
  EXPECT_EQ(reader.tell(Note{3, std::string(1'000, 'x')}), Outcome::accepted);
  system.run_until_idle();
  EXPECT_EQ(reader.tell(Note{4, std::string(6'000, 'x')}), Outcome::accepted);
  system.run_until_idle();
  EXPECT_EQ(*log, (std::vector<std::int64_t>{1, 3, 4}));
}

TEST(MailboxPolicy, RefusesAWaitingMessageThatNeverFits) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto outcomes = std::make_shared<std::vector<Outcome>>();
  const auto reader = system.spawn<Reader>({.mailbox_bytes_max = 10}, log);
  const auto sender = system.spawn<Sender>({}, reader, outcomes);
  EXPECT_EQ(sender.tell(Go{1, 1}), Outcome::accepted);
  system.run_until_idle();
  EXPECT_EQ(*outcomes, (std::vector<Outcome>{Outcome::mailbox_full}));
}

TEST(MailboxPolicy, TellsWhoWaitsAtAnIdleActorWithAMessageThatNeverFits) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto outcomes = std::make_shared<std::vector<Outcome>>();
  const auto reader = system.spawn<Reader>({.mailbox_bytes_max = 10}, log);
  system.run_until_idle();  // and nothing else will wake it
  const auto sender = system.spawn<Sender>({}, reader, outcomes);
  EXPECT_EQ(sender.tell(Go{1, 1}), Outcome::accepted);
  system.run_until_idle();
  EXPECT_EQ(*outcomes, (std::vector<Outcome>{Outcome::mailbox_full}));
}

TEST(MailboxPolicy, HandlesHigherPrioritiesFirstAndEachInOrder) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({.mailbox_by_priority = true}, log);
  for (std::int64_t i = 1; i <= 2; ++i) {
    EXPECT_EQ(reader.tell(Note{i, {}}), Outcome::accepted);
    EXPECT_EQ(reader.tell(Alarm{i}), Outcome::accepted);
  }
  system.run_until_idle();
  EXPECT_EQ(*log, (std::vector<std::int64_t>{-1, -2, 1, 2}));
}

TEST(MailboxPolicy, KeepsTheOrderOfASenderThatWaitsAgainAndAgain) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({.mailbox_messages_max = 1}, log);
  EXPECT_EQ(reader.tell(Note{0, {}}), Outcome::accepted);
  const auto outcomes = std::make_shared<std::vector<Outcome>>();
  const auto sender = system.spawn<Sender>({}, reader, outcomes);
  EXPECT_EQ(sender.tell(Go{1, 200}), Outcome::accepted);
  system.run_until_idle();
  ASSERT_EQ(log->size(), 201U);
  for (std::int64_t i = 0; i <= 200; ++i) {
    EXPECT_EQ((*log)[static_cast<std::size_t>(i)], i);
  }
}

/// Keeps a reader's mailbox full until it is told to stop.
class Flooder : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  explicit Flooder(ActorRef<Reader> to) : to_(to) {}
  void on(const Go& m) {
    for (std::int64_t i = 0; i < 100; ++i) {
      if (to_.tell(Note{0, {}}) != Outcome::accepted) {
        break;
      }
    }
    if (m.count > 0) {
      (void)self_as<Flooder>().tell(Go{0, m.count - 1});
    }
  }

 private:
  ActorRef<Reader> to_;
};

TEST(MailboxFairness, LeavesRoomForOthersWhereOneSenderFillsTheMailbox) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({.mailbox_messages_max = 64}, log);
  const auto flooder = system.spawn<Flooder>({}, reader);
  EXPECT_EQ(flooder.tell(Go{0, 80'000}), Outcome::accepted);
  int offered = 0;
  int taken = 0;
  // After a while it is known who crowds.
  while (system.step()) {
    if (log->size() > 8'000 && offered < 200) {
      ++offered;
      taken += reader.tell(Note{1, {}}) == Outcome::accepted ? 1 : 0;
    }
  }
  ASSERT_EQ(offered, 200);
  EXPECT_GE(taken, 150);
}

TEST(MailboxFairness, LeavesRoomForOthersAlsoWithAPolicy) {
  for (const SpawnOptions& options :
       {SpawnOptions{.mailbox_messages_max = 64, .mailbox_by_priority = true},
        SpawnOptions{.mailbox_messages_max = 64, .overflow = Overflow::reject},
        SpawnOptions{.mailbox_bytes_max = 64 * 200}}) {
    TestSystem system;
    const auto log = std::make_shared<std::vector<std::int64_t>>();
    const auto reader = system.spawn<Reader>(options, log);
    const auto flooder = system.spawn<Flooder>({}, reader);
    EXPECT_EQ(flooder.tell(Go{0, 20'000}), Outcome::accepted);
    int offered = 0;
    int taken = 0;
    while (system.step()) {
      if (log->size() > 4'000 && offered < 200) {
        ++offered;
        taken += reader.tell(Note{1, {}}) == Outcome::accepted ? 1 : 0;
      }
    }
    ASSERT_EQ(offered, 200);
    EXPECT_GE(taken, 150);
  }
}

TEST(PolicyLane, DropsNobodyElsesWhileTheCrowderHasSome) {
  constexpr std::uint64_t crowder = 7;
  for (const Overflow overflow : {Overflow::drop_newest, Overflow::drop_oldest}) {
    PolicyLane lane;
    lane.configure({.messages_max = 1'000, .overflow = overflow}, nullptr);
    std::vector<MessageBlock*> dropped;
    for (std::int64_t i = 0; i < 3'000; ++i) {
      Envelope message = Envelope::of(BlockKind::message, message_type<Note>, Note{i, {}});
      message->sender.value = i % 10 == 0 ? 1 : crowder;
      ASSERT_TRUE(lane.push(message.release(), dropped, {.crowder = crowder}));
    }
    EXPECT_EQ(dropped.size(), 2'000U);
    std::int64_t before = -1;
    for (MessageBlock* block : dropped) {
      Envelope message{block};
      EXPECT_EQ(message->sender.value, crowder);
      if (overflow == Overflow::drop_oldest) {
        EXPECT_GT(message->as<Note>().number, before);
        before = message->as<Note>().number;
      }
    }
    int others = 0;
    while (MessageBlock* block = lane.pop()) {
      others += Envelope {
        block
        } -> sender.value == 1 ? 1 : 0;
      lane.done();
    }
    EXPECT_EQ(others, 300);
  }
}

TEST(MailboxFairness, KnowsNothingAgainstWhoeverComesToTheNextLife) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto crowd = system.spawn<Reader>({.mailbox_messages_max = 64}, log);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 100; ++i) {
      (void)crowd.tell(Note{1, {}});
    }
    system.run_until_idle();
  }
  system.stop(crowd);
  system.run_until_idle();
  const auto next = system.spawn<Reader>({.mailbox_messages_max = 64}, log);
  ASSERT_EQ(static_cast<std::uint32_t>(next.id().value),
            static_cast<std::uint32_t>(crowd.id().value));
  const auto flooder = system.spawn<Flooder>({}, next);
  EXPECT_EQ(flooder.tell(Go{0, 0}), Outcome::accepted);
  system.run_until_idle();
  // Nobody crowded this one before: the reserve is nobody's.
  EXPECT_EQ(std::count(log->begin(), log->end(), 0), 64);
}

TEST(MailboxFairness, DropsOfTheSenderThatCrowdsTheMailbox) {
  for (const Overflow overflow : {Overflow::drop_newest, Overflow::drop_oldest}) {
    TestSystem system;
    const auto log = std::make_shared<std::vector<std::int64_t>>();
    const auto reader =
        system.spawn<Reader>({.mailbox_messages_max = 64, .overflow = overflow}, log);
    const auto flooder = system.spawn<Flooder>({}, reader);
    EXPECT_EQ(flooder.tell(Go{0, 800}), Outcome::accepted);
    int offered = 0;
    while (system.step()) {
      if (log->size() > 256 && offered < 20) {
        ++offered;
        EXPECT_EQ(reader.tell(Note{1, {}}), Outcome::accepted);
      }
    }
    ASSERT_EQ(offered, 20);
    EXPECT_GE(std::count(log->begin(), log->end(), 1), 19);
    EXPECT_GT(dead_by_full_mailbox(system), 1'000U);
  }
}

TEST(MailboxFairness, LeavesRoomForOthersWhereFewMessagesAreTooManyBytes) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({.mailbox_bytes_max = 64 * 200}, log);
  const auto flooder = system.spawn<Flooder>({}, reader);
  EXPECT_EQ(flooder.tell(Go{0, 20'000}), Outcome::accepted);
  // Long before as many are handled as the mailbox could hold by their number.
  int offered = 0;
  int taken = 0;
  while (log->size() < 1'500 && system.step()) {
    if (log->size() > 500) {
      ++offered;
      taken += reader.tell(Note{1, {}}) == Outcome::accepted ? 1 : 0;
    }
  }
  ASSERT_GE(offered, 50);
  EXPECT_GE(taken, offered * 3 / 4);
}

/// Fills a mailbox partly, and then waits with a message for which there is no room.
class Patient : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  explicit Patient(ActorRef<Reader> to) : to_(to) {}
  Task<> on(Go) {
    EXPECT_EQ(to_.tell(Note{1, std::string(6'000, 'x')}), Outcome::accepted);
    const Note large{2, std::string(8'000, 'x')};
    EXPECT_EQ(co_await to_.send(large), Outcome::accepted);
  }

 private:
  ActorRef<Reader> to_;
};

TEST(MailboxFairness, NobodyOvertakesALargeMessageThatWaits) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({.mailbox_bytes_max = 10'000}, log);
  const auto patient = system.spawn<Patient>({}, reader);
  system.run_until_idle();
  EXPECT_EQ(patient.tell(Go{}), Outcome::accepted);
  EXPECT_TRUE(system.step());
  EXPECT_EQ(reader.tell(Note{3, {}}), Outcome::mailbox_full);  // though it is small
  system.run_until_idle();
  EXPECT_EQ(reader.tell(Note{4, {}}), Outcome::accepted);
  system.run_until_idle();
  EXPECT_EQ(*log, (std::vector<std::int64_t>{1, 2, 4}));
}

TEST(MailboxFairness, DoesNotRaiseTheBoundForALoneSender) {
  TestSystem system;
  const auto log = std::make_shared<std::vector<std::int64_t>>();
  const auto reader = system.spawn<Reader>({.mailbox_messages_max = 64}, log);
  int taken = 0;
  for (int i = 0; i < 200; ++i) {
    taken += reader.tell(Note{1, {}}) == Outcome::accepted ? 1 : 0;
  }
  EXPECT_EQ(taken, 64);
  system.run_until_idle();
}

}  // namespace
}  // namespace troupe::actors
