#include "node/incarnation.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace troupe::node {
namespace {

class IncarnationTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  std::string directory;
};

TEST_F(IncarnationTest, IsTheTimeWithoutADirectory) {
  EXPECT_EQ(next_incarnation("", 1000).value(), 1000U);
}

TEST_F(IncarnationTest, GrowsAlsoWhenTheClockGoesBack) {
  EXPECT_EQ(next_incarnation(directory + "/made", 1000).value(), 1000U);
  EXPECT_EQ(next_incarnation(directory + "/made", 10).value(), 1001U);
  EXPECT_EQ(next_incarnation(directory + "/made", 1001).value(), 1002U);
  EXPECT_EQ(next_incarnation(directory + "/made", 5000).value(), 5000U);
}

TEST_F(IncarnationTest, SaysWhatToDoWhenTheDirectoryCannotBeMade) {
  const auto refused = next_incarnation("/proc/nothing/here", 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::Errc::invalid_argument);
  EXPECT_NE(refused.error().context.find("leave --data out"), std::string::npos);
}

}  // namespace
}  // namespace troupe::node
