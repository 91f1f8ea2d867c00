#include "node/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

namespace troupe::node {
namespace {

TEST(SignalWait, ReturnsTheSignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    SignalWait signals;
    ::kill(::getpid(), number);
    EXPECT_EQ(signals.wait(), number);
  }
}

TEST(SignalWait, ReturnsZeroWhenWokenByAnotherThread) {
  SignalWait signals;
  std::thread other{[&] { signals.wake(); }};
  EXPECT_EQ(signals.wait(), 0);
  other.join();
}

TEST(SignalWait, AWakeUpSticks) {
  SignalWait signals;
  signals.wake();
  EXPECT_EQ(signals.wait(), 0);
  EXPECT_EQ(signals.wait(), 0);
}

TEST(SignalWait, OneSignalEndsTheWaitingOfAll) {
  SignalWait first;
  SignalWait second;
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(first.wait(), SIGTERM);
  EXPECT_EQ(second.wait(), SIGTERM);
}

TEST(SignalWaitDeathTest, ASecondSignalEndsTheProgramAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        SignalWait signals;
        ::raise(SIGTERM);
        (void)signals.wait();
        ::raise(SIGINT);
      },
      testing::ExitedWithCode(130), "");
}

TEST(SignalWaitDeathTest, GivesTheSignalsBack) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        { SignalWait signals; }
        ::raise(SIGTERM);
      },
      testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace troupe::node
