#include "actors/ask.hpp"

#include <gtest/gtest.h>

#include "actors/gather.hpp"
#include "actors/testing/stepped_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

class AskTest : public testing::SteppedTest {};

struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};
struct Text {
  using Reply = std::string;
  TROUPE_MESSAGE(Text)
};
struct Refuse {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Refuse)
};
struct Add {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Add, by)
};

class Counter : public Actor {
 public:
  using Protocol = actors::Protocol<Get, Text, Refuse, Add>;
  explicit Counter(std::int64_t count = 0) : count_(count) {}
  std::int64_t on(const Get&) { return count_; }
  std::string on(const Text&) { return std::to_string(count_); }
  std::int64_t on(const Refuse&) { throw Refusal{"no"}; }
  void on(const Add& m) { count_ += m.by; }

 private:
  std::int64_t count_;
};

/// Never answers.
class Silent : public Actor {
 public:
  using Protocol = actors::Protocol<Get>;
  void on(const Get&, ReplyTo<std::int64_t> reply) { kept_.push_back(std::move(reply)); }

 private:
  std::vector<ReplyTo<std::int64_t>> kept_;
};

using Gettable = Protocol<Get>;

TEST_F(AskTest, CancelledRequestIsDroppedBeforeItIsHandled) {
  auto counter = spawn<Counter>({});
  run();
  auto cancelled = counter.ask(Add{.by = 100});
  cancelled.cancel();
  { const auto dropped = counter.ask(Add{.by = 1000}); }
  run();
  EXPECT_EQ(cancelled.get().error().outcome, base::Outcome::cancelled);
  EXPECT_EQ(ask(counter, Get{}).value(), 0);
  EXPECT_EQ(dead(base::Outcome::cancelled), 2U);
}

TEST_F(AskTest, RequestThatIsOverEndsNoOther) {
  PendingRequests& requests = system.requests();
  const base::ActorId over = requests.open(base::time_never);
  requests.close(over);
  const base::ActorId next = requests.open(base::time_never);
  ASSERT_EQ(static_cast<std::uint32_t>(next.value), static_cast<std::uint32_t>(over.value));
  requests.close(over);
  Envelope late = Envelope::of(BlockKind::reply, message_type<Done>, Done{});
  late->target = over;
  EXPECT_EQ(requests.deliver(std::move(late)), base::Outcome::no_such_actor);
  EXPECT_FALSE(requests.is_open(over));
  EXPECT_TRUE(requests.is_open(next));
  requests.close(next);
}

TEST_F(AskTest, CallbackKeepsTheRequestAlive) {
  auto counter = spawn<Counter>({}, 3);
  std::int64_t got = 0;
  counter.ask(Get{}).then([&](const auto& result) { got = result.value(); });
  run();
  EXPECT_EQ(got, 3);
}

TEST_F(AskTest, CallbackThatThrowsHarmsNobody) {
  auto counter = spawn<Counter>({}, 3);
  auto silent = spawn<Silent>({});
  counter.ask(Get{}).then([](const auto&) { throw std::runtime_error{"at the reply"}; });
  run();
  silent.ask(Get{}, 1s).then([](const auto&) { throw 42; });
  advance(2s);  // on the thread of the timers
  silent.ask(Get{}, 1s).then([](const auto&) { throw std::runtime_error{"at the end"}; });
  system.stop(silent);
  run();
  (void)counter.tell(Add{.by = 1});
  EXPECT_EQ(ask(counter, Get{}).value(), 4);  // it was not restarted
}

TEST_F(AskTest, CallbackIsNoPartOfTheActorThatReplies) {
  auto counter = spawn<Counter>({}, 3);
  const ActorCell* inside = nullptr;
  counter.ask(Get{}).then([&](const auto&) { inside = ActorCell::current(); });
  run();
  EXPECT_EQ(inside, nullptr);
}

TEST_F(AskTest, FutureHasTheResult) {
  auto counter = spawn<Counter>({}, 4);
  auto value = counter.ask(Get{}).to_future();
  auto refused = counter.ask(Refuse{}).to_future();
  run();
  EXPECT_EQ(value.get().value(), 4);
  EXPECT_EQ(refused.get().error().reason, "no");
}

/// Waits where it must not.
class Blocking : public Actor {
 public:
  using Protocol = actors::Protocol<Text, Get>;
  explicit Blocking(ActorRef<Gettable> other) : other_(other) {}
  std::string on(const Text&) {
    const auto own = self_as<Blocking>().ask(Get{}).get();
    const auto others = other_.ask(Get{}).get();
    return own.error().text() + "; " + others.error().text();
  }
  std::int64_t on(const Get&) { return 1; }

 private:
  ActorRef<Gettable> other_;
};

TEST_F(AskTest, HandlerThatWouldBlockItsWorkerIsToldAtOnce) {
  auto blocking = spawn<Blocking>({.name = "stubborn"}, ActorRef<Gettable>{spawn<Silent>({})});
  EXPECT_EQ(ask(blocking, Text{}).value(),
            "not_run (refused): get() in a handler of 'stubborn' would block a worker: co_await "
            "instead, or spawn the actor with own_thread; may_have_run (refused): get() in a "
            "handler of 'stubborn' would block a worker: co_await instead, or spawn the actor with "
            "own_thread");
}

// Several asks.

struct Sum {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Sum)
};
struct Mixed {
  using Reply = std::string;
  TROUPE_MESSAGE(Mixed)
};
struct First {
  using Reply = std::string;
  TROUPE_MESSAGE(First)
};
struct Sweep {
  using Reply = std::int64_t;
  std::uint64_t at_once = 1;
  TROUPE_MESSAGE(Sweep, at_once)
};

class Gatherer : public Actor {
 public:
  using Protocol = actors::Protocol<Sum, Mixed, First, Sweep>;
  explicit Gatherer(std::vector<ActorRef<Gettable>> asked) : asked_(std::move(asked)) {}

  Task<std::int64_t> on(Sum) {
    auto asks = ask_each();
    const auto results = co_await gather(std::move(asks));
    co_return sum_of(results);
  }
  Task<std::string> on(Mixed) {
    const ActorRef<Counter> counter{asked_.front()};
    auto number = counter.ask(Get{}, 1s);
    auto text = counter.ask(Text{}, 1s);
    auto done = counter.ask(Add{}, 1s);
    auto all = gather(std::move(number), std::move(text), std::move(done));
    const auto [a, b, c] = co_await std::move(all);
    co_return std::to_string(a.value()) + b.value() + (c.ok() ? "!" : "?");
  }
  Task<std::string> on(First) {
    auto asks = ask_each();
    const auto first = co_await first_of(std::move(asks));
    co_return first.result.ok()
        ? std::to_string(first.result.value()) + " of " + std::to_string(first.index)
        : first.result.error().text();
  }
  Task<std::int64_t> on(Sweep m) {
    const Get question;
    const auto results =
        co_await ask_all(asked_, question, AskAllOptions{.timeout = 1s, .at_once_max = m.at_once});
    co_return sum_of(results);
  }

 private:
  static std::int64_t sum_of(const std::vector<AskResult<std::int64_t>>& results) {
    std::int64_t sum = 0;
    for (const auto& result : results) {
      sum = 10 * sum + (result.ok() ? result.value() : 0);
    }
    return sum;
  }
  std::vector<Ask<std::int64_t>> ask_each() {
    std::vector<Ask<std::int64_t>> asks;
    for (const auto& actor : asked_) {
      asks.push_back(actor.ask(Get{}, 1s));
    }
    return asks;
  }
  std::vector<ActorRef<Gettable>> asked_;
};

TEST_F(AskTest, GatherGivesAllResultsInOrder) {
  std::vector<ActorRef<Gettable>> asked{spawn<Counter>({}, 1), spawn<Silent>({}),
                                        spawn<Counter>({}, 3)};
  EXPECT_EQ(ask(spawn<Gatherer>({}, asked), Sum{}, 5s).value(), 103);
}

TEST_F(AskTest, GatherTakesDifferentReplies) {
  std::vector<ActorRef<Gettable>> asked{spawn<Counter>({}, 7)};
  EXPECT_EQ(ask(spawn<Gatherer>({}, asked), Mixed{}).value(), "77!");
}

TEST_F(AskTest, FirstReplyWinsAndTheOthersAreCancelled) {
  std::vector<ActorRef<Gettable>> asked{spawn<Silent>({}), spawn<Counter>({}, 5),
                                        spawn<Silent>({})};
  EXPECT_EQ(ask(spawn<Gatherer>({}, asked), First{}).value(), "5 of 1");
  EXPECT_EQ(system.requests().open_count(), 0U);
}

TEST_F(AskTest, FirstReplyPassesOverWhoCannotAnswer) {
  auto gone = spawn<Counter>({});
  system.stop(gone);
  run();
  std::vector<ActorRef<Gettable>> asked{gone, spawn<Counter>({}, 6)};
  EXPECT_EQ(ask(spawn<Gatherer>({}, asked), First{}).value(), "6 of 1");
  std::vector<ActorRef<Gettable>> nobody{gone, gone};
  EXPECT_EQ(ask(spawn<Gatherer>({}, nobody), First{}).value(),
            "not_run (stopped): the message was not accepted");
}

TEST_F(AskTest, AskAllKeepsToItsBoundAndOrder) {
  std::vector<ActorRef<Gettable>> asked;
  for (int i = 1; i <= 7; ++i) {
    asked.push_back(spawn<Counter>({}, i));
  }
  auto gatherer = spawn<Gatherer>({}, asked);
  for (std::uint64_t at_once = 1; at_once <= 9; ++at_once) {
    EXPECT_EQ(ask(gatherer, Sweep{at_once}).value(), 1'234'567) << at_once;
  }
}

TEST_F(AskTest, StoppingTheGathererCancelsWhatItAsked) {
  std::vector<ActorRef<Gettable>> asked{spawn<Silent>({}), spawn<Silent>({})};
  auto gatherer = spawn<Gatherer>({}, asked);
  auto sum = gatherer.ask(Sum{}, 30s);
  run();
  system.stop(gatherer);
  run();
  EXPECT_EQ(sum.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_EQ(system.requests().open_count(), 0U);
}

// Rings of asks.

struct Pass {
  using Reply = std::string;
  std::vector<AnyRef> along;
  TROUPE_MESSAGE(Pass, along)
};

class Link : public Actor {
 public:
  using Protocol = actors::Protocol<Pass, Get>;
  Task<std::string> on(Pass m) {
    if (m.along.empty()) {
      co_return "the end";
    }
    const ActorRef<actors::Protocol<Pass>> next{m.along.front()};
    m.along.erase(m.along.begin());
    Pass message{m.along};
    const auto result = co_await next.ask(std::move(message), 10s);
    co_return result.ok() ? result.value() : result.error().text();
  }
  std::int64_t on(const Get&) { return ++handled_; }

 private:
  std::int64_t handled_ = 0;
};

using Passing = ActorRef<Protocol<Pass>>;

TEST_F(AskTest, ActorThatAsksItselfIsToldAtOnce) {
  auto lonely = spawn<Link>({.name = "lonely"});
  auto told = lonely.ask(Pass{{lonely}});
  run();
  EXPECT_EQ(told.get().value(), "not_run (refused): ask cycle: lonely → lonely");
  EXPECT_EQ(ask(lonely, Get{}).value(), 1);
  EXPECT_EQ(dead(base::Outcome::cancelled), 1U);
}

TEST_F(AskTest, CycleOfAsksIsFoundAndNamed) {
  auto a = spawn<Link>({.name = "a"});
  auto b = spawn<Link>({.name = "b"});
  auto c = spawn<Link>({.name = "a name that is longer than the forty bytes that are kept"});
  auto told = a.ask(Pass{{b, c, a}});
  run();
  const std::string text = told.get().value();
  EXPECT_EQ(
      text,
      "not_run (refused): ask cycle: a name that is longer than the forty bytes that are kept "
      "→ a → b → a name that is longer than the forty bytes that are kept");
}

TEST_F(AskTest, TwoThatAskEachOtherDoNotWait) {
  auto a = spawn<Link>({.name = "a"});
  auto b = spawn<Link>({.name = "b"});
  auto from_a = a.ask(Pass{{b}});
  auto from_b = b.ask(Pass{{a}});
  run();
  // One is told of the cycle, which frees the other one.
  const std::string text = from_a.get().value() + "|" + from_b.get().value();
  EXPECT_TRUE(text == "the end|not_run (refused): ask cycle: b → a → b" ||
              text == "not_run (refused): ask cycle: a → b → a|the end" ||
              text == "the end|the end")
      << text << ", seed " << world.seed();
}

TEST_F(AskTest, ChainWithoutACycleIsLeftAlone) {
  std::vector<AnyRef> along;
  for (int i = 0; i < 100; ++i) {
    along.push_back(spawn<Link>({}));
  }
  EXPECT_EQ(ask(spawn<Link>({}), Pass{along}).value(), "the end");
}

/// Answers when it is told to.
class Holder : public Actor {
 public:
  using Protocol = actors::Protocol<Pass, Get>;
  void on(const Pass&, ReplyTo<std::string> reply) { reply_ = std::move(reply); }
  std::int64_t on(const Get&) {
    reply_.send("held");
    return 0;
  }

 private:
  ReplyTo<std::string> reply_;
};

/// Lets another one answer, then asks the one who asked.
class Router : public Actor {
 public:
  using Protocol = actors::Protocol<Pass, Get>;
  explicit Router(Passing to) : to_(to) {}
  void on(const Pass& m, ReplyTo<std::string> reply) {
    asker_ = Passing{m.along.front()};
    (void)reply.forward(to_, Pass{});
  }
  Task<std::int64_t> on(Get) {
    const Pass message;
    const auto result = co_await asker_.ask(message, 1s);
    co_return result.ok() ? 1 : 0;
  }

 private:
  Passing to_;
  Passing asker_;
};

/// Lets another one answer.
class Forwarder : public Actor {
 public:
  using Protocol = actors::Protocol<Pass>;
  void on(const Pass& m, ReplyTo<std::string> reply) {
    const std::vector<AnyRef> rest{m.along.begin() + 1, m.along.end()};
    outcome = reply.forward(Passing{m.along.front()}, Pass{rest});
  }
  static inline base::Outcome outcome = base::Outcome::stopped;
};

TEST_F(AskTest, CycleThroughAForwardedRequestIsFound) {
  auto a = spawn<Link>({.name = "a"});
  auto b = spawn<Forwarder>({.name = "b"});
  auto c = spawn<Link>({.name = "c"});
  auto asked = a.ask(Pass{{b, c, a}});  // b lets c answer, which asks a
  run();
  EXPECT_EQ(asked.get().value(), "not_run (refused): ask cycle: c → a → c");
}

TEST_F(AskTest, ForwardThatClosesACycleIsRefused) {
  auto a = spawn<Link>({.name = "a"});
  auto b = spawn<Forwarder>({.name = "b"});
  auto asked = a.ask(Pass{{b, a}});  // b lets a answer itself
  run();
  EXPECT_EQ(asked.get().value(), "not_run (refused): ask cycle: a → a");
  EXPECT_EQ(Forwarder::outcome, base::Outcome::refused);
  EXPECT_EQ(dead(base::Outcome::refused), 1U);
}

/// Asks several, for the first answer.
class Hasty : public Actor {
 public:
  using Protocol = actors::Protocol<Pass>;
  Task<std::string> on(Pass m) {
    if (m.along.empty()) {
      co_return "the end";
    }
    std::vector<Ask<std::string>> asks;
    for (const AnyRef& next : m.along) {
      asks.push_back(Passing{next}.ask(Pass{{self()}}, 1s));
    }
    auto asking = first_of(std::move(asks));
    const auto first = co_await std::move(asking);
    co_return first.result.ok() ? first.result.value() : first.result.error().text();
  }
};

TEST_F(AskTest, CycleThroughAllOfSeveralAsksIsFound) {
  auto hasty = spawn<Hasty>({.name = "hasty"});
  auto asked = hasty.ask(Pass{{hasty, hasty}});
  run();
  EXPECT_EQ(asked.get().value(), "not_run (refused): ask cycle: hasty → hasty");
}

TEST_F(AskTest, OneOfSeveralAsksThatCanBeAnsweredIsWaitedFor) {
  auto hasty = spawn<Hasty>({.name = "hasty"});
  auto holder = spawn<Holder>({.name = "holder"});
  auto asked = hasty.ask(Pass{{hasty, holder}});
  run();
  EXPECT_TRUE(ask(holder, Get{}).ok());
  run();
  EXPECT_EQ(asked.get().value(), "held");
}

TEST_F(AskTest, RequestThatWasPassedOnClosesNoCycle) {
  auto holder = spawn<Holder>({.name = "holder"});
  auto router = spawn<Router>({.name = "router"}, Passing{holder});
  auto link = spawn<Link>({.name = "link"});
  auto asked = link.ask(Pass{{router, link}});
  run();
  auto back = router.ask(Get{});
  run();
  EXPECT_TRUE(ask(holder, Get{}).ok());
  EXPECT_EQ(asked.get().value(), "held");
  EXPECT_EQ(back.get().value(), 1);
}

}  // namespace
}  // namespace troupe::actors
