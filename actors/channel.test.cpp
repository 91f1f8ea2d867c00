#include "actors/channel.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

/// Stands for Suspension: what is woken goes on when run_woken() says so.
class TestWake {
 public:
  TestWake() = default;
  static TestWake of_current_actor(std::coroutine_handle<> waiting) { return TestWake{waiting}; }
  void resume() const { woken().push_back(waiting_); }
  explicit operator bool() const { return static_cast<bool>(waiting_); }

  static std::deque<std::coroutine_handle<>>& woken() {
    static std::deque<std::coroutine_handle<>> handles;
    return handles;
  }
  static void run_woken() {
    while (!woken().empty()) {
      const std::coroutine_handle<> next = woken().front();
      woken().pop_front();
      next.resume();
    }
  }

 private:
  explicit TestWake(std::coroutine_handle<> waiting) : waiting_(waiting) {}
  std::coroutine_handle<> waiting_;
};

/// A coroutine that starts at once; destroying it while it waits is the actor's stop.
class Coroutine {
 public:
  struct promise_type {
    Coroutine get_return_object() {
      return Coroutine{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  Coroutine(Coroutine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;
  ~Coroutine() { stop(); }
  void stop() {
    if (handle_) {
      std::erase(TestWake::woken(), std::coroutine_handle<>{handle_});
      std::exchange(handle_, nullptr).destroy();
    }
  }
  [[nodiscard]] bool is_done() const { return handle_.done(); }

 private:
  explicit Coroutine(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
using TestChannel = Channel<T, TestWake>;
using Text = std::unique_ptr<std::string>;
using Notes = std::vector<std::string>;

Text text(std::string value) {
  return std::make_unique<std::string>(std::move(value));
}

Coroutine send_one(TestChannel<Text> channel, std::string value, Notes& notes) {
  const bool sent = co_await channel.send(text(value));
  notes.push_back((sent ? "sent " : "refused ") + value);
}

Coroutine receive_one(TestChannel<Text> channel, std::string who, Notes& notes) {
  const std::optional<Text> value = co_await channel.receive();
  notes.push_back(who + " got " + (value ? **value : "nothing"));
}

TEST(Channel, GivesValuesInOrderUpToItsCapacity) {
  const TestChannel<int> channel{2};
  EXPECT_TRUE(channel.try_send(1));
  EXPECT_TRUE(channel.try_send(2));
  EXPECT_FALSE(channel.try_send(3));
  EXPECT_EQ(channel.size(), 2U);
  EXPECT_EQ(channel.capacity(), 2U);
  EXPECT_EQ(channel.try_receive(), 1);
  EXPECT_EQ(channel.try_receive(), 2);
  EXPECT_EQ(channel.try_receive(), std::nullopt);
}

TEST(Channel, LeavesARefusedValueUntouched) {
  const TestChannel<Text> channel{1};
  EXPECT_TRUE(channel.try_send(text("a")));
  Text kept = text("b");
  EXPECT_FALSE(channel.try_send(std::move(kept)));
  EXPECT_EQ(*kept, "b");
  channel.close();
  EXPECT_FALSE(channel.try_send(std::move(kept)));
  EXPECT_EQ(*kept, "b");
}

TEST(Channel, IsTheSameChannelInEachCopy) {
  const TestChannel<int> channel{1};
  const TestChannel<int> copy = channel;
  EXPECT_TRUE(channel.try_send(1));
  EXPECT_EQ(copy.size(), 1U);
  copy.close();
  EXPECT_TRUE(channel.is_closed());
}

TEST(Channel, GivesWhatIsLeftAfterCloseAndThenNothing) {
  Notes notes;
  const TestChannel<Text> channel{2};
  EXPECT_TRUE(channel.try_send(text("a")));
  channel.close();
  channel.close();
  EXPECT_FALSE(channel.try_send(text("b")));
  EXPECT_FALSE(channel.send_blocking(text("c")));
  const Coroutine sender = send_one(channel, "d", notes);
  const Coroutine first = receive_one(channel, "first", notes);
  const Coroutine second = receive_one(channel, "second", notes);
  EXPECT_FALSE(channel.receive_blocking());
  EXPECT_EQ(notes, (Notes{"refused d", "first got a", "second got nothing"}));
}

TEST(Channel, DoesNotSuspendWhereNobodyHasToWait) {
  Notes notes;
  const TestChannel<Text> channel{1};
  const Coroutine sender = send_one(channel, "a", notes);
  const Coroutine receiver = receive_one(channel, "r", notes);
  EXPECT_TRUE(sender.is_done() && receiver.is_done());
  EXPECT_EQ(notes, (Notes{"sent a", "r got a"}));
}

TEST(Channel, WakesReceiversInTheOrderOfComing) {
  Notes notes;
  const TestChannel<Text> channel{1};
  const Coroutine first = receive_one(channel, "first", notes);
  const Coroutine second = receive_one(channel, "second", notes);
  EXPECT_TRUE(channel.try_send(text("a")));
  EXPECT_TRUE(channel.try_send(text("b")));
  EXPECT_EQ(channel.size(), 0U);
  TestWake::run_woken();
  EXPECT_EQ(notes, (Notes{"first got a", "second got b"}));
}

TEST(Channel, LetsWaitingSendersInWithTheirValuesInOrder) {
  Notes notes;
  const TestChannel<Text> channel{1};
  const Coroutine a = send_one(channel, "a", notes);
  const Coroutine b = send_one(channel, "b", notes);
  const Coroutine c = send_one(channel, "c", notes);
  EXPECT_EQ(notes, (Notes{"sent a"}));
  EXPECT_EQ(**channel.try_receive(), "a");
  EXPECT_FALSE(channel.try_send(text("overtakes")));
  EXPECT_EQ(**channel.try_receive(), "b");
  EXPECT_EQ(**channel.try_receive(), "c");
  TestWake::run_woken();
  EXPECT_EQ(notes, (Notes{"sent a", "sent b", "sent c"}));
}

TEST(Channel, HandsOverDirectlyWithoutCapacity) {
  Notes notes;
  const TestChannel<Text> channel{0};
  EXPECT_FALSE(channel.try_send(text("nobody waits")));
  const Coroutine sender = send_one(channel, "a", notes);
  EXPECT_FALSE(sender.is_done());
  EXPECT_EQ(channel.size(), 0U);
  const Coroutine first = receive_one(channel, "first", notes);
  const Coroutine second = receive_one(channel, "second", notes);
  EXPECT_TRUE(channel.try_send(text("b")));
  TestWake::run_woken();
  EXPECT_EQ(notes, (Notes{"first got a", "sent a", "second got b"}));
}

TEST(Channel, EndsAllWaitingAtClose) {
  Notes notes;
  const TestChannel<Text> full{0};
  const TestChannel<Text> empty{1};
  const Coroutine a = send_one(full, "a", notes);
  const Coroutine b = send_one(full, "b", notes);
  const Coroutine r = receive_one(empty, "r", notes);
  full.close();
  empty.close();
  TestWake::run_woken();
  EXPECT_EQ(notes, (Notes{"refused a", "refused b", "r got nothing"}));
}

TEST(Channel, ForgetsASenderThatIsStoppedWhileItWaits) {
  Notes notes;
  const TestChannel<Text> channel{0};
  Coroutine a = send_one(channel, "a", notes);
  Coroutine b = send_one(channel, "b", notes);
  const Coroutine c = send_one(channel, "c", notes);
  b.stop();
  a.stop();
  EXPECT_EQ(**channel.try_receive(), "c");
  EXPECT_FALSE(channel.try_receive());
}

TEST(Channel, ForgetsAReceiverThatIsStoppedWhileItWaits) {
  Notes notes;
  const TestChannel<Text> channel{1};
  Coroutine first = receive_one(channel, "first", notes);
  const Coroutine second = receive_one(channel, "second", notes);
  first.stop();
  EXPECT_TRUE(channel.try_send(text("a")));
  TestWake::run_woken();
  EXPECT_EQ(notes, (Notes{"second got a"}));
}

TEST(Channel, LosesNoValueThatWasGivenToAReceiverStoppedBeforeItWoke) {
  Notes notes;
  const TestChannel<Text> channel{1};
  Coroutine first = receive_one(channel, "first", notes);
  EXPECT_TRUE(channel.try_send(text("a")));
  EXPECT_TRUE(channel.try_send(text("b")));
  first.stop();
  EXPECT_EQ(channel.size(), 2U);
  EXPECT_EQ(**channel.try_receive(), "a");
  EXPECT_EQ(**channel.try_receive(), "b");

  Coroutine second = receive_one(channel, "second", notes);
  const Coroutine third = receive_one(channel, "third", notes);
  EXPECT_TRUE(channel.try_send(text("c")));
  second.stop();
  TestWake::run_woken();
  EXPECT_EQ(notes, (Notes{"third got c"}));
}

TEST(Channel, OutlivesItsHandlesWhileSomeoneWaits) {
  Notes notes;
  auto channel = std::make_unique<TestChannel<Text>>(1);
  const auto wait = [](TestChannel<Text>& from, Notes& to) -> Coroutine {
    auto value = co_await from.receive();
    to.push_back(value ? "value" : "nothing");
  };
  {
    const Coroutine waiting = wait(*channel, notes);
    channel.reset();
    EXPECT_FALSE(waiting.is_done());
  }
  EXPECT_TRUE(notes.empty());
}

TEST(Channel, MovesEveryValueOnceBetweenPlainThreads) {
  for (const std::size_t capacity : {0U, 1U, 8U}) {
    const TestChannel<int> channel{capacity};
    constexpr int a_sender = 500;
    std::vector<std::vector<int>> received(2);
    std::vector<std::thread> receivers;
    for (auto& into : received) {
      receivers.emplace_back([&channel, &into] {
        while (const std::optional<int> value = channel.receive_blocking()) {
          into.push_back(*value);
        }
      });
    }
    std::vector<std::thread> senders;
    for (int sender = 0; sender < 2; ++sender) {
      senders.emplace_back([&channel, sender] {
        for (int i = 0; i < a_sender; ++i) {
          EXPECT_TRUE(channel.send_blocking(sender * a_sender + i));
        }
      });
    }
    for (auto& sender : senders) {
      sender.join();
    }
    channel.close();
    for (auto& receiver : receivers) {
      receiver.join();
    }
    std::vector<int> times(2 * a_sender, 0);
    for (const auto& one : received) {
      int last[2] = {-1, -1};
      for (const int value : one) {
        ++times[static_cast<std::size_t>(value)];
        EXPECT_GT(value, last[value / a_sender]);
        last[value / a_sender] = value;
      }
    }
    EXPECT_EQ(times, std::vector<int>(2 * a_sender, 1));
  }
}

TEST(Channel, ReleasesBlockedThreadsAtClose) {
  const TestChannel<int> full{0};
  const TestChannel<int> empty{1};
  std::thread sender([&] { EXPECT_FALSE(full.send_blocking(1)); });
  std::thread receiver([&] { EXPECT_FALSE(empty.receive_blocking()); });
  full.close();
  empty.close();
  sender.join();
  receiver.join();
}

}  // namespace
}  // namespace troupe::actors
