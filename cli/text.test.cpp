#include <gtest/gtest.h>

#include "cli/duration.hpp"
#include "cli/servers.hpp"

namespace troupe::cli {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsUnits) {
  EXPECT_EQ(parse_duration("500ms"), base::Duration{500ms});
  EXPECT_EQ(parse_duration("2s"), base::Duration{2s});
  EXPECT_EQ(parse_duration("1.5s"), base::Duration{1500ms});
  EXPECT_EQ(parse_duration("3"), base::Duration{3s});
  EXPECT_EQ(parse_duration("2m"), base::Duration{2min});
  EXPECT_EQ(parse_duration("1h"), base::Duration{1h});
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text : {"", "s", "0", "-1s", "5 s", "5d", "5sec", "nan", "inf", "25h", "1e3s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, IsShownForAPerson) {
  EXPECT_EQ(duration_text(800ms), "800 ms");
  EXPECT_EQ(duration_text(12800ms), "12.8 s");
  EXPECT_EQ(duration_text(5s), "5 s");
  EXPECT_EQ(duration_text(3min), "3 min");
}

TEST(Figures, AreShort) {
  EXPECT_EQ(figure_text(-1), "-");
  EXPECT_EQ(figure_text(412), "412");
  EXPECT_EQ(figure_text(8100), "8.1k");
  EXPECT_EQ(figure_text(2000000), "2.0M");
  EXPECT_EQ(figure_text(3000000000), "3.0G");
  EXPECT_EQ(uptime_text(-1), "-");
  EXPECT_EQ(uptime_text(45000), "45s");
  EXPECT_EQ(uptime_text(125000), "2m05s");
  EXPECT_EQ(uptime_text(7980000), "2h13m");
  EXPECT_EQ(uptime_text(273600000), "3d4h");
}

TEST(Servers, AreReadWithAndWithoutSchemeAndPort) {
  const auto servers = parse_servers("127.0.0.1:7401,tcp://n2,n3.local:1,[::1]:7400,[::1]");
  ASSERT_TRUE(servers.ok()) << servers.error().text();
  EXPECT_EQ(*servers,
            (std::vector<std::string>{"tcp://127.0.0.1:7401", "tcp://n2:7400", "tcp://n3.local:1",
                                      "tcp://[::1]:7400", "tcp://[::1]:7400"}));
  EXPECT_EQ(servers_text({"tcp://a:1", "tcp://b:2"}), "a:1, b:2");
}

TEST(Servers, NameThePartThatIsWrong) {
  for (const char* text : {"", "a,,b", "a:", "a:0", "a:65536", "a:x", "http://a:1", "a b", ":7400",
                           "a:1,", "ipc:///tmp/x"}) {
    EXPECT_FALSE(parse_servers(text).ok()) << text;
  }
  EXPECT_EQ(parse_servers("a,b:x").error().context, "'b:x' is not HOST or HOST:PORT");
}

}  // namespace
}  // namespace troupe::cli
