#include "transport/zmq_dealer.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe::transport {
namespace {

TEST(ZmqDealer, ThatIsGivenUpLeavesTheOthersAlone) {
  zmq::context_t context;
  zmq::socket_t router{context, zmq::socket_type::router};
  router.set(zmq::sockopt::linger, 0);
  router.bind("tcp://127.0.0.1:*");
  constexpr std::uint64_t attempts = 60;
  for (std::uint64_t attempt = 1; attempt <= attempts; ++attempt) {
    const ZmqDealer refused{context, "tcp://127.0.0.1:1", attempt};
  }

  ZmqDealer dealer{context, router.get(zmq::sockopt::last_endpoint), attempts + 1};
  zmq::pollitem_t event{dealer.monitor().handle(), 0, ZMQ_POLLIN, 0};
  ASSERT_EQ(zmq::poll(&event, 1, std::chrono::seconds{5}), 1) << "the I/O thread hangs";
  const auto change = dealer.next_event();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->change, ZmqDealer::Change::opened);
}

}  // namespace
}  // namespace troupe::transport
