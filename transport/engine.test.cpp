#include "transport/engine.hpp"

#include <gtest/gtest.h>

#include <set>

#include "transport/testing/recording_sink.hpp"
#include "transport/testing/seed.hpp"

namespace troupe::transport {
namespace {

using namespace std::chrono_literals;
using testing::RecordingSink;

/// A network that takes everything and remembers what was answered.
class FakeCarrier final : public Carrier {
 public:
  void open(Channel channel, const std::string& address) override { open_[channel] = address; }
  void close(Channel channel) override { open_.erase(channel); }
  Write write(Channel channel, const Frame& frame) override {
    EXPECT_TRUE(open_.contains(channel));
    written[channel].push_back(frame);
    return is_full ? Write::full : Write::written;
  }
  Write answer(const ConnectionId& connection, const Frame& frame) override {
    answered[connection].push_back(frame);
    return is_full ? Write::full : Write::written;
  }
  [[nodiscard]] const std::map<Channel, std::string>& open_channels() const { return open_; }

  std::map<Channel, std::vector<Frame>> written;
  std::map<ConnectionId, std::vector<Frame>> answered;
  bool is_full = false;

 private:
  std::map<Channel, std::string> open_;
};

struct Bench {
  explicit Bench(EngineOptions options = {}) : engine(carrier, doorbell, base::Random{1}, options) {
    engine.start({.cluster = "c", .id = {"own", 1}, .address = "tcp://own:1"}, sink);
  }

  [[nodiscard]] std::string refusal(const ConnectionId& connection) {
    const auto& frames = carrier.answered[connection];
    const auto refuse =
        frames.empty() ? base::Result<Refuse>{base::Error{}} : parse_refuse(*frames.back());
    return refuse ? refuse->text : "none";
  }

  FakeCarrier carrier;
  RecordingSink sink;
  std::shared_ptr<Doorbell> doorbell = std::make_shared<Doorbell>([] {});
  Engine engine;
  base::TimePoint now{1s};
};

Hello node_hello(const std::string& name, std::uint64_t incarnation, std::uint64_t session) {
  return {.cluster = "c",
          .node = name,
          .incarnation = incarnation,
          .address = "tcp://" + name + ":1",
          .role = "node",
          .session = session};
}

base::Bytes batch_of(std::uint64_t session, std::uint64_t sequence, const std::string& text) {
  base::Bytes frame(batch_header_bytes);
  append_record(frame, base::as_bytes(text));
  write_batch_header(frame, {.record_count = 1, .session = session, .sequence = sequence});
  return frame;
}

TEST(Engine, AnswersARepeatedHelloAndRefusesOneThatDiffers) {
  Bench bench;
  const Frame hello = hello_frame(FrameKind::hello, node_hello("a", 1, 7));
  bench.engine.connection_frame("x", *hello, bench.now);
  bench.engine.connection_frame("x", *hello, bench.now);
  EXPECT_EQ(bench.carrier.answered["x"].size(), 2U);
  EXPECT_EQ(bench.sink.state().ups.size(), 1U);
  bench.engine.connection_frame("x", *hello_frame(FrameKind::hello, node_hello("b", 1, 7)),
                                bench.now);
  EXPECT_EQ(bench.refusal("x"), "a second hello that differs");
  EXPECT_EQ(bench.sink.state().ups.size(), 1U);
}

TEST(Engine, RefusesASecondProcessUnderTheSameNameAndIncarnation) {
  Bench bench;
  bench.engine.connection_frame("x", *hello_frame(FrameKind::hello, node_hello("a", 1, 7)),
                                bench.now);
  bench.engine.connection_frame("y", *hello_frame(FrameKind::hello, node_hello("a", 1, 8)),
                                bench.now);
  EXPECT_EQ(bench.refusal("y"), "another process also calls itself a#1");
  bench.engine.connection_frame("z", *hello_frame(FrameKind::hello, node_hello("own", 2, 8)),
                                bench.now);
  EXPECT_NE(bench.refusal("z").find("give one of the two another name"), std::string::npos);
}

TEST(Engine, DropsLateFramesOfAReplacedIncarnation) {
  Bench bench;
  bench.engine.connection_frame("x", *hello_frame(FrameKind::hello, node_hello("a", 1, 7)),
                                bench.now);
  bench.engine.connection_frame("x", batch_of(7, 1, "in time"), bench.now);
  bench.engine.connection_frame("y", *hello_frame(FrameKind::hello, node_hello("a", 2, 8)),
                                bench.now);
  bench.engine.connection_frame("x", batch_of(7, 2, "late"), bench.now);
  bench.engine.connection_frame("y", batch_of(7, 2, "of the old session"), bench.now);
  bench.engine.connection_frame("y", batch_of(8, 1, "new"), bench.now);
  EXPECT_EQ(bench.sink.state().records, (std::vector<std::string>{"in time", "new"}));
  EXPECT_EQ(bench.sink.state().ups, (std::vector<std::string>{"a#1", "a#2"}));
  EXPECT_EQ(bench.sink.state().downs.size(), 1U);
  EXPECT_EQ(bench.engine.counters().frames_stale, 2U);
}

TEST(Engine, DialsBackWhoSaidHelloAndSendsNothingBeforeTheWelcome) {
  Bench bench;
  bench.engine.connection_frame("x", *hello_frame(FrameKind::hello, node_hello("a", 1, 7)),
                                bench.now);
  EXPECT_EQ(bench.sink.link("a")->send(Lane::control, base::as_bytes("early")),
            base::Outcome::accepted);
  bench.engine.attend(bench.now);
  ASSERT_EQ(bench.carrier.open_channels().size(), 1U);
  const Channel channel = bench.carrier.open_channels().begin()->first;
  EXPECT_EQ(bench.carrier.open_channels().at(channel), "tcp://a:1");
  bench.engine.channel_opened(channel, bench.now);
  ASSERT_EQ(bench.carrier.written[channel].size(), 1U);
  EXPECT_EQ(parse_kind(*bench.carrier.written[channel][0]).value(), FrameKind::hello);
  bench.engine.channel_frame(channel, *hello_frame(FrameKind::welcome, node_hello("a", 1, 7)),
                             bench.now);
  ASSERT_EQ(bench.carrier.written[channel].size(), 2U);
  EXPECT_EQ(parse_batch(*bench.carrier.written[channel][1])->header.sequence, 1U);
  EXPECT_EQ(bench.carrier.open_channels().size(), 2U);
}

TEST(Engine, GivesUpAConnectionThatNeverWelcomesAndTriesAgain) {
  Bench bench;
  bench.doorbell->post(ConnectCommand{"tcp://a:1"});
  bench.engine.attend(bench.now);
  const Channel first = bench.carrier.open_channels().begin()->first;
  bench.engine.channel_opened(first, bench.now);
  bench.engine.tick(bench.now + 4s);
  EXPECT_TRUE(bench.carrier.open_channels().empty());
  EXPECT_EQ(bench.sink.state().unreachable.at("tcp://a:1").context,
            "connected, but no welcome came");
  bench.engine.tick(bench.now + 6s);
  ASSERT_EQ(bench.carrier.open_channels().size(), 1U);
  EXPECT_NE(bench.carrier.open_channels().begin()->first, first);
}

TEST(Engine, RefusesMorePeersAndDropsMoreConnectionsThanItsLimits) {
  EngineOptions small;
  small.peers_max = 2;
  small.connections_max = 4;
  Bench bench{small};
  for (const char* name : {"a", "b", "c"}) {
    bench.engine.connection_frame(name, *hello_frame(FrameKind::hello, node_hello(name, 1, 7)),
                                  bench.now);
  }
  EXPECT_EQ(bench.sink.state().ups.size(), 2U);
  EXPECT_EQ(bench.refusal("c"), "too many peers and clients");
  bench.engine.connection_frame("d", base::Bytes{}, bench.now);
  bench.engine.connection_frame("e", base::Bytes{}, bench.now);
  EXPECT_EQ(bench.carrier.answered["d"].size(), 1U);
  EXPECT_TRUE(bench.carrier.answered["e"].empty());
  bench.engine.tick(bench.now + 11s);  // the refused ones are forgotten
  bench.engine.connection_frame("e", base::Bytes{}, bench.now + 11s);
  EXPECT_EQ(bench.carrier.answered["e"].size(), 1U);
}

/// Throws valid, damaged and random frames and events at an engine and checks what it tells.
class Storm {
 public:
  explicit Storm(std::uint64_t seed) : random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      bench_.now += base::Duration{static_cast<std::int64_t>(random_.below(200'000'000))};
      bench_.carrier.is_full = random_.chance(0.1);
      step();
      bench_.engine.attend(bench_.now);
      bench_.engine.tick(bench_.now);
    }
    bench_.engine.end("over");
    const auto state = bench_.sink.state();
    EXPECT_EQ(state.ups.size(), state.downs.size());
    std::set<std::string> nodes;  // a client may come again under its name
    for (const std::string& id : state.ups) {
      EXPECT_TRUE(id.starts_with("client") || nodes.insert(id).second) << id;
    }
    EXPECT_TRUE(bench_.carrier.open_channels().empty());
  }

 private:
  void step() {
    const ConnectionId connection(1, static_cast<char>('a' + random_.below(8)));
    const auto& open = bench_.carrier.open_channels();
    const Channel channel =
        open.empty()
            ? random_.below(50)
            : std::next(open.begin(), static_cast<long>(random_.below(open.size())))->first;
    switch (random_.below(10)) {
      case 0: bench_.doorbell->post(ConnectCommand{"tcp://" + name() + ":1"}); return;
      case 1: bench_.doorbell->post(ForgetCommand{"tcp://" + name() + ":1"}); return;
      case 2:
        if (random_.chance(0.1)) {
          bench_.doorbell->post(DisconnectCommand{{name(), random_.below(4)}, "down"});
        }
        return;
      case 3: bench_.engine.channel_opened(channel, bench_.now); return;
      case 4: bench_.engine.channel_writable(channel, bench_.now); return;
      case 5: bench_.engine.channel_frame(channel, frame(), bench_.now); return;
      case 6:
        if (const auto link = bench_.sink.link(name())) {
          (void)link->send(random_.chance(0.5) ? Lane::data : Lane::control,
                           base::as_bytes("record"));
        }
        return;
      case 7:
        if (random_.chance(0.2)) {
          bench_.engine.channel_broken(channel, "broken", bench_.now);
        }
        return;
      default: bench_.engine.connection_frame(connection, frame(), bench_.now); return;
    }
  }
  std::string name() {
    return random_.chance(0.05) ? "own" : std::string(1, 'p' + random_.below(4));
  }
  base::Bytes frame() {
    base::Bytes bytes = valid_frame();
    if (random_.chance(0.2)) {
      bytes[random_.below(bytes.size())] = static_cast<std::byte>(random_.next());
    }
    if (random_.chance(0.1)) {
      bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(random_.below(bytes.size())),
                  bytes.end());
    }
    return bytes;
  }
  base::Bytes valid_frame() {
    const std::uint64_t incarnation = 1 + random_.below(3);
    const std::string who = name();
    Hello hello = node_hello(who, incarnation, incarnation);
    hello.lane = static_cast<std::uint8_t>(random_.below(2));
    if (random_.chance(0.2)) {
      hello.role = "client";
      hello.node = "client-" + who;
      hello.lane = lane_both;
    }
    switch (random_.below(8)) {
      case 0: return *refuse_frame(base::Errc::refused, "no");
      case 1: return *goodbye_frame("bye");
      case 2:
      case 3: return *hello_frame(FrameKind::hello, hello);
      case 4:
      case 5: return *hello_frame(FrameKind::welcome, hello);
      default: {
        base::Bytes batch = batch_of(incarnation, 1 + random_.below(5), "record");
        write_batch_header(batch, {.lane = static_cast<std::uint8_t>(random_.below(2)),
                                   .record_count = 1,
                                   .session = incarnation,
                                   .sequence = 1 + random_.below(5),
                                   .acknowledgement = random_.below(4)});
        return batch;
      }
    }
  }

  base::Random random_;
  Bench bench_;
};

TEST(Engine, StandsAStormOfHostileFramesAndEvents) {
  const std::uint64_t seed = testing::test_seed(1);
  for (std::uint64_t i = 0; i < 40; ++i) {
    Storm{seed + i}.run(1000);
    ASSERT_FALSE(HasFailure()) << "seed " << seed + i;
  }
}

}  // namespace
}  // namespace troupe::transport
