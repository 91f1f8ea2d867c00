#include <gtest/gtest.h>

#include "actors/behaviour.hpp"
#include "actors/testing/stepped_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

class ActorExtrasTest : public testing::SteppedTest {};

struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};
struct Set {
  std::int64_t to = 0;
  TROUPE_MESSAGE(Set, to)
};
struct Open {
  TROUPE_MESSAGE(Open)
};
struct Close {
  TROUPE_MESSAGE(Close)
};
struct Knock {
  using Reply = std::string;
  TROUPE_MESSAGE(Knock)
};
struct Slam {
  TROUPE_MESSAGE(Slam)
};
struct Wait {
  TROUPE_MESSAGE(Wait)
};
struct Log {
  using Reply = std::string;
  TROUPE_MESSAGE(Log)
};

// Behaviours.

class Door : public Actor {
 public:
  using Protocol = actors::Protocol<Open, Close, Knock, Get, Slam>;

  struct Opened : Behaviour<Door> {
    using Protocol = actors::Protocol<Close, Knock, Slam>;
    explicit Opened(Door& door, std::string greeting)
        : Behaviour(door), greeting_(std::move(greeting)) {}
    void on(const Close&) { actor().unbecome(); }
    Task<std::string> on(Knock) {
      actor().unbecome();  // this object stays until the handler ends
      co_await actor().pause();
      co_return greeting_;
    }
    void on(const Slam&) { throw std::runtime_error{"slammed"}; }

   private:
    std::string greeting_;
  };

  void on(const Open&) {
    ++opened_;
    become<Opened>(*this, "come in");
  }
  void on(const Close&) { throw Refusal{"it is closed"}; }
  std::string on(const Knock&) { return "who is there?"; }
  void on(const Slam&) {}
  std::int64_t on(const Get&) { return opened_; }
  using Actor::delay;
  static Delay pause() { return delay(10ms); }

 private:
  std::int64_t opened_ = 0;
};

TEST_F(ActorExtrasTest, BehaviourHandlesItsPartOfTheProtocolUntilItIsLeft) {
  auto door = spawn<Door>({});
  EXPECT_EQ(ask(door, Knock{}).value(), "who is there?");
  EXPECT_EQ(ask(door, Close{}).error().reason, "it is closed");
  EXPECT_TRUE(ask(door, Open{}).ok());
  EXPECT_EQ(ask(door, Get{}).value(), 1);
  EXPECT_TRUE(ask(door, Close{}).ok());
  EXPECT_EQ(ask(door, Close{}).error().reason, "it is closed");
}

TEST_F(ActorExtrasTest, BehaviourThatIsLeftStaysWhileItsHandlerWaits) {
  auto door = spawn<Door>({});
  EXPECT_TRUE(ask(door, Open{}).ok());
  EXPECT_EQ(ask(door, Knock{}).value(), "come in");
  EXPECT_EQ(ask(door, Knock{}).value(), "who is there?");
}

TEST_F(ActorExtrasTest, RestartBeginsWithTheActorsOwnHandlers) {
  auto door = spawn<Door>({});
  EXPECT_TRUE(ask(door, Open{}).ok());
  EXPECT_EQ(ask(door, Slam{}).error().reason, "the actor crashed: slammed");
  advance(1s);
  EXPECT_EQ(ask(door, Knock{}).value(), "who is there?");
  EXPECT_EQ(ask(door, Get{}).value(), 0);
}

/// Writes what ends, and when.
struct Trace {
  std::string* log;
  const char* what;
  ~Trace() { *log += std::string{what} + ";"; }
};

class Guarded : public Actor {
 public:
  using Protocol = actors::Protocol<Open, Wait>;

  struct Waiting : Behaviour<Guarded> {
    using Protocol = actors::Protocol<Wait>;
    using Behaviour::Behaviour;
    Task<void> on(Wait) {
      const Trace frame{actor().log_, "frame"};
      co_await Guarded::delay(1s);
    }
    Trace own{actor().log_, "behaviour"};
  };

  explicit Guarded(std::string* log) : log_(log) {}
  void on(const Open&) { become<Waiting>(*this); }
  void on(const Wait&) {}
  using Actor::delay;

 private:
  std::string* log_;
};

TEST_F(ActorExtrasTest, BehaviourOutlivesItsCoroutinesWhenTheActorStops) {
  std::string log;
  auto guarded = spawn<Guarded>({}, &log);
  (void)guarded.tell(Open{});
  (void)guarded.tell(Wait{});
  run();
  system.stop(guarded);
  run();
  EXPECT_EQ(log, "frame;behaviour;");
}

// The stash.

class Safe : public Actor {
 public:
  using Protocol = actors::Protocol<Open, Set, Get, Slam, Log, Wait>;
  void on_start() override { set_stash_max(3); }
  void on_restart(const std::string& why) override { log_ += "restarted after " + why + ";"; }
  void on(const Open&) {
    is_open_ = true;
    unstash_all();
  }
  void on(const Set& m) {
    if (!is_open_) {
      (void)stash(m);
      return;
    }
    log_ += std::to_string(m.to) + ";";
    is_open_ = m.to >= 0;
  }
  void on(const Get& m, ReplyTo<std::int64_t> reply) {
    if (!is_open_) {
      (void)stash(m, std::move(reply));
      return;
    }
    log_ += "get;";
    reply.send(1);
  }
  Task<void> on(Wait m) {
    if (!is_open_) {
      co_return;
    }
    log_ += "wait;";
    co_await delay(10ms);
    log_ += "waited;";
    (void)m;
  }
  void on(const Slam&) { throw std::runtime_error{"a slam"}; }
  std::string on(const Log&) { return log_; }

 private:
  bool is_open_ = false;
  std::string log_;
};

TEST_F(ActorExtrasTest, StashedMessagesAreHandledBeforeTheMailboxAndInOrder) {
  auto safe = spawn<Safe>({});
  auto first = safe.ask(Set{1}, 5s);
  auto second = safe.ask(Get{}, 5s);
  run();
  EXPECT_FALSE(first.is_ready());
  (void)safe.tell(Open{});
  (void)safe.tell(Set{2});
  EXPECT_EQ(ask(safe, Log{}).value(), "1;get;2;");
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(second.get().value(), 1);
}

TEST_F(ActorExtrasTest, StashRefusesWhatItHasNoRoomFor) {
  auto safe = spawn<Safe>({});
  std::vector<Ask<void>> asks;
  for (int i = 0; i < 4; ++i) {
    asks.push_back(safe.ask(Set{i}, 5s));
  }
  (void)safe.tell(Set{4});
  run();
  ASSERT_TRUE(asks[3].is_ready());
  EXPECT_EQ(asks[3].get().error().outcome, base::Outcome::mailbox_full);
  EXPECT_EQ(dead(base::Outcome::mailbox_full), 2U);
  (void)safe.tell(Open{});
  EXPECT_EQ(ask(safe, Log{}).value(), "0;1;2;");
}

TEST_F(ActorExtrasTest, MessagesMayBeStashedAgain) {
  auto safe = spawn<Safe>({});
  (void)safe.tell(Set{1});
  (void)safe.tell(Set{-1});
  (void)safe.tell(Set{2});
  (void)safe.tell(Open{});
  EXPECT_EQ(ask(safe, Log{}).value(), "1;-1;");
  (void)safe.tell(Open{});
  EXPECT_EQ(ask(safe, Log{}).value(), "1;-1;2;");
}

TEST_F(ActorExtrasTest, StashSurvivesARestart) {
  auto safe = spawn<Safe>({});
  auto waiting = safe.ask(Set{1}, 30s);
  (void)safe.tell(Slam{});
  (void)safe.tell(Open{});
  run();
  advance(1s);
  EXPECT_EQ(ask(safe, Log{}).value(), "restarted after a slam;1;");
  EXPECT_TRUE(waiting.get().ok());
}

TEST_F(ActorExtrasTest, StoppedActorAnswersNotRunForItsStash) {
  auto safe = spawn<Safe>({});
  auto waiting = safe.ask(Set{1}, 30s);
  run();
  system.stop(safe);
  run();
  EXPECT_EQ(waiting.get().error().kind, AskError::Kind::not_run);
}

TEST_F(ActorExtrasTest, StashedRequestExpires) {
  auto safe = spawn<Safe>({});
  auto waiting = safe.ask(Set{1}, 1s);
  advance(2s);
  (void)safe.tell(Open{});
  EXPECT_EQ(ask(safe, Log{}).value(), "");
  EXPECT_EQ(waiting.get().error().outcome, base::Outcome::expired);
}

TEST_F(ActorExtrasTest, StashedRequestThatItsAskerGaveUpIsNotHandled) {
  auto safe = spawn<Safe>({});
  {
    const auto dropped = safe.ask(Set{1}, 5s);
    run();
  }
  (void)safe.tell(Open{});
  EXPECT_EQ(ask(safe, Log{}).value(), "");
  EXPECT_EQ(dead(base::Outcome::cancelled), 1U);
}

TEST_F(ActorExtrasTest, RestartWithoutTheMailboxIsOneWithoutTheStash) {
  auto safe = spawn<Safe>({.keep_mailbox = false});
  auto stashed = safe.ask(Set{1}, 5s);
  run();
  (void)safe.tell(Slam{});
  advance(1s);
  (void)safe.tell(Open{});
  EXPECT_EQ(ask(safe, Log{}).value(), "restarted after a slam;");
  EXPECT_EQ(stashed.get().error().kind, AskError::Kind::not_run);
}

struct Note {
  std::string text;
  TROUPE_MESSAGE(Note, text)
};

/// Puts everything aside until it is opened; what it then gets goes as its text says.
class Drawer : public Actor {
 public:
  using Protocol = actors::Protocol<Open, Close, Note, Set, Log>;
  explicit Drawer(std::string* log) : log_(log) {}
  void on_start() override { set_stash_max(100, 2'000); }
  void on_restart(const std::string&) override { is_open_ = true; }
  void on(const Open&) {
    is_open_ = true;
    unstash_all();
  }
  void on(const Close&) { is_open_ = false; }
  void on(const Set&) { (void)stash(Knock{}); }
  void on(const Note& m) {
    if (!is_open_) {
      (void)stash(m);
      return;
    }
    *log_ += m.text + ";";
    if (m.text == "once" && log_->find(m.text) == log_->rfind(m.text)) {
      throw std::runtime_error{m.text};
    }
  }
  std::string on(const Log&) { return *log_; }
  void on_unhandled(Envelope&& message) { *log_ += std::string{message->type->name} + "?;"; }

 private:
  std::string* log_;
  bool is_open_ = false;
};

TEST_F(ActorExtrasTest, StashedMessageThatCrashedItsActorIsRetried) {
  std::string log;
  auto drawer = spawn<Drawer>({.on_crash = OnCrash::retry_message}, &log);
  (void)drawer.tell(Note{"once"});
  (void)drawer.tell(Note{"then"});
  (void)drawer.tell(Open{});
  (void)drawer.tell(Note{"last"});
  run();
  advance(1s);
  EXPECT_EQ(log, "once;once;then;last;");
}

TEST_F(ActorExtrasTest, StashedMessageWithoutAHandlerIsUnhandled) {
  std::string log;
  auto drawer = spawn<Drawer>({}, &log);
  (void)drawer.tell(Set{});
  (void)drawer.tell(Open{});
  run();
  EXPECT_EQ(log, "Knock?;");
}

TEST_F(ActorExtrasTest, StashIsBoundedInBytes) {
  std::string log;
  auto drawer = spawn<Drawer>({}, &log);
  for (int round = 0; round < 2; ++round) {  // what was taken out makes room
    (void)drawer.tell(Note{std::string(1'500, 'a')});
    (void)drawer.tell(Note{std::string(1'500, 'b')});
    run();
    EXPECT_EQ(dead(base::Outcome::mailbox_full), round + 1U);
    (void)drawer.tell(Open{});
    (void)drawer.tell(Close{});
    run();
  }
  EXPECT_EQ(log.size(), 2U * 1'501U);
}

/// Puts every note aside, and says how that ended.
class Hoarder : public Actor {
 public:
  using Protocol = actors::Protocol<Note, Set, Open, Slam>;
  explicit Hoarder(std::vector<base::Outcome>* outcomes) : outcomes_(outcomes) {}
  void on(const Note& m) { outcomes_->push_back(stash(m)); }
  void on(const Set& m) { set_stash_max(static_cast<std::uint32_t>(m.to), 2'000); }
  void on(const Open&) {
    unstash_all();
    outcomes_->push_back(stash(Note{"behind them"}));
  }
  void on(const Slam&) { throw std::runtime_error{"a slam"}; }

 private:
  std::vector<base::Outcome>* outcomes_;
};

constexpr base::Outcome yes = base::Outcome::accepted;
constexpr base::Outcome full = base::Outcome::mailbox_full;

TEST_F(ActorExtrasTest, StashCountsWhatIsTakenOutUntilItIsHandled) {
  std::vector<base::Outcome> outcomes;
  auto hoarder = spawn<Hoarder>({}, &outcomes);
  (void)hoarder.tell(Set{2});
  (void)hoarder.tell(Note{"one"});
  (void)hoarder.tell(Note{"two"});
  (void)hoarder.tell(Open{});
  run();
  EXPECT_EQ(outcomes, (std::vector{yes, yes, full, yes, yes}));
}

TEST_F(ActorExtrasTest, StashCountsTheBytesOfWhatCameBeforeItsBound) {
  std::vector<base::Outcome> outcomes;
  auto hoarder = spawn<Hoarder>({}, &outcomes);
  (void)hoarder.tell(Note{std::string(1'500, 'a')});
  (void)hoarder.tell(Set{100});
  (void)hoarder.tell(Note{std::string(1'500, 'b')});
  run();
  EXPECT_EQ(outcomes, (std::vector{yes, full}));
}

TEST_F(ActorExtrasTest, RestartWithoutTheStashMakesRoomForItsBytes) {
  std::vector<base::Outcome> outcomes;
  auto hoarder = spawn<Hoarder>({.keep_mailbox = false}, &outcomes);
  (void)hoarder.tell(Set{100});
  (void)hoarder.tell(Note{std::string(1'500, 'a')});
  (void)hoarder.tell(Slam{});
  advance(1s);
  (void)hoarder.tell(Note{std::string(1'500, 'b')});
  run();
  EXPECT_EQ(outcomes, (std::vector{yes, yes}));
}

/// Stashes, and handles what it stashed by a coroutine that waits.
class Slow : public Actor {
 public:
  using Protocol = actors::Protocol<Wait, Set, Open, Log>;
  void on(const Set& m) { (void)stash(Wait{}), (void)m; }
  void on(const Open&) { unstash_all(); }
  Task<void> on(Wait) {
    log_ += "(";
    co_await delay(10ms);
    log_ += ")";
  }
  std::string on(const Log&) { return log_; }

 private:
  std::string log_;
};

TEST_F(ActorExtrasTest, CoroutinesOfStashedMessagesRunOneAtATime) {
  auto slow = spawn<Slow>({});
  (void)slow.tell(Set{});
  (void)slow.tell(Set{});
  (void)slow.tell(Set{});
  (void)slow.tell(Open{});
  EXPECT_EQ(ask(slow, Log{}).value(), "()()()");
}

// The receive timeout.

class Idler : public Actor {
 public:
  using Protocol = actors::Protocol<Set, Get, Wait>;
  void on_start() override { set_receive_timeout(100ms); }
  void on(const ReceiveTimeout&) { ++timeouts_; }
  void on(const Set& m) { set_receive_timeout(std::chrono::milliseconds{m.to}); }
  std::int64_t on(const Get&) { return timeouts_; }
  Task<void> on(Wait) { co_await delay(1s); }

 private:
  std::int64_t timeouts_ = 0;
};

TEST_F(ActorExtrasTest, ReceiveTimeoutComesOnceUntilTheNextMessage) {
  auto idler = spawn<Idler>({});
  run();
  advance(99ms);
  EXPECT_EQ(ask(idler, Get{}).value(), 0);
  advance(99ms);
  EXPECT_EQ(ask(idler, Get{}).value(), 0);
  advance(100ms);
  EXPECT_EQ(ask(idler, Get{}).value(), 1);
  advance(1s);
  EXPECT_EQ(ask(idler, Get{}).value(), 2);
}

TEST_F(ActorExtrasTest, ReceiveTimeoutCanBeChangedAndEnded) {
  auto idler = spawn<Idler>({});
  (void)idler.tell(Set{10});
  run();
  advance(11ms);
  EXPECT_EQ(ask(idler, Get{}).value(), 1);
  (void)idler.tell(Set{0});
  run();
  advance(10s);
  EXPECT_EQ(ask(idler, Get{}).value(), 1);
}

TEST_F(ActorExtrasTest, CoroutineThatHoldsTheMailboxIsNotIdle) {
  auto idler = spawn<Idler>({});
  (void)idler.tell(Wait{});
  run();
  advance(1s);
  EXPECT_EQ(ask(idler, Get{}).value(), 0);
}

}  // namespace
}  // namespace troupe::actors
