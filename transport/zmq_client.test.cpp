#include <gtest/gtest.h>

#include "transport/client.hpp"
#include "transport/testing/recording_sink.hpp"
#include "transport/testing/tcp_relay.hpp"
#include "transport/zmq_transport.hpp"

namespace troupe::transport {
namespace {

using namespace std::chrono_literals;
using testing::RecordingSink;

base::SteadyClock steady_clock;

base::TimePoint soon() {
  return steady_clock.now() + 30s;
}

struct EchoNode {
  explicit EchoNode(const std::string& cluster = "shop")
      : transport(make_zmq_transport({.listen = "tcp://127.0.0.1:0"}, steady_clock)) {
    sink.on_each_record = [](const std::shared_ptr<Link>& from, Lane lane, base::ByteView record) {
      EXPECT_EQ(from->send(lane, record), base::Outcome::accepted);
    };
    EXPECT_TRUE(transport->start({.cluster = cluster, .id = {"n1", 5}}, sink).ok());
  }
  ~EchoNode() { transport->stop(0); }

  RecordingSink sink;
  std::unique_ptr<Transport> transport;
};

TEST(Client, ExchangesRecordsInOrder) {
  EchoNode node;
  auto client = Client::connect({.addresses = {node.transport->address()}, .cluster = "shop"},
                                steady_clock, soon());
  ASSERT_TRUE(client.ok()) << client.error().text();
  EXPECT_EQ((*client)->node().id.text(), "n1#5");
  EXPECT_EQ((*client)->cluster(), "shop");
  constexpr int count = 2000;
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE((*client)->send(base::as_bytes("record " + std::to_string(i)), soon()).ok());
  }
  for (int i = 0; i < count; ++i) {
    const auto record = (*client)->receive(soon());
    ASSERT_TRUE(record.ok()) << record.error().text();
    ASSERT_EQ(base::as_text(*record), "record " + std::to_string(i));
  }
  const auto peer = node.sink.link("client");
  ASSERT_NE(peer, nullptr);
  EXPECT_TRUE(peer->peer().is_client);
  EXPECT_EQ(peer->peer().id, (*client)->id());
}

TEST(Client, SaysGoodbye) {
  EchoNode node;
  {
    auto client = Client::connect({.addresses = {node.transport->address()}}, steady_clock, soon());
    ASSERT_TRUE(client.ok());
    EXPECT_EQ((*client)->cluster(), "shop");
  }
  ASSERT_TRUE(node.sink.wait([](auto& state) { return state.downs.size() == 1; }));
  EXPECT_EQ(node.sink.state().downs[0].second, "it said goodbye: done");
}

TEST(Client, TriesOneAddressAfterTheOther) {
  EchoNode node;
  const std::string nobody = "tcp://127.0.0.1:" + std::to_string(testing::free_port());
  auto client = Client::connect(
      {.addresses = {"tcp://no-such-host.invalid:7400", nobody, node.transport->address()}},
      steady_clock, soon());
  ASSERT_TRUE(client.ok()) << client.error().text();
}

TEST(Client, SaysWhatItTriedWhenNobodyAnswers) {
  const std::string nobody = "tcp://127.0.0.1:" + std::to_string(testing::free_port());
  const auto client = Client::connect({.addresses = {nobody, "tcp://no-such-host.invalid:7400"}},
                                      steady_clock, soon());
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, base::Errc::unavailable);
  EXPECT_NE(client.error().context.find(nobody + ": the connection was refused"),
            std::string::npos);
  EXPECT_NE(client.error().context.find("no-such-host.invalid"), std::string::npos);
}

TEST(Client, TellsWhyTheNodeRefusesIt) {
  EchoNode node;
  const auto client = Client::connect(
      {.addresses = {node.transport->address()}, .cluster = "shop2"}, steady_clock, soon());
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, base::Errc::cluster_mismatch);
  EXPECT_EQ(client.error().context,
            node.transport->address() + ": cluster name is 'shop', you said 'shop2'");
}

TEST(Client, RejectsWhatCannotBeAnAddressOrAName) {
  EXPECT_EQ(Client::connect({.addresses = {"localhost:7400"}}, steady_clock, soon()).error().code,
            base::Errc::invalid_argument);
  EXPECT_EQ(Client::connect({}, steady_clock, soon()).error().code, base::Errc::invalid_argument);
  EXPECT_EQ(
      Client::connect({.addresses = {"tcp://localhost:1"}, .name = "a b"}, steady_clock, soon())
          .error()
          .code,
      base::Errc::invalid_argument);
}

TEST(Client, StopsWaitingAtTheDeadline) {
  EchoNode node;
  auto client = Client::connect({.addresses = {node.transport->address()}}, steady_clock, soon());
  ASSERT_TRUE(client.ok());
  const auto record = (*client)->receive(steady_clock.now() + 10ms);
  ASSERT_FALSE(record.ok());
  EXPECT_EQ(record.error().code, base::Errc::timed_out);
}

TEST(Client, LearnsThatTheNodeHasLeftOrIsGone) {
  auto node = std::make_unique<EchoNode>();
  auto client = Client::connect({.addresses = {node->transport->address()}}, steady_clock, soon());
  ASSERT_TRUE(client.ok());
  node.reset();
  const auto record = (*client)->receive(soon());
  ASSERT_FALSE(record.ok());
  EXPECT_EQ(record.error().code, base::Errc::unavailable);
}

TEST(Client, ManyOfOneNameAreServedAtOnce) {
  EchoNode node;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto client = Client::connect({.addresses = {node.transport->address()}, .seed = i},
                                  steady_clock, soon());
    ASSERT_TRUE(client.ok()) << client.error().text();
    clients.push_back(std::move(client).value());
    ASSERT_TRUE(clients.back()->send(base::as_bytes(std::to_string(i)), soon()).ok());
  }
  for (std::uint64_t i = 0; i < clients.size(); ++i) {
    const auto record = clients[i]->receive(soon());
    ASSERT_TRUE(record.ok());
    EXPECT_EQ(base::as_text(*record), std::to_string(i));
  }
}

}  // namespace
}  // namespace troupe::transport
