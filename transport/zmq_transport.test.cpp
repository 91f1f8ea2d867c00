#include "transport/zmq_transport.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <zmq.hpp>

#include "base/log.hpp"
#include "transport/address.hpp"
#include "transport/testing/recording_sink.hpp"
#include "transport/testing/seed.hpp"
#include "transport/testing/tcp_relay.hpp"

namespace troupe::transport {
namespace {

using testing::RecordingSink;
using testing::TcpRelay;

base::SteadyClock steady_clock;

struct NodeOptions {
  std::uint64_t incarnation = 1;
  std::string cluster = "c";
  std::string listen = "tcp://127.0.0.1:0";
  std::string advertise;
  EngineOptions engine;
};

struct Node {
  explicit Node(const std::string& name, const NodeOptions& options = {})
      : transport(make_zmq_transport({.listen = options.listen,
                                      .advertise = options.advertise,
                                      .seed = options.incarnation,
                                      .engine = options.engine},
                                     steady_clock)) {
    const auto started =
        transport->start({.cluster = options.cluster, .id = {name, options.incarnation}}, sink);
    EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().text());
  }
  ~Node() { transport->stop(0); }

  [[nodiscard]] std::uint16_t port() const { return parse_address(transport->address())->port; }
  [[nodiscard]] bool wait_up(const std::string& id) {
    return sink.wait([&](auto& state) {
      return std::find(state.ups.begin(), state.ups.end(), id) != state.ups.end();
    });
  }
  [[nodiscard]] bool wait_connected(const std::string& id, bool connected) {
    return sink.wait([&](auto& state) {
      return state.connected.contains(id) && state.connected.at(id) == connected;
    });
  }

  RecordingSink sink;
  std::unique_ptr<Transport> transport;
};

void meet(Node& a, const std::string& a_id, Node& b, const std::string& b_id) {
  a.transport->connect(b.transport->address());
  ASSERT_TRUE(a.wait_connected(b_id, true));
  ASSERT_TRUE(b.wait_connected(a_id, true));
}

/// An address to listen on that the relay leads to.
std::string listen_behind(TcpRelay& relay) {
  const std::uint16_t port = testing::free_port();
  relay.set_target(port);
  return Address{"127.0.0.1", port}.text();
}

/// Sends numbers from `first` up to `end`, waiting for room where the link is full.
void send_numbers(Link& link, Lane lane, std::uint64_t first, std::uint64_t end) {
  base::Bytes record;
  for (std::uint64_t i = first; i < end; ++i) {
    record.clear();
    base::put_fixed(record, i);
    base::Outcome outcome = link.send(lane, record);
    while (outcome == base::Outcome::mailbox_full) {
      std::this_thread::yield();
      outcome = link.send(lane, record);
    }
    ASSERT_EQ(outcome, base::Outcome::accepted);
  }
}

TEST(ZmqTransport, CarriesRecordsInOrderOnBothLanesAndBothWays) {
  Node a{"a"};
  Node b{"b"};
  a.sink.keep_records = b.sink.keep_records = false;
  meet(a, "a#1", b, "b#1");
  constexpr std::uint64_t count = 200'000;
  const auto to_b = a.sink.link("b");
  const auto to_a = b.sink.link("a");
  std::thread data{[&] { send_numbers(*to_b, Lane::data, 0, count); }};
  std::thread back{[&] { send_numbers(*to_a, Lane::data, 0, count / 4); }};
  send_numbers(*to_b, Lane::control, 0, count / 4);
  data.join();
  back.join();
  ASSERT_TRUE(b.sink.wait([](auto& state) { return state.records_received == count * 5 / 4; }));
  ASSERT_TRUE(a.sink.wait([](auto& state) { return state.records_received == count / 4; }));
  EXPECT_EQ(a.sink.state().out_of_order + b.sink.state().out_of_order, 0U);
  EXPECT_EQ(b.transport->counters().records_received, count * 5 / 4);
  EXPECT_LT(a.transport->counters().frames_sent, count / 2);
}

TEST(ZmqTransport, CarriesALargeRecordAndRefusesOneThatIsTooLarge) {
  Node a{"a"};
  Node b{"b"};
  meet(a, "a#1", b, "b#1");
  const auto link = a.sink.link("b");
  const base::Bytes large(record_bytes_max, std::byte{7});
  EXPECT_EQ(link->send(Lane::data, large), base::Outcome::accepted);
  EXPECT_EQ(link->send(Lane::data, base::Bytes(record_bytes_max + 1)), base::Outcome::refused);
  ASSERT_TRUE(b.sink.wait([](auto& state) { return state.records.size() == 1; }));
  EXPECT_EQ(b.sink.state().records[0].size(), record_bytes_max);
}

TEST(ZmqTransport, LosesNothingWhenTcpConnectionsAreCut) {
  base::Random random{testing::test_seed(3)};
  TcpRelay to_a;
  TcpRelay to_b;
  Node a{"a", {.listen = listen_behind(to_a), .advertise = to_a.address()}};
  Node b{"b", {.listen = listen_behind(to_b), .advertise = to_b.address()}};
  a.sink.keep_records = b.sink.keep_records = false;
  a.transport->connect(to_b.address());
  ASSERT_TRUE(a.wait_connected("b#1", true));
  ASSERT_TRUE(b.wait_connected("a#1", true));
  constexpr std::uint64_t count = 100'000;
  constexpr std::uint64_t cuts = 10;
  const auto to_b_link = a.sink.link("b");
  const auto to_a_link = b.sink.link("a");
  for (std::uint64_t cut = 0; cut < cuts; ++cut) {
    const std::uint64_t first = cut * count / cuts;
    const std::uint64_t end = first + count / cuts;
    std::thread data{[&] { send_numbers(*to_b_link, Lane::data, first, end); }};
    std::thread back{[&] { send_numbers(*to_a_link, Lane::data, first, end); }};
    const std::uint64_t until = first + random.below(count / cuts);
    EXPECT_TRUE(b.sink.wait([&](auto& state) { return state.records_received >= until; }));
    (random.chance(0.5) ? to_a : to_b).cut();
    data.join();
    back.join();
  }
  ASSERT_TRUE(a.sink.wait([](auto& state) { return state.records_received >= count; }));
  ASSERT_TRUE(b.sink.wait([](auto& state) { return state.records_received >= count; }));
  EXPECT_EQ(a.sink.state().records_received + b.sink.state().records_received, 2 * count);
  EXPECT_EQ(a.sink.state().out_of_order + b.sink.state().out_of_order, 0U);
  EXPECT_GT(to_a.connections_accepted() + to_b.connections_accepted(), 4U);
  EXPECT_TRUE(a.sink.state().downs.empty());
}

TEST(ZmqTransport, NoticesAConnectionThatIsOnlyHalfOpen) {
  EngineOptions impatient;
  impatient.silence_timeout = std::chrono::milliseconds{200};
  impatient.connect_timeout = std::chrono::milliseconds{200};
  TcpRelay to_b;
  Node a{"a", {.engine = impatient}};
  Node b{"b", {.listen = listen_behind(to_b), .advertise = to_b.address()}};
  a.transport->connect(to_b.address());
  ASSERT_TRUE(a.wait_connected("b#1", true));
  to_b.set_muted(true);
  EXPECT_EQ(a.sink.link("b")->send(Lane::data, base::as_bytes("x")), base::Outcome::accepted);
  ASSERT_TRUE(a.wait_connected("b#1", false));
  to_b.set_muted(false);
  ASSERT_TRUE(a.wait_connected("b#1", true));
  ASSERT_TRUE(b.sink.wait([](auto& state) { return state.records.size() == 1; }));
}

TEST(ZmqTransport, TellsAtOnceThatNobodyListens) {
  std::string address;
  {
    const Node gone{"gone"};
    address = gone.transport->address();
  }
  Node a{"a"};
  a.transport->connect(address);
  ASSERT_TRUE(a.sink.wait([&](auto& state) { return state.unreachable.contains(address); }));
  EXPECT_EQ(a.sink.state().unreachable.at(address).context, "the connection was refused");
  const Node back{"back", {.listen = address}};
  ASSERT_TRUE(a.wait_up("back#1"));
}

TEST(ZmqTransport, TellsThatAHostDoesNotExist) {
  Node a{"a"};
  const std::string address = "tcp://no-such-host.invalid:7400";
  a.transport->connect(address);
  ASSERT_TRUE(a.sink.wait([&](auto& state) { return state.unreachable.contains(address); }));
  EXPECT_NE(a.sink.state().unreachable.at(address).context.find("no-such-host.invalid"),
            std::string::npos);
}

TEST(ZmqTransport, ReachesAHostByName) {
  Node a{"a"};
  Node b{"b"};
  a.transport->connect("tcp://localhost:" + std::to_string(b.port()));
  ASSERT_TRUE(a.wait_connected("b#1", true));
  ASSERT_TRUE(b.wait_connected("a#1", true));
  EXPECT_EQ(a.sink.state().ups.size(), 1U);
}

TEST(ZmqTransport, ItsOwnAddressUnderAnotherNameIsNoPeer) {
  Node a{"a"};
  Node b{"b"};
  a.transport->connect("tcp://localhost:" + std::to_string(a.port()));
  meet(a, "a#1", b, "b#1");
  EXPECT_EQ(a.sink.state().ups, std::vector<std::string>{"b#1"});
  EXPECT_TRUE(a.sink.state().unreachable.empty());
}

TEST(ZmqTransport, RefusesAnotherClusterInWordsAPersonCanActOn) {
  Node a{"a", {.cluster = "shop2"}};
  Node b{"b", {.cluster = "shop"}};
  const std::string address = b.transport->address();
  a.transport->connect(address);
  ASSERT_TRUE(a.sink.wait([&](auto& state) { return state.unreachable.contains(address); }));
  EXPECT_EQ(a.sink.state().unreachable.at(address).text(),
            "cluster_mismatch: cluster name is 'shop', you said 'shop2'");
}

TEST(ZmqTransport, SaysThatThePortIsInUse) {
  Node a{"a"};
  RecordingSink sink;
  auto second = make_zmq_transport({.listen = a.transport->address()}, steady_clock);
  const auto started = second->start({.cluster = "c", .id = {"b", 1}}, sink);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, base::Errc::address_in_use);
  EXPECT_NE(started.error().context.find("another port"), std::string::npos);
}

TEST(ZmqTransport, RefusesAddressesItCannotListenOn) {
  for (const char* listen : {"", "7400", "ipc://x", "tcp://", "tcp://127.0.0.1", "tcp://:7400",
                             "tcp://127.0.0.1:70000", "tcp://127.0.0.1:x", "tcp://a b:1",
                             "tcp://192.0.2.1:7400", "tcp://no-such-host.invalid:7400"}) {
    RecordingSink sink;
    auto transport = make_zmq_transport({.listen = listen}, steady_clock);
    const auto started = transport->start({.cluster = "c", .id = {"b", 1}}, sink);
    ASSERT_FALSE(started.ok()) << listen;
    EXPECT_EQ(started.error().code, base::Errc::invalid_argument) << listen;
  }
}

TEST(ZmqTransport, AdvertisesAnAddressThatOthersCanReach) {
  const Node all{"a", {.listen = "tcp://*:0", .advertise = "tcp://127.0.0.1:0"}};
  EXPECT_TRUE(all.transport->address().starts_with("tcp://127.0.0.1:"));
  EXPECT_NE(all.port(), 0);
  RecordingSink sink;
  auto wrong =
      make_zmq_transport({.listen = "tcp://*:0", .advertise = "tcp://0.0.0.0:0"}, steady_clock);
  EXPECT_FALSE(wrong->start({.cluster = "c", .id = {"b", 1}}, sink).ok());
}

TEST(ZmqTransport, ARestartReplacesTheOldIncarnationWhichIsRefusedFromThenOn) {
  Node a{"a"};
  auto b1 = std::make_unique<Node>("b", NodeOptions{.incarnation = 1});
  const std::string address = b1->transport->address();
  meet(a, "a#1", *b1, "b#1");
  const auto old_link = a.sink.link("b");
  b1.reset();
  ASSERT_TRUE(a.wait_connected("b#1", false));
  EXPECT_EQ(old_link->send(Lane::data, base::as_bytes("for the old one")), base::Outcome::accepted);
  {
    Node b2{"b", {.incarnation = 2, .listen = address}};
    ASSERT_TRUE(a.wait_up("b#2"));
    ASSERT_TRUE(b2.wait_connected("a#1", true));
    const auto state = a.sink.state();
    ASSERT_EQ(state.downs.size(), 1U);
    EXPECT_EQ(state.downs[0].first, "b#1");
    EXPECT_EQ(state.undelivered.at("b#1"), std::vector<std::string>{"for the old one"});
    EXPECT_EQ(old_link->send(Lane::data, base::as_bytes("x")), base::Outcome::node_lost);
    EXPECT_TRUE(b2.sink.state().records.empty());
  }
  Node b_old{"b", {.incarnation = 1}};
  b_old.transport->connect(a.transport->address());
  ASSERT_TRUE(b_old.sink.wait([](auto& state) { return !state.unreachable.empty(); }));
  EXPECT_EQ(b_old.sink.state().unreachable.begin()->second.code, base::Errc::refused);
}

TEST(ZmqTransport, LingersUntilWhatIsQueuedHasArrived) {
  Node a{"a"};
  Node b{"b"};
  b.sink.keep_records = false;
  meet(a, "a#1", b, "b#1");
  constexpr std::uint64_t count = 100'000;
  send_numbers(*a.sink.link("b"), Lane::data, 0, count);
  a.transport->stop(10'000);
  EXPECT_EQ(b.sink.state().records_received, count);
  EXPECT_TRUE(a.sink.state().undelivered.empty());
  EXPECT_EQ(a.sink.state().downs.size(), 1U);
  ASSERT_TRUE(b.wait_connected("a#1", false));
}

TEST(ZmqTransport, SurvivesGarbageFromARawTcpSocket) {
  base::Random random{testing::test_seed(4)};
  Node a{"a"};
  Node b{"b"};
  for (int i = 0; i < 20; ++i) {
    std::string bytes(random.below(2000), '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random.next());
    }
    testing::send_raw_bytes(a.port(), bytes);
  }
  testing::send_raw_bytes(a.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  meet(a, "a#1", b, "b#1");
}

class RawDealer {
 public:
  explicit RawDealer(const std::string& address) : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 30'000);
    socket_.connect(address);
  }
  void send(const base::Bytes& frame) {
    socket_.send(zmq::buffer(frame.data(), frame.size()), zmq::send_flags::none);
  }
  void send(const Frame& frame) { send(*frame); }
  base::Bytes receive() {
    zmq::message_t message;
    EXPECT_TRUE(socket_.recv(message).has_value());
    const auto* begin = static_cast<const std::byte*>(message.data());
    return {begin, begin + message.size()};
  }
  zmq::socket_t& socket() { return socket_; }

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_;
};

Hello client_hello() {
  return {.cluster = "c",
          .node = "raw",
          .incarnation = 1,
          .role = "client",
          .lane = lane_both,
          .session = 99};
}

base::Bytes one_record_batch(std::uint64_t sequence, const std::string& text) {
  base::Bytes batch(batch_header_bytes);
  append_record(batch, base::as_bytes(text));
  write_batch_header(batch, {.lane = 1, .record_count = 1, .session = 99, .sequence = sequence});
  return batch;
}

TEST(ZmqTransport, RefusesABatchBeforeTheHelloAndThenSaysNothing) {
  Node a{"a"};
  RawDealer raw{a.transport->address()};
  raw.send(one_record_batch(1, "too early"));
  const auto refuse = parse_refuse(raw.receive());
  ASSERT_TRUE(refuse.ok());
  EXPECT_EQ(refuse->code, "malformed");
  EXPECT_EQ(refuse->text, "a batch before the hello");
  raw.send(hello_frame(FrameKind::hello, client_hello()));
  RawDealer other{a.transport->address()};
  other.send(hello_frame(FrameKind::hello, client_hello()));
  EXPECT_EQ(parse_kind(other.receive()).value(), FrameKind::welcome);
  EXPECT_EQ(a.sink.state().ups.size(), 1U);
  EXPECT_EQ(a.transport->counters().frames_stale, 1U);
}

TEST(ZmqTransport, SurvivesGarbageFramesAndKeepsServingOthers) {
  base::Random random{testing::test_seed(5)};
  Node a{"a"};
  RawDealer good{a.transport->address()};
  good.send(hello_frame(FrameKind::hello, client_hello()));
  EXPECT_EQ(parse_kind(good.receive()).value(), FrameKind::welcome);
  for (int i = 0; i < 20; ++i) {
    RawDealer bad{a.transport->address()};
    base::Bytes frame(random.below(200));
    for (std::byte& byte : frame) {
      byte = static_cast<std::byte>(random.next());
    }
    if (!frame.empty() && random.chance(0.8)) {
      frame[0] = static_cast<std::byte>(1 + random.below(5));
    }
    bad.send(frame);
    EXPECT_EQ(parse_kind(bad.receive()).value(), FrameKind::refuse);
  }
  RawDealer many_parts{a.transport->address()};
  many_parts.socket().send(zmq::str_buffer("one"), zmq::send_flags::sndmore);
  many_parts.socket().send(zmq::str_buffer("two"), zmq::send_flags::none);
  EXPECT_EQ(parse_kind(many_parts.receive()).value(), FrameKind::refuse);
  good.send(one_record_batch(1, "still here"));
  ASSERT_TRUE(a.sink.wait([](auto& state) { return state.records.size() == 1; }));
  EXPECT_EQ(a.transport->counters().connections_refused, 21U);
}

TEST(ZmqTransport, ClosesAConnectionThatSendsAnOversizedFrameAndKeepsServingOthers) {
  Node a{"a"};
  Node b{"b"};
  meet(a, "a#1", b, "b#1");
  RawDealer raw{a.transport->address()};
  raw.send(hello_frame(FrameKind::hello, client_hello()));
  EXPECT_EQ(parse_kind(raw.receive()).value(), FrameKind::welcome);
  base::Bytes oversized(frame_bytes_max + 1);
  write_batch_header(oversized, {.record_count = 1, .session = 99, .sequence = 1});
  raw.send(oversized);
  EXPECT_EQ(b.sink.link("a")->send(Lane::data, base::as_bytes("x")), base::Outcome::accepted);
  ASSERT_TRUE(a.sink.wait([](auto& state) { return state.records_received == 1; }));
  EXPECT_EQ(a.sink.state().records, std::vector<std::string>{"x"});
}

TEST(ZmqTransport, AClientOfAnotherSessionOrWithATruncatedRecordIsNotListenedTo) {
  Node a{"a"};
  RawDealer raw{a.transport->address()};
  raw.send(hello_frame(FrameKind::hello, client_hello()));
  EXPECT_EQ(parse_kind(raw.receive()).value(), FrameKind::welcome);
  base::Bytes other_session = one_record_batch(1, "x");
  write_batch_header(other_session, {.lane = 1, .record_count = 1, .session = 98, .sequence = 1});
  raw.send(other_session);
  raw.send(one_record_batch(1, "good"));
  raw.send(one_record_batch(1, "repeated"));
  raw.send(one_record_batch(3, "after a gap"));
  ASSERT_TRUE(a.sink.wait([](auto& state) { return state.records.size() == 1; }));
  base::Bytes truncated = one_record_batch(2, "truncated");
  truncated.pop_back();
  raw.send(truncated);
  ASSERT_TRUE(a.sink.wait([](auto& state) { return state.downs.size() == 1; }));
  EXPECT_EQ(a.sink.state().records, std::vector<std::string>{"good"});
  const auto counters = a.transport->counters();
  EXPECT_EQ(counters.frames_stale, 1U);
  EXPECT_EQ(counters.frames_duplicate, 1U);
  EXPECT_EQ(counters.frames_after_gap, 1U);
  EXPECT_EQ(counters.frames_malformed, 1U);
}

TEST(ZmqTransport, AClientThatIsSilentIsGone) {
  EngineOptions impatient;
  impatient.client_timeout = std::chrono::milliseconds{100};
  Node a{"a", {.engine = impatient}};
  RawDealer raw{a.transport->address()};
  raw.send(hello_frame(FrameKind::hello, client_hello()));
  EXPECT_EQ(parse_kind(raw.receive()).value(), FrameKind::welcome);
  ASSERT_TRUE(a.sink.wait([](auto& state) { return state.downs.size() == 1; }));
}

}  // namespace
}  // namespace troupe::transport
