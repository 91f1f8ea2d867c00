#include "transport/memory_network.hpp"

#include <gtest/gtest.h>

#include "base/mutex.hpp"
#include "transport/testing/recording_sink.hpp"
#include "transport/testing/seed.hpp"

namespace troupe::transport {
namespace {

using namespace std::chrono_literals;
using testing::RecordingSink;

struct World {
  explicit World(std::uint64_t seed, MemoryNetworkOptions options = {})
      : network(base::Random{seed}, options) {}

  struct Node {
    std::string address;
    RecordingSink sink;
    std::unique_ptr<Transport> transport;
  };

  Node& add(const std::string& name, std::uint64_t incarnation = 1,
            const std::string& cluster = "c") {
    auto node = std::make_unique<Node>();
    node->address = "tcp://" + name + ":1";
    node->transport = network.make_transport(node->address, clock);
    const auto started = node->transport->start(
        {.cluster = cluster, .id = {name, incarnation}, .types = {7}, .labels = {{"zone", "a"}}},
        node->sink);
    EXPECT_TRUE(started.ok());
    nodes.push_back(std::move(node));
    return *nodes.back();
  }

  void run(base::Duration time) {
    const base::TimePoint end = clock.now() + time;
    while (network.next_event() <= end) {
      clock.set(std::max(clock.now(), network.next_event()));
      network.run_until(clock.now());
    }
    clock.set(end);
  }

  base::ManualClock clock;
  MemoryNetwork network;
  std::vector<std::unique_ptr<Node>> nodes;
};

base::Bytes number(std::uint64_t value) {
  base::Bytes bytes;
  base::put_fixed(bytes, value);
  return bytes;
}

TEST(MemoryNetwork, BringsTwoNodesUpForEachOther) {
  World world{1};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  EXPECT_EQ(a.sink.state().ups, std::vector<std::string>{"b#1"});
  EXPECT_EQ(b.sink.state().ups, std::vector<std::string>{"a#1"});
  EXPECT_TRUE(a.sink.state().connected.at("b#1"));
  EXPECT_TRUE(b.sink.state().connected.at("a#1"));
  const PeerInfo& info = b.sink.link("a")->peer();
  EXPECT_EQ(info.address, a.address);
  EXPECT_EQ(info.types, std::vector<std::uint64_t>{7});
  EXPECT_EQ(info.labels.at("zone"), "a");
  EXPECT_FALSE(info.is_client);
}

TEST(MemoryNetwork, CarriesRecordsBothWays) {
  World world{1};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  EXPECT_EQ(a.sink.link("b")->send(Lane::data, base::as_bytes("hello")), base::Outcome::accepted);
  world.run(1ms);
  EXPECT_EQ(b.sink.state().records, std::vector<std::string>{"hello"});
  EXPECT_EQ(b.sink.link("a")->send(Lane::control, base::as_bytes("and back")),
            base::Outcome::accepted);
  world.run(1ms);
  EXPECT_EQ(a.sink.state().records, std::vector<std::string>{"and back"});
}

TEST(MemoryNetwork, TellsOfRoomAfterItRefusedANotice) {
  World world{1, {.engine = {.outbox = {.bytes_max = 200, .notice_bytes_max = 100}}}};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  const auto link = a.sink.link("b");
  EXPECT_EQ(link->send(Lane::data, base::Bytes(150)), base::Outcome::accepted);
  EXPECT_EQ(link->send(Lane::data, base::Bytes(50)), base::Outcome::mailbox_full);
  EXPECT_EQ(link->send_notice(base::Bytes(50)), base::Outcome::accepted);
  world.run(1s);
  EXPECT_EQ(a.sink.state().rooms, 0U);
  EXPECT_EQ(link->send_notice(base::Bytes(250)), base::Outcome::accepted);
  EXPECT_EQ(link->send_notice(base::Bytes(50)), base::Outcome::mailbox_full);
  world.run(1s);
  EXPECT_EQ(a.sink.state().rooms, 1U);
  EXPECT_EQ(link->send_notice(base::Bytes(50)), base::Outcome::accepted);
}

TEST(MemoryNetwork, TellsWhoCannotBeReachedAndConnectsOnceItIsThere) {
  World world{1};
  auto& a = world.add("a");
  a.transport->connect("tcp://b:1");
  world.run(5s);
  ASSERT_TRUE(a.sink.state().unreachable.contains("tcp://b:1"));
  EXPECT_EQ(a.sink.state().unreachable.at("tcp://b:1").code, base::Errc::unavailable);
  world.add("b");
  world.run(5s);
  EXPECT_EQ(a.sink.state().ups, std::vector<std::string>{"b#1"});
}

TEST(MemoryNetwork, StopsTryingAForgottenAddress) {
  World world{1};
  auto& a = world.add("a");
  a.transport->connect("tcp://b:1");
  world.run(1s);
  a.transport->forget("tcp://b:1");
  world.run(1s);
  world.add("b");
  world.run(10s);
  EXPECT_TRUE(a.sink.state().ups.empty());
}

TEST(MemoryNetwork, RefusesAnotherClustersNodeWithBothNames) {
  World world{1};
  auto& a = world.add("a", 1, "shop2");
  auto& b = world.add("b", 1, "shop");
  a.transport->connect(b.address);
  world.run(3s);
  ASSERT_TRUE(a.sink.state().unreachable.contains(b.address));
  const base::Error error = a.sink.state().unreachable.at(b.address);
  EXPECT_EQ(error.code, base::Errc::cluster_mismatch);
  EXPECT_EQ(error.context, "cluster name is 'shop', you said 'shop2'");
  EXPECT_TRUE(b.sink.state().ups.empty());
  EXPECT_GT(b.transport->counters().connections_refused, 0U);
}

TEST(MemoryNetwork, ConnectingToOneselfIsNoPeerAndNoError) {
  World world{1};
  auto& a = world.add("a");
  a.transport->connect(a.address);
  world.run(5s);
  EXPECT_TRUE(a.sink.state().ups.empty());
  EXPECT_TRUE(a.sink.state().unreachable.empty());
}

TEST(MemoryNetwork, LosesNothingWhenConnectionsBreak) {
  const std::uint64_t seed = testing::test_seed(11);
  World world{seed};
  base::Random random{seed + 1};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.sink.keep_records = b.sink.keep_records = false;
  a.transport->connect(b.address);
  world.run(1s);
  constexpr std::uint64_t count = 10'000;
  for (std::uint64_t i = 0; i < count;) {
    for (std::uint64_t burst = 1 + random.below(50); burst > 0 && i < count; --burst, ++i) {
      ASSERT_EQ(a.sink.link("b")->send(Lane::data, number(i)), base::Outcome::accepted);
      ASSERT_EQ(b.sink.link("a")->send(Lane::data, number(i)), base::Outcome::accepted);
      ASSERT_EQ(b.sink.link("a")->send(Lane::control, number(i)), base::Outcome::accepted);
    }
    if (random.chance(0.1)) {
      world.network.break_connection(a.address, b.address);
    }
    world.run(base::Duration{static_cast<std::int64_t>(random.below(2'000'000))});
  }
  world.run(30s);
  EXPECT_EQ(a.sink.state().records_received, 2 * count);
  EXPECT_EQ(b.sink.state().records_received, count);
  EXPECT_EQ(a.sink.state().out_of_order + b.sink.state().out_of_order, 0U);
  EXPECT_GT(a.transport->counters().frames_resent, 0U);
  EXPECT_TRUE(a.sink.state().downs.empty());
}

TEST(MemoryNetwork, LosesNothingInAPartitionThatHeals) {
  World world{3};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.sink.keep_records = b.sink.keep_records = false;
  a.transport->connect(b.address);
  world.run(1s);
  std::uint64_t i = 0;
  for (const Direction direction : {Direction::both, Direction::one_way}) {
    for (const auto time : {1s, 20s}) {
      world.network.partition(a.address, b.address, direction);
      for (int n = 0; n < 100; ++n, ++i) {
        ASSERT_EQ(a.sink.link("b")->send(Lane::data, number(i)), base::Outcome::accepted);
        ASSERT_EQ(b.sink.link("a")->send(Lane::data, number(i)), base::Outcome::accepted);
        world.run(time / 100);
      }
      EXPECT_LT(b.sink.state().records_received, i);
      world.network.heal();
      world.run(10s);
      EXPECT_EQ(a.sink.state().records_received, i);
      EXPECT_EQ(b.sink.state().records_received, i);
    }
  }
  EXPECT_EQ(a.sink.state().out_of_order + b.sink.state().out_of_order, 0U);
}

TEST(MemoryNetwork, NoticesAPeerThatStandsStillAndGoesOnWhenItWakes) {
  World world{3};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  world.network.freeze(b.address);
  EXPECT_EQ(a.sink.link("b")->send(Lane::data, base::as_bytes("x")), base::Outcome::accepted);
  world.run(20s);
  EXPECT_FALSE(a.sink.state().connected.at("b#1"));
  world.network.thaw(b.address);
  world.run(20s);
  EXPECT_TRUE(a.sink.state().connected.at("b#1"));
  EXPECT_EQ(b.sink.state().records, std::vector<std::string>{"x"});
}

TEST(MemoryNetwork, HandsBackWhatACrashedPeerDidNotAcknowledge) {
  World world{5};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  world.network.crash(b.address);
  const auto link = a.sink.link("b");
  EXPECT_EQ(link->send(Lane::data, base::as_bytes("one")), base::Outcome::accepted);
  EXPECT_EQ(link->send(Lane::control, base::as_bytes("two")), base::Outcome::accepted);
  world.run(1s);
  EXPECT_FALSE(a.sink.state().connected.at("b#1"));
  EXPECT_EQ(link->send(Lane::data, base::as_bytes("three")), base::Outcome::accepted);
  a.transport->disconnect({"b", 1}, "no heartbeat");
  world.run(1s);
  const auto state = a.sink.state();
  ASSERT_EQ(state.downs.size(), 1U);
  EXPECT_EQ(state.downs[0].second, "no heartbeat");
  EXPECT_EQ(state.undelivered.at("b#1"), (std::vector<std::string>{"two", "one", "three"}));
  EXPECT_EQ(link->send(Lane::data, base::as_bytes("four")), base::Outcome::node_lost);
  EXPECT_TRUE(b.sink.state().downs.empty());
}

TEST(MemoryNetwork, ARestartUnderTheSameNameReplacesTheOldIncarnation) {
  World world{5};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  const auto old_link = a.sink.link("b");
  world.network.crash(b.address);
  EXPECT_EQ(old_link->send(Lane::data, base::as_bytes("for the old one")), base::Outcome::accepted);
  world.run(1s);
  auto& b2 = world.add("b", 2);
  world.run(5s);
  const auto state = a.sink.state();
  EXPECT_EQ(state.ups, (std::vector<std::string>{"b#1", "b#2"}));
  ASSERT_EQ(state.downs.size(), 1U);
  EXPECT_EQ(state.downs[0].first, "b#1");
  EXPECT_EQ(state.undelivered.at("b#1"), std::vector<std::string>{"for the old one"});
  EXPECT_EQ(a.sink.link("b")->send(Lane::data, base::as_bytes("for the new one")),
            base::Outcome::accepted);
  world.run(1s);
  EXPECT_EQ(b2.sink.state().records, std::vector<std::string>{"for the new one"});
}

TEST(MemoryNetwork, AnIncarnationThatWasDeclaredDownIsRefusedForEver) {
  World world{5};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  a.transport->disconnect({"b", 1}, "suspected too long");
  world.run(1s);
  const auto link = b.sink.link("a");
  EXPECT_EQ(link->send(Lane::data, base::as_bytes("am I dead?")), base::Outcome::accepted);
  a.transport->connect(b.address);
  world.run(10s);
  EXPECT_TRUE(a.sink.state().records.empty());
  EXPECT_EQ(a.sink.state().ups.size(), 1U);
  EXPECT_FALSE(b.sink.state().connected.at("a#1"));
  EXPECT_NE(b.sink.state().connection_reasons.back().find("declared down"), std::string::npos);
}

TEST(MemoryNetwork, ALowerIncarnationIsRefused) {
  World world{5};
  auto& a = world.add("a");
  auto& b = world.add("b", 2);
  a.transport->connect(b.address);
  world.run(1s);
  world.network.crash(b.address);
  world.run(1s);
  auto& b1 = world.add("b", 1);
  b1.transport->connect(a.address);
  world.run(5s);
  EXPECT_EQ(a.sink.state().ups, std::vector<std::string>{"b#2"});
  ASSERT_TRUE(b1.sink.state().unreachable.contains(a.address));
  EXPECT_EQ(b1.sink.state().unreachable.at(a.address).context, "b#1 was replaced by incarnation 2");
}

TEST(MemoryNetwork, StoppingWritesWhatIsQueuedAndSaysGoodbye) {
  World world{5};
  auto& a = world.add("a");
  auto& b = world.add("b");
  a.transport->connect(b.address);
  world.run(1s);
  EXPECT_EQ(a.sink.link("b")->send(Lane::data, base::as_bytes("last words")),
            base::Outcome::accepted);
  a.transport->stop(100);
  EXPECT_EQ(a.sink.state().downs.size(), 1U);
  world.run(1s);
  EXPECT_EQ(b.sink.state().records, std::vector<std::string>{"last words"});
  EXPECT_FALSE(b.sink.state().connected.at("a#1"));
}

TEST(MemoryNetwork, TwoTransportsCannotHaveOneAddress) {
  World world{5};
  world.add("a");
  auto second = world.network.make_transport("tcp://a:1", world.clock);
  RecordingSink sink;
  const auto started = second->start({.cluster = "c", .id = {"a2", 1}}, sink);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, base::Errc::address_in_use);
}

std::string story_of(std::uint64_t seed) {
  World world{seed};
  base::Random random{seed};
  std::string story;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    auto& node = world.add(name);
    node.sink.on_each_record = [&world, &story, name](const auto& from, Lane,
                                                      base::ByteView record) {
      story += std::string{name} + from->peer().id.name + std::string{base::as_text(record)} +
               std::to_string(world.clock.now().time_since_epoch().count()) + "\n";
    };
    node.transport->connect(world.nodes[0]->address);
  }
  world.run(1s);
  for (auto& node : world.nodes) {
    for (auto& other : world.nodes) {
      node->transport->connect(other->address);
    }
  }
  for (int i = 0; i < 600; ++i) {
    for (auto& node : world.nodes) {
      node->sink.look([](auto& state) { return state.links; });
      for (const auto& [name, link] : node->sink.state().links) {
        (void)link->send(Lane::control, base::as_bytes("beat"));
      }
    }
    if (i % 20 == 0) {
      world.network.break_connection(world.nodes[random.below(5)]->address,
                                     world.nodes[random.below(5)]->address);
    }
    for (auto& node : world.nodes) {
      node->sink.look([](auto& state) { state.records.clear(); });
    }
    world.run(100ms);
  }
  return story;
}

TEST(MemoryNetwork, EqualSeedsGiveEqualRuns) {
  const std::string first = story_of(1);
  EXPECT_GT(std::count(first.begin(), first.end(), '\n'), 11'000);
  EXPECT_EQ(first, story_of(1));
  EXPECT_NE(first, story_of(2));
}

}  // namespace
}  // namespace troupe::transport
