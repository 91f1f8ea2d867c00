#include "transport/session.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "base/random.hpp"
#include "transport/testing/seed.hpp"

namespace troupe::transport {
namespace {

using namespace std::chrono_literals;
using Arrival = Session::Arrival;

base::TimePoint at(base::Duration time) {
  return base::TimePoint{time};
}

Frame frame_with(std::uint64_t sequence, const std::string& text = "x") {
  auto frame = std::make_shared<base::Bytes>(batch_header_bytes);
  append_record(*frame, base::as_bytes(text));
  write_batch_header(*frame, {.record_count = 1, .session = 1, .sequence = sequence});
  return frame;
}

TEST(Session, SortsWhatArrivesByItsSequence) {
  struct Row {
    std::uint64_t sequence;
    Arrival expected;
  };
  Session session;
  for (const Row& row :
       {Row{2, Arrival::gap}, Row{1, Arrival::deliver}, Row{1, Arrival::duplicate},
        Row{3, Arrival::gap}, Row{2, Arrival::deliver}, Row{0, Arrival::control},
        Row{3, Arrival::deliver}, Row{2, Arrival::duplicate}, Row{~0ULL, Arrival::gap}}) {
    EXPECT_EQ(session.receive({.sequence = row.sequence}, 10, at(0s)).arrival, row.expected)
        << row.sequence;
  }
  EXPECT_EQ(session.acknowledgement(), 3U);
}

TEST(Session, KeepsFramesUntilTheyAreAcknowledged) {
  Session session;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(session.next_sequence(), i);
    session.keep(frame_with(i));
    ASSERT_NE(session.unwritten(), nullptr);
    EXPECT_FALSE(session.mark_written(at(0s)));
  }
  EXPECT_EQ(session.unwritten(), nullptr);
  const std::size_t bytes = frame_with(1)->size();
  EXPECT_EQ(session.receive({.acknowledgement = 2}, 40, at(0s)).released_bytes, 2 * bytes);
  EXPECT_EQ(session.unacknowledged().size(), 1U);
  EXPECT_EQ(session.receive({.acknowledgement = 1}, 40, at(0s)).released_bytes, 0U);
  EXPECT_EQ(session.next_sequence(), 4U);
}

TEST(Session, KeepsTheSameBytesAndDoesNotCopyThem) {
  Session session;
  const Frame frame = frame_with(1);
  session.keep(frame);
  EXPECT_EQ(session.unwritten()->get(), frame.get());
}

TEST(Session, IgnoresTheAcknowledgementOfWhatWasNeverWritten) {
  Session session;
  session.keep(frame_with(1));
  EXPECT_TRUE(session.receive({.acknowledgement = 1}, 40, at(0s)).acknowledges_unsent);
  EXPECT_EQ(session.unacknowledged().size(), 1U);
  session.mark_written(at(0s));
  const auto received = session.receive({.acknowledgement = 2}, 40, at(0s));
  EXPECT_TRUE(received.acknowledges_unsent);
  EXPECT_EQ(received.released_bytes, 0U);
}

TEST(Session, RepeatsAllThatIsUnacknowledgedOnANewConnection) {
  Session session;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    session.keep(frame_with(i));
    session.mark_written(at(0s));
  }
  (void)session.receive({.acknowledgement = 1}, 40, at(0s));
  session.reconnected(at(1s));
  for (std::uint64_t i = 2; i <= 4; ++i) {
    ASSERT_NE(session.unwritten(), nullptr);
    EXPECT_EQ(parse_batch(**session.unwritten())->header.sequence, i);
    EXPECT_TRUE(session.mark_written(at(1s)));
  }
  EXPECT_EQ(session.unwritten(), nullptr);
}

TEST(Session, OwesAnAcknowledgementWithinItsDelay) {
  Session session;
  EXPECT_EQ(session.acknowledgement_due(), base::time_never);
  (void)session.receive({.sequence = 0}, 40, at(1s));
  EXPECT_EQ(session.acknowledgement_due(), base::time_never);
  (void)session.receive({.sequence = 1}, 100, at(1s));
  EXPECT_EQ(session.acknowledgement_due(), at(1s + 20ms));
  (void)session.receive({.sequence = 2}, 100, at(1s + 10ms));
  EXPECT_EQ(session.acknowledgement_due(), at(1s + 20ms));
  session.mark_acknowledged();
  EXPECT_EQ(session.acknowledgement_due(), base::time_never);
  (void)session.receive({.sequence = 2}, 100, at(2s));  // a duplicate: the last one was lost
  EXPECT_EQ(session.acknowledgement_due(), at(2s + 20ms));
}

TEST(Session, OwesAnAcknowledgementAtOnceForManyBytesAndAfterAReconnect) {
  Session session{{.acknowledgement_bytes = 1000}};
  (void)session.receive({.sequence = 1}, 999, at(1s));
  (void)session.receive({.sequence = 2}, 1, at(1s + 1ms));
  EXPECT_EQ(session.acknowledgement_due(), at(1s + 1ms));
  session.mark_acknowledged();
  session.reconnected(at(3s));
  EXPECT_EQ(session.acknowledgement_due(), at(3s));
}

TEST(Session, SaysSinceWhenNothingIsAcknowledged) {
  Session session;
  EXPECT_EQ(session.waiting_since(), base::time_never);
  session.keep(frame_with(1));
  EXPECT_EQ(session.waiting_since(), base::time_never);
  session.mark_written(at(1s));
  session.keep(frame_with(2));
  session.mark_written(at(2s));
  EXPECT_EQ(session.waiting_since(), at(1s));
  (void)session.receive({.acknowledgement = 1}, 40, at(3s));
  EXPECT_EQ(session.waiting_since(), at(3s));
  (void)session.receive({.acknowledgement = 2}, 40, at(4s));
  EXPECT_EQ(session.waiting_since(), base::time_never);
}

/// Two sessions and a network between them that loses, doubles and reorders as it likes.
class EvilNetwork {
 public:
  explicit EvilNetwork(std::uint64_t seed) : random_(seed) {}

  void run(std::uint64_t frames) {
    for (int step = 0; step < 200'000 && !is_done(frames); ++step) {
      now_ += base::Duration{static_cast<std::int64_t>(random_.below(5'000'000))};
      const std::size_t side = random_.below(2);
      if (sides_[side].sent < frames && random_.chance(0.3)) {
        const std::uint64_t number = ++sides_[side].sent;
        EXPECT_EQ(sides_[side].session.next_sequence(), number);
        sides_[side].session.keep(frame_with(number, std::to_string(number)));
      }
      write(side);
      disturb();
      arrive(side);
    }
    EXPECT_TRUE(is_done(frames));
  }

 private:
  struct Side {
    Session session;
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    std::vector<std::pair<BatchHeader, Frame>> inbound;
  };

  bool is_done(std::uint64_t frames) const {
    return std::all_of(sides_.begin(), sides_.end(), [&](const Side& side) {
      return side.delivered == frames && side.session.unacknowledged().empty();
    });
  }
  void write(std::size_t from) {
    Session& session = sides_[from].session;
    auto& network = sides_[1 - from].inbound;
    if (const Frame* frame = session.unwritten(); frame != nullptr && random_.chance(0.7)) {
      BatchHeader header = parse_batch(**frame)->header;
      header.acknowledgement = session.acknowledgement();
      network.emplace_back(header, *frame);
      session.mark_written(now_);
      session.mark_acknowledged();
    } else if (session.acknowledgement_due() <= now_) {
      network.emplace_back(BatchHeader{.acknowledgement = session.acknowledgement()}, nullptr);
      session.mark_acknowledged();
    }
  }
  void disturb() {
    for (std::size_t to = 0; to < 2; ++to) {
      auto& network = sides_[to].inbound;
      if (network.size() > 1 && random_.chance(0.1)) {
        std::swap(network[random_.below(network.size())], network[random_.below(network.size())]);
      }
      if (!network.empty() && random_.chance(0.05)) {
        network.push_back(network[random_.below(network.size())]);
      }
      if (random_.chance(0.03)) {  // a break: some of what is in flight is lost, some comes late
        network.resize(random_.below(network.size() + 1));
        sides_[1 - to].session.reconnected(now_);
      }
      if (network.empty() && random_.chance(0.1)) {
        sides_[1 - to].session.reconnected(now_);
      }
    }
  }
  void arrive(std::size_t to) {
    Side& side = sides_[to];
    while (!side.inbound.empty() && random_.chance(0.8)) {
      const auto [header, frame] = side.inbound.front();
      side.inbound.erase(side.inbound.begin());
      const auto received = side.session.receive(header, 100, now_);
      EXPECT_FALSE(received.acknowledges_unsent);
      if (received.arrival == Arrival::deliver) {
        ++side.delivered;
        const auto batch = parse_batch(*frame);
        for_each_record(*batch, [&](base::ByteView record) {
          EXPECT_EQ(base::as_text(record), std::to_string(side.delivered));
        });
      }
    }
  }

  base::Random random_;
  base::TimePoint now_{1s};
  std::array<Side, 2> sides_;
};

TEST(Session, DeliversExactlyOnceAndInOrderOverAnEvilNetwork) {
  const std::uint64_t seed = testing::test_seed(1);
  for (std::uint64_t i = 0; i < 50; ++i) {
    EvilNetwork network{seed + i};
    network.run(200);
    ASSERT_FALSE(HasFailure()) << "seed " << seed + i;
  }
}

}  // namespace
}  // namespace troupe::transport
