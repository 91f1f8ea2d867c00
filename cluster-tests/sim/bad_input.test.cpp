#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/record.hpp"
#include "cluster-tests/harness/fixture.hpp"
#include "registry/member.hpp"
#include "transport/testing/recording_sink.hpp"

namespace troupe::harness {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::Lane;

class BadInput : public WorldTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.start_all()) << world.differences();
    ASSERT_TRUE(world.start_actor("n1", "tally", tally_options("hits", "n2")).ok());
    world.run_for(seconds{1});
  }
  /// The three still are one cluster and do their work.
  void expect_undisturbed() {
    std::uint64_t number = 1000;
    for (const char* name : {"n1", "n2", "n3"}) {
      ASSERT_TRUE(world.is_running(name));
      std::size_t live = 0;
      for (const auto& member : world.node(name).core().cluster().members()) {
        live += registry::is_live(member) ? 1 : 0;
      }
      EXPECT_EQ(live, 3U) << name;
      EXPECT_TRUE(world.finish(world.node(name).find<Tally>("hits").ask(Put{++number, 1})).ok());
    }
    EXPECT_TRUE(world.ended().empty());
    world.check_ledgers();
  }
};

/// Somebody who speaks the transport's protocol, and then says anything.
class Stranger {
 public:
  Stranger(World& world, const std::string& to)
      : transport_(world.network().make_transport("tcp://stranger:1", world.clock())) {
    transport_->start({.cluster = "sim", .id = {"stranger", 1}}, sink_).value();
    transport_->connect(world.address(to));
    world.run_for(milliseconds{200});
    for (const auto& [name, link] : sink_.state().links) {
      link_ = link;
    }
  }
  ~Stranger() { transport_->stop(0); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  [[nodiscard]] bool is_connected() const { return link_ != nullptr; }
  void say(Lane lane, const base::Bytes& record) { (void)link_->send(lane, record); }

 private:
  transport::testing::RecordingSink sink_;
  std::unique_ptr<transport::Transport> transport_;
  std::shared_ptr<transport::Link> link_;
};

base::Bytes random_bytes(base::Random& random, std::size_t size_max) {
  base::Bytes bytes(random.below(size_max + 1));
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random.next());
  }
  return bytes;
}

/// A well-formed header with a body and numbers that are not.
base::Bytes random_record(base::Random& random, const std::vector<std::uint64_t>& actors) {
  const base::Bytes body = random_bytes(random, 200);
  base::Record record;
  record.kind = static_cast<base::RecordKind>(1 + random.below(8));
  record.type = static_cast<std::uint32_t>(random.chance(0.5) ? base::fnv1a("Put") : random.next());
  record.shape = static_cast<std::uint32_t>(random.next());
  record.target = random.chance(0.7) ? actors[random.below(actors.size())] : random.next();
  record.sender = random.chance(0.5) ? actors[random.below(actors.size())] : random.next();
  record.by_name = random.chance(0.5);
  if (record.kind == base::RecordKind::message) {
    record.request = random.chance(0.5) ? random.next() : 0;
    if (random.chance(0.3)) {
      record.deadline_us = random.next();
    }
    record.wants_receipt = record.request != 0 && random.chance(0.3);
    if (random.chance(0.3)) {
      record.target = 0;
      record.name = random.chance(0.5) ? "hits" : "system/control";
    }
  }
  record.body = body;
  base::Bytes bytes;
  base::encode_record(record, bytes);
  if (random.chance(0.2)) {
    bytes.resize(random.below(bytes.size() + 1));
  }
  return bytes;
}

TEST_F(BadInput, GarbageFromAPeerIsCountedAndIgnored) {
  std::vector<std::uint64_t> actors{1, node::control_actor_id.value, 0,
                                    world.find("n2", "hits")->actor.value,
                                    actors::PendingRequests::request_bit | 1};
  Stranger stranger{world, "n2"};
  ASSERT_TRUE(stranger.is_connected());
  for (int i = 0; i < 5000; ++i) {
    const Lane lane = world.random().chance(0.5) ? Lane::control : Lane::data;
    stranger.say(lane, world.random().chance(0.3) ? random_bytes(world.random(), 100)
                                                  : random_record(world.random(), actors));
    if (i % 50 == 0) {
      world.run_for(milliseconds{5});
    }
  }
  world.run_for(seconds{5});
  EXPECT_GT(world.node("n2").core().router().counters().malformed_records.load(), 0U);
  EXPECT_GT(world.node("n2").core().cluster().stats().malformed, 0U);
  world.run_for(seconds{65});  // what was asked without a deadline is given up by now
  expect_undisturbed();
}

TEST_F(BadInput, AnotherClustersNodeIsRefusedAndToldWhy) {
  node::Node& alien = world.start("alien", {.cluster = "elsewhere"});
  world.run_for(seconds{10});
  EXPECT_FALSE(alien.is_ready());
  EXPECT_NE(alien.health().reason.find("cluster"), std::string::npos) << alien.health().reason;
  expect_undisturbed();
}

TEST_F(BadInput, TheLaterOfTwoProcessesOfOneNameStays) {
  const base::NodeId first = world.node("n3").id();
  world.start("n3", {.address = "tcp://second-n3:7400"});
  ASSERT_TRUE(world.run_until([&] { return !world.is_running("n3"); }, milliseconds{100}));
  EXPECT_TRUE(world.ended().contains(first));
  ASSERT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{10}))
      << world.differences();
  EXPECT_TRUE(world.finish(world.node("n1").find<Tally>("hits").ask(Put{1, 1})).ok());
  EXPECT_EQ(world.ended().size(), 1U);
}

TEST_F(BadInput, ATakenAddressIsAClearError) {
  auto transport = world.network().make_transport(world.address("n1"), world.clock());
  transport::testing::RecordingSink sink;
  const auto started = transport->start({.cluster = "sim", .id = {"x", 1}}, sink);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, base::Errc::address_in_use);
  expect_undisturbed();
}

/// Not more than this is promised of partitions today: of two that declared each other down, one
/// ends at least, nobody hangs, and restarts make one cluster again.
TEST_F(BadInput, AfterAPartitionTheDeclaredDeadEndAndMayComeBack) {
  world.journal().one_object_a_name = false;
  for (const char* other : {"n1", "n2"}) {
    world.network().partition(world.address("n3"), world.address(other),
                              transport::Direction::both);
  }
  world.run_for(seconds{15});
  world.network().heal();
  EXPECT_TRUE(world.run_until(
      [&] {
        return !world.is_running("n3") || (!world.is_running("n1") && !world.is_running("n2"));
      },
      seconds{30}));
  world.run_for(seconds{5});
  for (const std::string& name : {std::string{"n1"}, std::string{"n2"}, std::string{"n3"}}) {
    if (!world.is_running(name)) {
      world.start(name);
    }
  }
  EXPECT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{20}))
      << world.differences();
}

TEST_F(BadInput, ANodeThatWasFrozenTooLongEnds) {
  world.journal().one_object_a_name = false;
  const base::NodeId sleeper = world.node("n2").id();
  world.freeze("n2");
  world.run_for(seconds{10});
  EXPECT_TRUE(world.finish(world.node("n1").find<Tally>("hits").ask(Put{1, 1})).ok());
  world.thaw("n2");
  EXPECT_TRUE(world.run_until([&] { return world.ended().contains(sleeper); }, milliseconds{100}));
  EXPECT_EQ(world.journal().objects("hits"), 1U);
  world.start("n2");
  EXPECT_TRUE(world.run_until([&] { return world.has_converged(); }, seconds{10}))
      << world.differences();
}

}  // namespace
}  // namespace troupe::harness
