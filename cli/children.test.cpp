#include "cli/children.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "cli/free_ports.hpp"

namespace troupe::cli {
namespace {

ChildCommand shell(const std::string& name, const std::string& script) {
  return {name, {"/bin/sh", "-c", script}};
}

std::vector<ChildEnd> wait_for_all(Children& children) {
  std::vector<ChildEnd> ended;
  while (children.running() > 0) {
    children.wait();
  }
  return children.take_ended();
}

TEST(Children, TellHowTheyEnded) {
  Children children;
  ASSERT_TRUE(children.start(shell("a", "exit 3")).ok());
  auto ended = wait_for_all(children);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].name, "a");
  EXPECT_EQ(ended[0].how, "exit code 3");
  ASSERT_TRUE(children.start(shell("b", "kill -9 $$")).ok());
  ended = wait_for_all(children);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].how, "signal 9");
  EXPECT_FALSE(children.stop_requested());
}

TEST(Children, StopWhenThisProgramIsTold) {
  Children children;
  ASSERT_TRUE(children.start({"a", {"/usr/bin/tail", "-f", "/dev/null"}}).ok());
  ASSERT_TRUE(children.start({"b", {"/usr/bin/tail", "-f", "/dev/null"}}).ok());
  EXPECT_EQ(children.running(), 2U);
  std::raise(SIGINT);
  const auto ended = wait_for_all(children);
  EXPECT_TRUE(children.stop_requested());
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0].how, "signal 15");
}

TEST(Children, ThatDoNotStopAreKilledBySecondSignal) {
  Children children;
  ASSERT_TRUE(children.start(shell("deaf", "trap '' TERM; exec tail -f /dev/null")).ok());
  children.stop();
  children.stop();
  const auto ended = wait_for_all(children);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_TRUE(ended[0].how == "signal 9" || ended[0].how == "signal 15") << ended[0].how;
}

TEST(Children, DoNotOutliveTheirOwner) {
  {
    Children children;
    ASSERT_TRUE(children.start({"a", {"/usr/bin/tail", "-f", "/dev/null"}}).ok());
  }
  Children others;
  EXPECT_EQ(others.running(), 0U);
  others.poll();
  EXPECT_TRUE(others.take_ended().empty());
}

TEST(Children, OfAMissingProgramAreRefused) {
  Children children;
  const auto started = children.start({"a", {"/no/such/program"}});
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, base::Errc::not_found);
  EXPECT_EQ(children.running(), 0U);
}

TEST(FreePorts, AreDifferentAndCanBeAskedForInARow) {
  const auto ports = free_ports(3, 1);  // port 1 is never free or never allowed for all three
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_EQ(std::set(ports.begin(), ports.end()).size(), 3U);
  const auto row = ports_from(1, ports[0]);
  ASSERT_EQ(row.size(), 1U);
  EXPECT_EQ(row[0], ports[0]);
  EXPECT_TRUE(ports_from(3, 65534).empty());
}

}  // namespace
}  // namespace troupe::cli
