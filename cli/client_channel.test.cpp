#include "cli/client_channel.hpp"

#include <gtest/gtest.h>

#include "base/message.hpp"
#include "base/record.hpp"
#include "transport/testing/recording_sink.hpp"
#include "transport/zmq_transport.hpp"

namespace troupe::cli {
namespace {

using namespace std::chrono_literals;

base::SteadyClock steady_clock;

/// A node that answers every request with the name it was sent to, and keeps silent to "mute".
struct NamingNode {
  explicit NamingNode(const std::string& cluster)
      : transport(transport::make_zmq_transport({.listen = "tcp://127.0.0.1:0"}, steady_clock)) {
    sink.on_each_record = [](const auto& from, transport::Lane lane, base::ByteView bytes) {
      const auto record = base::decode_record(bytes);
      ASSERT_TRUE(record.ok()) << record.error().text();
      if (record->name == "mute") {
        return;
      }
      const base::Bytes body = base::to_wire(std::string{record->name});
      base::Bytes reply;
      base::encode_record(
          {.kind = base::RecordKind::reply, .target = record->request, .body = body}, reply);
      EXPECT_EQ(from->send(lane, reply), base::Outcome::accepted);
    };
    EXPECT_TRUE(transport->start({.cluster = cluster, .id = {"n1", 5}}, sink).ok());
  }
  ~NamingNode() { transport->stop(0); }

  transport::testing::RecordingSink sink;
  std::unique_ptr<transport::Transport> transport;
};

Request to(const std::string& name, base::Duration timeout = 20s) {
  return {.target = name, .type = 1, .body = {std::byte{0x80}}, .timeout = timeout};
}

TEST(ClientChannel, AsksARealNode) {
  NamingNode node{"shop"};
  const auto cluster =
      connect_cluster({.servers = {node.transport->address()}, .cluster = "shop"}, steady_clock);
  for (const char* name : {"hits", "people"}) {
    const auto answer = cluster->request(to(name));
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    ASSERT_TRUE(std::holds_alternative<base::Bytes>(*answer));
    EXPECT_EQ(*base::from_wire<std::string>(std::get<base::Bytes>(*answer)), name);
  }
}

TEST(ClientChannel, NeedsNoClusterName) {
  NamingNode node{"shop"};
  const auto cluster = connect_cluster({.servers = {node.transport->address()}}, steady_clock);
  EXPECT_TRUE(cluster->request(to("hits")).ok());
}

TEST(ClientChannel, IsRefusedByAnotherCluster) {
  NamingNode node{"shop"};
  const auto cluster =
      connect_cluster({.servers = {node.transport->address()}, .cluster = "demo"}, steady_clock);
  const auto answer = cluster->request(to("hits"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, base::Errc::cluster_mismatch) << answer.error().text();
}

TEST(ClientChannel, MayHaveRunWhenTheNodeIsSilent) {
  NamingNode node{"shop"};
  const auto cluster = connect_cluster({.servers = {node.transport->address()}}, steady_clock);
  const auto answer = cluster->request(to("mute", 20ms));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  const auto* failure = std::get_if<Failure>(&*answer);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->kind, FailureKind::may_have_run);
}

TEST(ClientChannel, FindsNobodyAtAnEmptyAddress) {
  std::string address;
  {
    NamingNode node{"shop"};
    address = node.transport->address();
  }
  const auto cluster = connect_cluster({.servers = {address}}, steady_clock);
  const auto answer = cluster->request(to("hits", 2s));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, base::Errc::unavailable) << answer.error().text();
}

}  // namespace
}  // namespace troupe::cli
