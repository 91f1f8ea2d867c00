#include "node/metrics.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace troupe::node {
namespace {

/// What a scraper reads: samples by name and labels, and each family's type.
struct Scrape {
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;
  std::set<std::string> helps;

  explicit Scrape(const std::string& text) {
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
      std::istringstream words{line};
      std::string first;
      std::string second;
      std::string name;
      if (line.starts_with("# ")) {
        words >> first >> second >> name;
        if (second == "TYPE") {
          words >> types[name];
        } else {
          helps.insert(name);
        }
        continue;
      }
      const std::size_t space = line.rfind(' ');
      if (space == std::string::npos) {
        ADD_FAILURE() << "no sample: " << line;
        continue;
      }
      std::size_t used = 0;
      const double value = std::stod(line.substr(space + 1), &used);
      EXPECT_EQ(used, line.size() - space - 1) << line;
      EXPECT_TRUE(samples.emplace(line.substr(0, space), value).second) << "twice: " << line;
    }
  }
};

MetricsSnapshot snapshot() {
  MetricsSnapshot s;
  s.version = "0.1.0";
  s.cluster = "demo";
  s.node = "n1";
  s.uptime = std::chrono::milliseconds{2500};
  s.is_ready = true;
  s.actors = 412;
  s.open_asks = 2;
  s.names_held = 7;
  s.ledger.sent = 100;
  s.ledger.delivered = 90;
  s.ledger.in_flight = 4;
  s.ledger.dead[static_cast<std::size_t>(base::Outcome::mailbox_full)] = 6;
  s.members = {{"up", 2}, {"suspect", 1}};
  s.transport.frames_sent = 11;
  s.transport.bytes_received = 1234;
  s.transport.frames_duplicate = 3;
  return s;
}

TEST(Metrics, SayWhatTheSnapshotHolds) {
  const Scrape scrape{metrics_text(snapshot())};
  const std::map<std::string, double> expected{
      {"troupe_info{cluster=\"demo\",node=\"n1\",version=\"0.1.0\"}", 1},
      {"troupe_uptime_seconds", 2.5},
      {"troupe_ready", 1},
      {"troupe_members{state=\"up\"}", 2},
      {"troupe_members{state=\"suspect\"}", 1},
      {"troupe_names_held", 7},
      {"troupe_actors", 412},
      {"troupe_asks_open", 2},
      {"troupe_messages_sent_total", 100},
      {"troupe_messages_delivered_total", 90},
      {"troupe_messages_in_flight", 4},
      {"troupe_dead_letters_total{reason=\"mailbox_full\"}", 6},
      {"troupe_dead_letters_total{reason=\"node_lost\"}", 0},
      {"troupe_transport_frames_sent_total", 11},
      {"troupe_transport_received_bytes_total", 1234},
      {"troupe_transport_frames_duplicate_total", 3},
  };
  for (const auto& [name, value] : expected) {
    const auto found = scrape.samples.find(name);
    ASSERT_NE(found, scrape.samples.end()) << name;
    EXPECT_EQ(found->second, value) << name;
  }
}

TEST(Metrics, AreNamedByConvention) {
  const Scrape scrape{metrics_text(snapshot())};
  EXPECT_GT(scrape.types.size(), 20U);
  for (const auto& [name, type] : scrape.types) {
    EXPECT_TRUE(name.starts_with("troupe_")) << name;
    EXPECT_EQ(type == "counter", name.ends_with("_total")) << name;
    EXPECT_TRUE(scrape.helps.contains(name)) << name;
  }
}

TEST(Metrics, EscapeWhatALabelMayNotHold) {
  MetricsSnapshot s = snapshot();
  s.version = "a\"b\\c\nd";
  const std::string text = metrics_text(s);
  EXPECT_NE(text.find(R"(version="a\"b\\c\nd")"), std::string::npos) << text;
}

}  // namespace
}  // namespace troupe::node
