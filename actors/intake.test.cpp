#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/testing/testing.hpp"

// Senders that wait for room in a mailbox: intake.cpp.

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using base::Outcome;
using testing::TestSystem;

struct Note {
  std::int64_t number = 0;
  std::string text;
  TROUPE_MESSAGE(Note, number, text)
};
/// Keeps the reader from its mailbox for so long.
struct Hold {
  std::int64_t seconds = 1;
  TROUPE_MESSAGE(Hold, seconds)
};

using Log = std::shared_ptr<std::vector<std::int64_t>>;

class Reader : public Actor {
 public:
  using Protocol = actors::Protocol<Note, Hold>;
  explicit Reader(Log log) : log_(std::move(log)) {}
  void on(const Note& m) { log_->push_back(m.number); }
  Task<> on(Hold m) { co_await delay(std::chrono::seconds{m.seconds}); }

 private:
  Log log_;
};

struct Go {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t text_bytes = 0;
  std::int64_t timeout_seconds = 5;
  TROUPE_MESSAGE(Go, first, count, text_bytes, timeout_seconds)
};

/// Sends notes one after another, and says how each ended.
class Sender : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Sender(ActorRef<Reader> to, std::shared_ptr<std::vector<Outcome>> outcomes)
      : to_(to), outcomes_(std::move(outcomes)) {}
  Task<> on(Go m) {
    for (std::int64_t i = 0; i < m.count; ++i) {
      Note note{m.first + i, std::string(static_cast<std::size_t>(m.text_bytes), 'x')};
      auto sent = to_.send(note, std::chrono::seconds{m.timeout_seconds});
      outcomes_->push_back(co_await sent);
    }
  }

 private:
  ActorRef<Reader> to_;
  std::shared_ptr<std::vector<Outcome>> outcomes_;
};

TEST(WaitingSenders, AreLetInInTheOrderOfComing) {
  // A plain mailbox, and those that are full by what the policy says.
  for (const SpawnOptions& options :
       {SpawnOptions{.mailbox_messages_max = 1},
        SpawnOptions{.mailbox_messages_max = 1, .mailbox_bytes_max = 100'000},
        SpawnOptions{.mailbox_bytes_max = 1'500}}) {
    TestSystem system;
    const auto log = std::make_shared<std::vector<std::int64_t>>();
    const auto outcomes = std::make_shared<std::vector<Outcome>>();
    const auto reader = system.spawn<Reader>(options, log);
    EXPECT_EQ(reader.tell(Hold{}), Outcome::accepted);
    system.run_until_idle();
    EXPECT_EQ(reader.tell(Note{0, std::string(1'000, 'x')}), Outcome::accepted);
    for (std::int64_t i = 1; i <= 5; ++i) {
      EXPECT_EQ(system.spawn<Sender>({}, reader, outcomes).tell(Go{i, 1, 1'000}),
                Outcome::accepted);
      system.run_until_idle();
    }
    ASSERT_TRUE(outcomes->empty());
    system.advance(1s);
    EXPECT_EQ(*outcomes, (std::vector<Outcome>(5, Outcome::accepted)));
    EXPECT_EQ(*log, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
  }
}

TEST(WaitingSenders, ExpireEachAtItsOwnTime) {
  for (const bool is_longer_first : {true, false}) {
    TestSystem system;
    const auto log = std::make_shared<std::vector<std::int64_t>>();
    const auto reader = system.spawn<Reader>({.mailbox_messages_max = 1}, log);
    EXPECT_EQ(reader.tell(Hold{.seconds = 60}), Outcome::accepted);
    system.run_until_idle();
    const auto send = [&](std::int64_t number, std::int64_t timeout_seconds) {
      const auto outcomes = std::make_shared<std::vector<Outcome>>();
      const auto sender = system.spawn<Sender>({}, reader, outcomes);
      EXPECT_EQ(sender.tell(Go{number, 1, 0, timeout_seconds}), Outcome::accepted);
      system.run_until_idle();
      return outcomes;
    };
    EXPECT_EQ(reader.tell(Note{0, {}}), Outcome::accepted);
    const auto first = send(1, is_longer_first ? 3 : 1);
    const auto second = send(2, is_longer_first ? 1 : 3);
    const auto& longer = is_longer_first ? first : second;
    const auto& shorter = is_longer_first ? second : first;
    const std::vector<Outcome> has_expired{Outcome::expired};
    system.advance(999ms);
    EXPECT_TRUE(shorter->empty());
    system.advance(1ms);
    EXPECT_EQ(*shorter, has_expired);
    system.advance(1'999ms);
    EXPECT_TRUE(longer->empty());
    system.advance(1ms);
    EXPECT_EQ(*longer, has_expired);
    system.advance(1min);
    EXPECT_EQ(*log, (std::vector<std::int64_t>{0}));
    EXPECT_EQ(system.system().ledger().dead[static_cast<std::size_t>(Outcome::expired)], 2U);
  }
}

struct Quick {
  std::int64_t number = 0;
  TROUPE_MESSAGE(Quick, number)
};

/// Waits in a send, and tries meanwhile to tell the same reader, again and again.
class Hasty : public Actor {
 public:
  static constexpr bool reentrant = true;
  using Protocol = actors::Protocol<Note, Quick>;
  explicit Hasty(ActorRef<Reader> to) : to_(to) {}
  Task<> on(Note m) {
    auto sent = to_.send(m);
    EXPECT_EQ(co_await sent, Outcome::accepted);
    has_sent_ = true;
  }
  void on(const Quick& m) {
    if (!has_sent_ && to_.tell(Note{m.number, {}}) == Outcome::mailbox_full) {
      EXPECT_EQ(self_as<Hasty>().tell(m), Outcome::accepted);
    }
  }

 private:
  ActorRef<Reader> to_;
  bool has_sent_ = false;
};

TEST(WaitingSenders, AreOvertakenByWhatAReentrantOneTellsMeanwhile) {
  int overtakes = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    TestSystem system{{.seed = seed}};
    const auto log = std::make_shared<std::vector<std::int64_t>>();
    const auto outcomes = std::make_shared<std::vector<Outcome>>();
    const auto reader = system.spawn<Reader>({.mailbox_messages_max = 4}, log);
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(system.spawn<Sender>({}, reader, outcomes).tell(Go{100, 10}), Outcome::accepted);
    }
    const auto hasty = system.spawn<Hasty>({}, reader);
    EXPECT_EQ(hasty.tell(Note{1, {}}), Outcome::accepted);
    EXPECT_EQ(hasty.tell(Quick{2}), Outcome::accepted);
    system.run_until_idle();
    const auto sent = std::find(log->begin(), log->end(), 1);
    ASSERT_NE(sent, log->end()) << "seed " << seed;
    overtakes += std::find(log->begin(), sent, 2) != sent ? 1 : 0;
  }
  EXPECT_GT(overtakes, 0);
}

}  // namespace
}  // namespace troupe::actors
