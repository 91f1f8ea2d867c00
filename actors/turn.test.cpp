#include <gtest/gtest.h>

#include "actors/channel.hpp"
#include "actors/testing/stepped_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

/// What one actor may do in a turn, and beside it.
class TurnTest : public testing::SteppedTest {};

struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};
struct Wait {
  TROUPE_MESSAGE(Wait)
};

// Coroutines that wait.

class Reentrant : public Actor {
 public:
  static constexpr bool reentrant = true;
  using Protocol = actors::Protocol<Wait, Get>;
  Task<> on(Wait) {
    ++begun_;
    co_await delay(1s);
  }
  std::int64_t on(const Get&) { return begun_; }

 private:
  std::int64_t begun_ = 0;
};

TEST_F(TurnTest, AReentrantActorBeginsNoMoreThanItMay) {
  auto actor = spawn<Reentrant>({.mailbox_messages_max = 5, .tasks_max = 3});
  run();
  int accepted = 0;
  for (int i = 0; i < 20; ++i) {
    accepted += actor.tell(Wait{}) == base::Outcome::accepted ? 1 : 0;
    run();
  }
  EXPECT_EQ(accepted, 8);  // three have begun, five wait in the mailbox
  advance(1s);
  EXPECT_EQ(ask(actor, Get{}).value(), 6);
}

}  // namespace
}  // namespace troupe::actors
