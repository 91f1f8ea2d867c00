#include "cli/record_cluster.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "base/message.hpp"

namespace troupe::cli {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::Outcome;
using base::RecordKind;

/// A node on the other side of the channel: it answers from a list.
struct Node {
  base::ManualClock clock;
  int opened = 0;
  std::deque<base::Error> open_errors;
  std::deque<base::Error> send_errors;
  std::vector<base::Bytes> sent;
  /// What receive() returns next; nothing left means that the time passes.
  std::deque<base::Result<base::Bytes>> incoming;

  base::Record last() const { return base::decode_record(sent.back()).value(); }
  void answer(RecordKind kind, std::uint64_t target, base::ByteView body) {
    base::Bytes record;
    base::encode_record({.kind = kind, .target = target, .body = body}, record);
    incoming.push_back(record);
  }
};

struct Channel final : RecordChannel {
  explicit Channel(Node& owner) : node(owner) {}
  base::Result<void> send(base::ByteView record) override {
    if (!node.send_errors.empty()) {
      const auto error = node.send_errors.front();
      node.send_errors.pop_front();
      return error;
    }
    node.sent.emplace_back(record.begin(), record.end());
    return {};
  }
  base::Result<base::Bytes> receive(base::TimePoint deadline) override {
    if (node.incoming.empty()) {
      node.clock.set(std::max(node.clock.now(), deadline));
      return base::Error{Errc::timed_out, ""};
    }
    auto next = node.incoming.front();
    node.incoming.pop_front();
    return next;
  }
  Node& node;
};

class RecordClusterTest : public ::testing::Test {
 protected:
  Request ask() const {
    return {"hits", base::fnv1a("Get"), base::Bytes{std::byte{0x80}}, false, 5s};
  }

  Failure failure_of(const base::Result<Answer>& answer) {
    EXPECT_TRUE(answer.ok());
    const auto* failure = answer.ok() ? std::get_if<Failure>(&*answer) : nullptr;
    EXPECT_NE(failure, nullptr);
    return failure ? *failure : Failure{};
  }

  Node node_;
  RecordCluster cluster_{[this](base::Duration) -> base::Result<std::unique_ptr<RecordChannel>> {
                           ++node_.opened;
                           if (!node_.open_errors.empty()) {
                             const auto error = node_.open_errors.front();
                             node_.open_errors.pop_front();
                             return error;
                           }
                           return std::unique_ptr<RecordChannel>{std::make_unique<Channel>(node_)};
                         },
                         2, node_.clock};
};

TEST_F(RecordClusterTest, SendsWhatTheWireProtocolSays) {
  node_.answer(RecordKind::reply, 1, base::as_bytes("\x0c"));
  const auto answer = cluster_.request(ask());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<base::Bytes>(*answer), base::Bytes{std::byte{12}});
  const base::Record record = node_.last();
  EXPECT_EQ(record.kind, RecordKind::message);
  EXPECT_TRUE(record.by_name);
  EXPECT_FALSE(record.wants_receipt);
  EXPECT_EQ(record.type, base::fnv1a("Get"));
  EXPECT_EQ(record.target, 0U);
  EXPECT_EQ(record.request, 1U);
  EXPECT_EQ(record.name, "hits");
  EXPECT_EQ(record.deadline_us, 5'000'000U);
  EXPECT_EQ(record.body.size(), 1U);
}

/// As a node answers a client.
template <class Message>
base::Bytes by_name(const Message& message) {
  base::Bytes body;
  base::WireWriter writer{body};
  writer.by_name = true;
  base::wire_encode(writer, message);
  return body;
}

TEST_F(RecordClusterTest, ReadsReceiptsAndFailures) {
  struct Receipt {
    std::uint8_t outcome = 1;
    TROUPE_MESSAGE(Receipt, outcome)
  };
  struct Body {
    int kind = 3;
    int outcome = 6;
    std::string reason = "user not found";
    TROUPE_MESSAGE(Body, kind, outcome, reason)
  };
  node_.answer(RecordKind::receipt, 1, base::to_wire(Receipt{}));
  EXPECT_EQ(std::get<Outcome>(*cluster_.request(ask())), Outcome::mailbox_full);
  node_.answer(RecordKind::failure, 2, by_name(Body{}));
  const Failure failure = failure_of(cluster_.request(ask()));
  EXPECT_EQ(failure.kind, FailureKind::refusal);
  EXPECT_EQ(failure.outcome, Outcome::refused);
  EXPECT_EQ(failure.text, "user not found");
  node_.answer(RecordKind::failure, 3, base::to_wire(Body{.kind = 9}));
  EXPECT_EQ(failure_of(cluster_.request(ask())).outcome, Outcome::undecodable);
}

TEST_F(RecordClusterTest, TakesOnlyTheAnswerToThisRequest) {
  node_.answer(RecordKind::reply, 7, base::as_bytes("\x01"));
  node_.answer(RecordKind::terminated, 1, {});
  node_.answer(RecordKind::reply, 1, base::as_bytes("\x02"));
  EXPECT_EQ(std::get<base::Bytes>(*cluster_.request(ask())), base::Bytes{std::byte{2}});
}

TEST_F(RecordClusterTest, MayHaveRunIfNoAnswerComes) {
  const Failure failure = failure_of(cluster_.request(ask()));
  EXPECT_EQ(failure.kind, FailureKind::may_have_run);
  EXPECT_EQ(failure.outcome, Outcome::expired);
  EXPECT_EQ(failure.text, "no answer came in 5 s");
  node_.answer(RecordKind::reply, 1, base::as_bytes("\x01"));
  node_.answer(RecordKind::reply, 2, base::as_bytes("\x02"));
  EXPECT_EQ(std::get<base::Bytes>(*cluster_.request(ask())), base::Bytes{std::byte{2}});
  EXPECT_EQ(node_.opened, 1);
}

TEST_F(RecordClusterTest, MayHaveRunIfTheConnectionBreaksAndOpensAnother) {
  node_.incoming.push_back(base::Error{Errc::closed, "goodbye"});
  const Failure failure = failure_of(cluster_.request(ask()));
  EXPECT_EQ(failure.kind, FailureKind::may_have_run);
  EXPECT_EQ(failure.outcome, Outcome::node_lost);
  node_.answer(RecordKind::reply, 2, {});
  EXPECT_TRUE(cluster_.request(ask()).ok());
  EXPECT_EQ(node_.opened, 2);
}

TEST_F(RecordClusterTest, ReportsWhatWasNeverSentAsAnError) {
  node_.open_errors.push_back({Errc::cluster_mismatch, "it is 'shop'"});
  EXPECT_EQ(cluster_.request(ask()).error().code, Errc::cluster_mismatch);
  node_.send_errors.push_back({Errc::limit_exceeded, "too large"});
  EXPECT_EQ(cluster_.request(ask()).error().code, Errc::limit_exceeded);
  Request nameless = ask();
  nameless.target = "";
  EXPECT_EQ(cluster_.request(nameless).error().code, Errc::invalid_argument);
  nameless.target = std::string(256, 'n');
  EXPECT_EQ(cluster_.request(nameless).error().code, Errc::invalid_argument);
}

TEST_F(RecordClusterTest, OpensAnotherChannelIfOneBrokeBetweenRequests) {
  node_.answer(RecordKind::reply, 1, {});
  ASSERT_TRUE(cluster_.request(ask()).ok());
  node_.send_errors.push_back({Errc::unavailable, "gone"});
  node_.answer(RecordKind::reply, 2, {});
  EXPECT_TRUE(cluster_.request(ask()).ok());
  EXPECT_EQ(node_.opened, 2);
  EXPECT_EQ(node_.sent.size(), 2U);
  node_.send_errors.push_back({Errc::unavailable, "gone"});
  node_.open_errors.push_back({Errc::unavailable, "refused"});
  EXPECT_EQ(cluster_.request(ask()).error().context, "refused");
}

TEST_F(RecordClusterTest, AsksAnotherServerWhenANodeIsLeaving) {
  struct Body {
    int kind = 1;
    int outcome = 3;
    std::string reason = "not accepted";
    TROUPE_MESSAGE(Body, kind, outcome, reason)
  };
  Request status = ask();
  status.target = "system/control";
  node_.answer(RecordKind::failure, 1, base::to_wire(Body{}));
  node_.answer(RecordKind::reply, 2, {});
  EXPECT_TRUE(std::holds_alternative<base::Bytes>(*cluster_.request(status)));
  EXPECT_EQ(node_.opened, 2);
  // Both are leaving, then only one can be reached.
  node_.answer(RecordKind::failure, 3, base::to_wire(Body{}));
  node_.answer(RecordKind::failure, 4, base::to_wire(Body{}));
  EXPECT_EQ(failure_of(cluster_.request(status)).outcome, Outcome::stopped);
  node_.answer(RecordKind::failure, 5, base::to_wire(Body{}));
  node_.open_errors.push_back({Errc::unavailable, "refused"});
  EXPECT_EQ(failure_of(cluster_.request(status)).outcome, Outcome::stopped);
  // An actor that has stopped has stopped for all.
  const int opened = node_.opened;
  node_.answer(RecordKind::failure, 6, base::to_wire(Body{}));
  EXPECT_EQ(failure_of(cluster_.request(ask())).outcome, Outcome::stopped);
  EXPECT_EQ(node_.opened, opened + 1);
}

TEST_F(RecordClusterTest, AnswersThatAreNoRecordsAreNotBelieved) {
  node_.incoming.push_back(base::Bytes{std::byte{1}});
  EXPECT_EQ(failure_of(cluster_.request(ask())).outcome, Outcome::undecodable);
}

TEST_F(RecordClusterTest, PausesByListening) {
  node_.answer(RecordKind::reply, 1, {});
  ASSERT_TRUE(cluster_.request(ask()).ok());
  node_.answer(RecordKind::reply, 1, {});
  const auto before = node_.clock.now();
  cluster_.pause(100ms);
  EXPECT_EQ(node_.clock.now() - before, base::Duration{100ms});
  EXPECT_TRUE(node_.incoming.empty());
}

}  // namespace
}  // namespace troupe::cli
