#include "base/suggest.hpp"

#include <gtest/gtest.h>

namespace troupe::base {
namespace {

TEST(Suggest, FindsWhatWasMostLikelyMeant) {
  const std::vector<std::string> known{"listen", "labels", "log-level", "insecure"};
  EXPECT_EQ(closest("lisetn", known), "listen");
  EXPECT_EQ(closest("loglevel", known), "log-level");
  EXPECT_EQ(closest("INSECURE", known), "insecure");
  EXPECT_EQ(did_you_mean("label", known), "did you mean 'labels'?");
}

TEST(Suggest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(closest("colour", {"listen", "data"}), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
  EXPECT_EQ(closest(std::string(1000, 'a'), {"a"}), "");
}

}  // namespace
}  // namespace troupe::base
