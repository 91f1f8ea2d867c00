#include "actors/reply_stream.hpp"

#include <gtest/gtest.h>

#include "actors/pool.hpp"
#include "actors/testing/stepped_test.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

class ReplyStreamTest : public testing::SteppedTest {};

struct CountTo {
  using Reply = Stream<std::int64_t>;
  std::int64_t end = 0;
  TROUPE_MESSAGE(CountTo, end)
};
struct Drip {
  using Reply = Stream<std::int64_t>;
  TROUPE_MESSAGE(Drip)
};
struct Next {
  std::int64_t value = 0;
  TROUPE_MESSAGE(Next, value)
};
struct Written {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Written)
};

class Feed : public Actor {
 public:
  using Protocol = actors::Protocol<CountTo, Drip, Next, Written>;
  static constexpr bool reentrant = true;
  Task<void> on(CountTo m, StreamWriter<std::int64_t> writer) {
    if (m.end < 0) {
      throw Refusal{"backwards"};
    }
    for (std::int64_t i = 0; i < m.end; ++i) {
      auto write = writer.write(i);
      const base::Outcome outcome = co_await write;
      if (outcome != base::Outcome::accepted) {
        last_ = outcome;
        co_return;
      }
      ++written_;
    }
    writer.finish();
  }
  void on(const Drip&, StreamWriter<std::int64_t> writer) { kept_.emplace(std::move(writer)); }
  void on(const Next& m) {
    if (m.value < 0) {
      throw std::runtime_error{"dry"};
    }
    last_ = kept_->try_write(m.value);
    written_ += last_ == base::Outcome::accepted ? 1 : 0;
    if (m.value == 99) {
      kept_->finish();
    }
  }
  std::int64_t on(const Written&) {
    return written_ + (last_ == base::Outcome::stopped ? 1'000'000 : 0);
  }

 private:
  std::int64_t written_ = 0;
  base::Outcome last_ = base::Outcome::accepted;
  std::optional<StreamWriter<std::int64_t>> kept_;
};

struct Read {
  using Reply = std::string;
  std::int64_t end = 0;
  std::int64_t take = 1'000'000;
  std::uint32_t window = 4;
  TROUPE_MESSAGE(Read, end, take, window)
};
struct ReadDrip {
  using Reply = std::string;
  TROUPE_MESSAGE(ReadDrip)
};

class Reader : public Actor {
 public:
  using Protocol = actors::Protocol<Read, ReadDrip>;
  explicit Reader(ActorRef<Feed> feed) : feed_(feed) {}
  Task<std::string> on(Read m) {
    const CountTo question{m.end};
    auto opened = co_await feed_.ask(question, 1s);
    if (!opened.ok()) {
      co_return opened.error().text();
    }
    StreamReader<std::int64_t> reader{opened.value(), {.window = m.window, .item_max = 1s}};
    Task<std::string> all = read(reader, m.take);
    co_return co_await std::move(all);
  }
  Task<std::string> on(ReadDrip) {
    const Drip question;
    auto opened = co_await feed_.ask(question, 1s);
    StreamReader<std::int64_t> reader{opened.value(), {.window = 2, .item_max = 1s}};
    Task<std::string> all = read(reader, 1000);
    co_return co_await std::move(all);
  }

 private:
  static Task<std::string> read(StreamReader<std::int64_t>& reader, std::int64_t take) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < take; ++i) {
      auto next = reader.next();
      const auto item = co_await next;
      if (!item.ok()) {
        co_return std::to_string(sum) + " then " + item.error().text();
      }
      if (!item.value()) {
        co_return std::to_string(sum);
      }
      sum += **item;
    }
    co_return std::to_string(sum) + " so far";
  }
  ActorRef<Feed> feed_;
};

TEST_F(ReplyStreamTest, ManyRepliesComeInOrderWhateverTheWindow) {
  auto feed = spawn<Feed>({});
  auto reader = spawn<Reader>({}, feed);
  for (const std::uint32_t window : {1U, 2U, 3U, 64U}) {
    EXPECT_EQ(ask(reader, Read{.end = 100, .window = window}, 10s).value(), "4950") << window;
  }
  EXPECT_EQ(ask(reader, Read{.end = 0}).value(), "0");
  EXPECT_EQ(system.actor_count(), 2U);
}

TEST_F(ReplyStreamTest, WriterIsHeldToTheReadersDemand) {
  auto feed = spawn<Feed>({});
  auto reader = spawn<Reader>({}, feed);
  EXPECT_EQ(ask(reader, Read{.end = 1000, .take = 10, .window = 4}).value(), "45 so far");
  run();
  // What was read, and at most a window more; then the writer was told that nobody reads.
  const std::int64_t written = ask(feed, Written{}).value();
  EXPECT_GE(written, 1'000'010);
  EXPECT_LE(written, 1'000'014);
  EXPECT_EQ(system.actor_count(), 2U);
}

TEST_F(ReplyStreamTest, RefusalFailsTheStream) {
  auto reader = spawn<Reader>({}, spawn<Feed>({}));
  EXPECT_EQ(ask(reader, Read{.end = -1}).value(), "0 then backwards");
}

TEST_F(ReplyStreamTest, WriterMayBeKeptAndUsedLater) {
  auto feed = spawn<Feed>({});
  auto sum = spawn<Reader>({}, feed).ask(ReadDrip{}, 10s);
  run();
  for (const int value : {1, 2, 3, 99}) {
    EXPECT_EQ(feed.tell(Next{value}), base::Outcome::accepted);
    run();
  }
  EXPECT_EQ(sum.get().value(), "105");
}

TEST_F(ReplyStreamTest, SilentWriterFailsTheStreamAfterItsTime) {
  auto feed = spawn<Feed>({});
  auto sum = spawn<Reader>({}, feed).ask(ReadDrip{}, 10s);
  run();
  (void)feed.tell(Next{7});
  run();
  advance(1s);
  EXPECT_EQ(sum.get().value(),
            "7 then may_have_run (expired): no item of the stream within its time");
}

TEST_F(ReplyStreamTest, StreamFailsWhenTheAnsweringActorCrashes) {
  auto feed = spawn<Feed>({});
  auto sum = spawn<Reader>({}, feed).ask(ReadDrip{}, 10s);
  run();
  (void)feed.tell(Next{5});
  (void)feed.tell(Next{-1});
  run();
  EXPECT_EQ(sum.get().value(),
            "5 then may_have_run (stopped): the actor let go of the stream before its end");
}

TEST_F(ReplyStreamTest, StreamFailsWhenTheAnsweringActorIsStopped) {
  auto feed = spawn<Feed>({});
  auto sum =
      spawn<Reader>({}, feed).ask(Read{.end = 1'000'000, .take = 1'000'000, .window = 1}, 10s);
  for (int i = 0; i < 100; ++i) {
    (void)world.step();
  }
  system.stop(feed);
  run();
  EXPECT_NE(sum.get().value().find(" then may_have_run (stopped)"), std::string::npos);
}

TEST_F(ReplyStreamTest, WriterIsToldWhenTheAskingActorIsStopped) {
  auto feed = spawn<Feed>({});
  auto reader = spawn<Reader>({}, feed);
  auto sum = reader.ask(Read{.end = 1'000'000, .window = 4}, 10s);
  for (int i = 0; i < 100; ++i) {
    (void)world.step();
  }
  system.stop(reader);
  run();
  EXPECT_EQ(sum.get().error().kind, AskError::Kind::may_have_run);
  EXPECT_GE(ask(feed, Written{}).value(), 1'000'000);
  EXPECT_EQ(system.actor_count(), 1U);
}

TEST_F(ReplyStreamTest, WaitForAnItemEndsWithItsActor) {
  auto feed = spawn<Feed>({});
  auto reader = spawn<Reader>({}, feed);
  auto sum = reader.ask(ReadDrip{}, 10s);
  const std::size_t before = system.timers().size();
  run();
  EXPECT_GT(system.timers().size(), before + 1);
  system.stop(reader);
  run();
  EXPECT_EQ(system.timers().size(), before + 1);  // for the deadline of what the reader asked
  EXPECT_FALSE(sum.get().ok());
}

TEST_F(ReplyStreamTest, StreamThatNobodyReadsIsGivenUp) {
  auto feed = spawn<Feed>({});
  auto stream = feed.ask(CountTo{10}, 1s);
  run();
  EXPECT_TRUE(stream.get().ok());
  EXPECT_EQ(system.actor_count(), 2U);
  advance(stream_open_max + 1s);
  EXPECT_EQ(ask(feed, Written{}).value(), 1'000'000);
  EXPECT_EQ(system.actor_count(), 1U);
}

TEST_F(ReplyStreamTest, TellHasNobodyToStreamTo) {
  auto feed = spawn<Feed>({});
  (void)feed.tell(CountTo{10});
  EXPECT_EQ(ask(feed, Written{}).value(), 1'000'000);
}

// Pools whose workers answer with streams.

/// One item every 10 ms.
struct CountSlowly {
  using Reply = Stream<std::int64_t>;
  std::int64_t end = 0;
  TROUPE_MESSAGE(CountSlowly, end)
};
struct CountOn {
  TROUPE_MESSAGE(CountOn)
};

class Counter : public Actor {
 public:
  using Protocol = actors::Protocol<CountTo, CountSlowly, CountOn>;
  Task<> on(CountTo m, StreamWriter<std::int64_t> to) {
    if (m.end < 0) {
      throw Refusal{"backwards"};
    }
    for (std::int64_t i = 0; i < m.end; ++i) {
      auto write = to.write(i);
      if (co_await write != base::Outcome::accepted) {
        co_return;
      }
    }
    to.finish();
  }
  void on(const CountSlowly& m, StreamWriter<std::int64_t> to) {
    to_.emplace(std::move(to));
    end_ = m.end;
    after(10ms, CountOn{});
  }
  void on(const CountOn&) {
    if (next_ == end_) {
      to_->finish();
    } else if (to_->try_write(next_) != base::Outcome::stopped) {
      ++next_;
      after(10ms, CountOn{});
    }
  }

 private:
  std::optional<StreamWriter<std::int64_t>> to_;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
};

struct Sum {
  using Reply = std::string;
  std::int64_t end = 0;
  bool is_slow = false;
  TROUPE_MESSAGE(Sum, end, is_slow)
};
class PoolReader : public Actor {
 public:
  using Protocol = actors::Protocol<Sum>;
  explicit PoolReader(PoolRef<Counter> pool) : pool_(std::move(pool)) {}
  Task<std::string> on(Sum m) {
    auto asking = m.is_slow ? pool_.ask(CountSlowly{m.end}, 1s) : pool_.ask(CountTo{m.end}, 1s);
    auto opened = co_await asking;
    if (!opened.ok()) {
      co_return opened.error().text();
    }
    StreamReader<std::int64_t> reader{opened.value(), {.window = 4, .item_max = 1s}};
    std::int64_t sum = 0;
    for (;;) {
      auto next = reader.next();
      const auto item = co_await next;
      if (!item.ok()) {
        co_return item.error().text();
      }
      if (!item.value()) {
        co_return std::to_string(sum);
      }
      sum += **item;
    }
  }

 private:
  PoolRef<Counter> pool_;
};

class PoolStreams : public testing::SteppedTest {
 protected:
  const PoolRef<Counter> pool = spawn_pool<Counter>(system, {.workers = 2}).value();
  const ActorRef<PoolReader> reader = spawn<PoolReader>({}, pool);
};

TEST_F(PoolStreams, AWorkerAnswersWithAStream) {
  EXPECT_EQ(ask(reader, Sum{100}).value(), "4950");
  EXPECT_EQ(ask(reader, Sum{-1}).value(), "backwards");
  EXPECT_EQ(ask(reader, Sum{10, true}).value(), "45");
}

TEST_F(PoolStreams, AWorkerTooManyFinishesItsStreams) {
  auto slow = reader.ask(Sum{10, true}, 60s);
  advance(20ms);
  pool.resize(0);
  advance(1s);
  EXPECT_EQ(slow.get().value(), "45");
  EXPECT_EQ(system.actor_count(), 2U);
}

}  // namespace
}  // namespace troupe::actors
