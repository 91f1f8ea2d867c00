#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

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
struct Note {
  TROUPE_MESSAGE(Note)
};

// Coroutines that wait.

class Reentrant : public Actor {
 public:
  static constexpr bool reentrant = true;
  using Protocol = actors::Protocol<Wait>;
  explicit Reentrant(int* begun) : begun_(begun) {}
  Task<> on(Wait) {
    ++*begun_;
    co_await delay(1s);
  }

 private:
  int* begun_;
};

TEST_F(TurnTest, AReentrantActorBeginsNoMoreThanItMay) {
  int begun = 0;
  auto actor = spawn<Reentrant>({.mailbox_messages_max = 5, .tasks_max = 3}, &begun);
  run();
  int accepted = 0;
  for (int i = 0; i < 20; ++i) {
    accepted += actor.tell(Wait{}) == base::Outcome::accepted ? 1 : 0;
    run();
  }
  EXPECT_EQ(accepted, 8);  // the others wait in the mailbox
  EXPECT_EQ(begun, 3);
  advance(1s);
  EXPECT_EQ(begun, 6);
  advance(1s);
  EXPECT_EQ(begun, 8);
}

/// Writes what it does.
class Holder : public Actor {
 public:
  using Protocol = actors::Protocol<Wait, Note>;
  explicit Holder(std::string* log) : log_(log) {}
  Task<> on(Wait) {
    *log_ += "(";
    co_await delay(1s);
    *log_ += ")";
  }
  void on(const Note&) { *log_ += "."; }

 private:
  std::string* log_;
};

TEST_F(TurnTest, AMessageWaitsForTheCoroutineThatHoldsTheMailbox) {
  std::string log;
  auto holder = spawn<Holder>({}, &log);
  (void)holder.tell(Wait{});
  run();
  (void)holder.tell(Note{});
  (void)holder.tell(Wait{});
  (void)holder.tell(Note{});
  advance(999ms);
  EXPECT_EQ(log, "(");
  advance(1ms);
  EXPECT_EQ(log, "().(");
  advance(1s);
  EXPECT_EQ(log, "().().");
}

class Sleeper : public Actor {
 public:
  using Protocol = actors::Protocol<Wait>;
  Task<> on(Wait) { co_await delay(1h); }
};

TEST_F(TurnTest, ADelayEndsWithItsActor) {
  const std::size_t before = system.timers().size();
  auto sleeper = spawn<Sleeper>({});
  (void)sleeper.tell(Wait{});
  run();
  EXPECT_EQ(system.timers().size(), before + 1);
  system.stop(sleeper);
  run();
  EXPECT_EQ(system.timers().size(), before);
}

// Replies to members.

struct Open {
  TROUPE_MESSAGE(Open)
};
struct Close {
  TROUPE_MESSAGE(Close)
};
struct Slam {
  TROUPE_MESSAGE(Slam)
};
struct Log {
  using Reply = std::string;
  TROUPE_MESSAGE(Log)
};

class Shop : public Actor {
 public:
  using Protocol = actors::Protocol<Open, Close, Slam, Log, Wait>;
  explicit Shop(ActorRef<actors::Protocol<Get>> prices) : prices_(prices) {}
  void on(const Open&) { pipe(prices_.ask(Get{}, 1s), &Shop::on_price); }
  void on(const Close&) {
    pipe(prices_.ask(Get{}, 1s),
         [this](const auto& price) { log_ += price.ok() ? "lambda;" : "failed;"; });
  }
  void on(const Slam&) {
    pipe(prices_.ask(Get{}, 1s), [this](const auto&) { log_ += "never;"; });
    throw std::runtime_error{"a slam"};
  }
  Task<void> on(Wait) {
    pipe(prices_.ask(Get{}, 1s), &Shop::on_price);
    co_await delay(10ms);
    log_ += "waited;";
  }
  std::string on(const Log&) { return log_; }

 private:
  void on_price(AskResult<std::int64_t> price) {
    log_ += price.ok() ? std::to_string(price.value()) + ";" : price.error().text() + ";";
  }
  ActorRef<actors::Protocol<Get>> prices_;
  std::string log_;
};

class Prices : public Actor {
 public:
  using Protocol = actors::Protocol<Get>;
  std::int64_t on(const Get&) { return 42; }
};

TEST_F(TurnTest, RepliesGoToMembersOfTheAskingActor) {
  auto shop = spawn<Shop>({}, ActorRef<Protocol<Get>>{spawn<Prices>({})});
  (void)shop.tell(Open{});
  run();
  (void)shop.tell(Close{});
  run();
  EXPECT_EQ(ask(shop, Log{}).value(), "42;lambda;");
}

TEST_F(TurnTest, ReplyToAMemberWaitsForTheCoroutineThatHoldsTheMailbox) {
  auto shop = spawn<Shop>({}, ActorRef<Protocol<Get>>{spawn<Prices>({})});
  EXPECT_TRUE(ask(shop, Wait{}).ok());
  EXPECT_EQ(ask(shop, Log{}).value(), "waited;42;");
}

TEST_F(TurnTest, ReplyToAMemberIsLostWithItsActor) {
  auto shop = spawn<Shop>({}, ActorRef<Protocol<Get>>{spawn<Prices>({})});
  (void)shop.tell(Slam{});
  advance(1s);
  EXPECT_EQ(ask(shop, Log{}).value(), "");
}

// Handlers that would block.

class Blocking : public Actor {
 public:
  using Protocol = actors::Protocol<Wait, Get>;
  void on(const Wait&) { (void)Channel<int>{1}.receive_blocking(); }
  std::int64_t on(const Get&) {
    const Channel<int> channel{1};
    (void)channel.send_blocking(42);  // there is room
    return channel.receive_blocking().value();
  }
};

TEST_F(TurnTest, AChannelThatWouldBlockAWorkerFailsTheActor) {
  auto blocking = spawn<Blocking>({});
  EXPECT_EQ(ask(blocking, Get{}).value(), 42);
  EXPECT_EQ(ask(blocking, Wait{}).error().reason,
            "the actor crashed: receive_blocking() in a handler of 'Blocking' would block a "
            "worker: co_await instead, or spawn the actor with own_thread");
}

// The bound of a turn.

constexpr std::int64_t many = 100'000;

/// Gives itself one thing to do after another, but no message.
class Busy : public Actor {
 public:
  using Protocol = actors::Protocol<Wait, Get>;
  void on(const Wait&) { go_on(); }
  std::int64_t on(const Get&) { return rounds_; }

 private:
  void go_on() {
    if (++rounds_ < many) {
      cell().push_control(control_envelope(Control::call, self().id(), Call{[this] { go_on(); }}));
    }
  }
  std::int64_t rounds_ = 0;
};

TEST_F(TurnTest, MessagesHaveTheirShareWhereControlNeverEnds) {
  auto busy = spawn<Busy>({});
  (void)busy.tell(Wait{});
  auto asked = busy.ask(Get{}, 1s);
  run();
  EXPECT_LT(asked.get().value(), 1'000);
}

/// Puts a message aside and takes it again.
class Undecided : public Actor {
 public:
  using Protocol = actors::Protocol<Wait>;
  explicit Undecided(std::int64_t* rounds) : rounds_(rounds) {}
  void on(const Wait& m) {
    if (++*rounds_ < many) {
      (void)stash(m);
      unstash_all();
    }
  }

 private:
  std::int64_t* rounds_;
};

TEST_F(TurnTest, AStopReachesWhoPutsAMessageAsideForEver) {
  std::int64_t rounds = 0;
  auto undecided = spawn<Undecided>({}, &rounds);
  (void)undecided.tell(Wait{});
  while (rounds == 0 && world.step()) {
  }
  system.stop(undecided);
  run();
  EXPECT_LT(rounds, 1'000);
}

TEST_F(TurnTest, WhatIsTakenOutOfTheStashCountsInTheTurn) {
  std::int64_t rounds = 0;
  auto undecided = spawn<Undecided>({}, &rounds);
  (void)undecided.tell(Wait{});
  std::int64_t most = 0;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t before = rounds;
    ASSERT_TRUE(world.step());
    most = std::max(most, rounds - before);
  }
  EXPECT_LE(most, 20);  // of turns of up to 8: a few go together
  system.stop(undecided);
  run();
}

/// Sends to itself.
class Eager : public Actor {
 public:
  using Protocol = actors::Protocol<Wait>;
  explicit Eager(std::int64_t* rounds) : rounds_(rounds) {}
  void on(const Wait& m) {
    if (++*rounds_ < many) {
      (void)self_as<Eager>().tell(m);
    }
  }

 private:
  std::int64_t* rounds_;
};

TEST_F(TurnTest, AStopReachesWhoSendsToItselfForEver) {
  std::int64_t rounds = 0;
  auto eager = spawn<Eager>({}, &rounds);
  (void)eager.tell(Wait{});
  while (rounds == 0 && world.step()) {
  }
  system.stop(eager);
  run();
  EXPECT_LT(rounds, 1'000);
}

/// Takes what it has put in, and never waits.
class Juggler : public Actor {
 public:
  using Protocol = actors::Protocol<Wait, Get>;
  explicit Juggler(std::int64_t* rounds) : rounds_(rounds) {}
  Task<> on(Wait) {
    const Channel<int> channel{1};
    while (++*rounds_ < many) {
      const bool is_sent = co_await channel.send(1);
      const std::optional<int> received = co_await channel.receive();
      EXPECT_TRUE(is_sent && received);
    }
  }
  std::int64_t on(const Get&) { return *rounds_; }

 private:
  std::int64_t* rounds_;
};

TEST_F(TurnTest, ATurnEndsAlsoWhereACoroutineNeverWaitsAtItsChannel) {
  std::int64_t rounds = 0;
  auto juggler = spawn<Juggler>({}, &rounds);
  (void)juggler.tell(Wait{});
  while (rounds == 0 && world.step()) {
  }
  EXPECT_LT(rounds, 10'000);
  run();
  EXPECT_EQ(rounds, many);
}

TEST_F(TurnTest, WhatAStoppedActorTookWhileItPausedGoesBackToTheChannel) {
  struct Taker : Actor {
    using Protocol = actors::Protocol<Wait>;
    explicit Taker(Channel<int> from, int* taken) : from_(std::move(from)), taken_(taken) {}
    Task<> on(Wait) {
      while (const std::optional<int> value = co_await from_.receive()) {
        *taken_ += value.has_value() ? 1 : 0;
      }
    }
    Channel<int> from_;
    int* taken_;
  };
  constexpr int values = 2'000;
  const Channel<int> channel{values};
  for (int i = 0; i < values; ++i) {
    EXPECT_TRUE(channel.try_send(i));
  }
  int taken = 0;
  auto taker = spawn<Taker>({}, channel, &taken);
  (void)taker.tell(Wait{});
  while (taken == 0 && world.step()) {
  }
  system.stop(taker);
  run();
  EXPECT_GT(taken, 0);
  EXPECT_EQ(taken + static_cast<int>(channel.size()), values);
}

}  // namespace
}  // namespace troupe::actors
