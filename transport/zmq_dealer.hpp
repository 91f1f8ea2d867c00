#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "transport/engine.hpp"

namespace troupe::transport {

/// Sends the frame without copying it if it is large; false if the socket would block. Throws
/// zmq::error_t, EHOSTUNREACH for a ROUTER's peer that is gone.
bool send_frame(zmq::socket_t& socket, const Frame& frame);
/// One message part; false if there is none.
bool receive_part(zmq::socket_t& socket, zmq::message_t& part);
/// One message, which must have exactly one part; further ones are read and `is_single` is false.
bool receive_frame(zmq::socket_t& socket, zmq::message_t& frame, bool& is_single);

/// One attempt at an outbound connection: a DEALER that never reconnects by itself, and its
/// monitor. Owned by one thread; a failed system call of libzmq throws zmq::error_t.
class ZmqDealer {
 public:
  enum class Change { opened, broken };
  struct Event {
    Change change;
    std::string reason;
  };

  /// `endpoint` has a numeric host.
  ZmqDealer(zmq::context_t& context, const std::string& endpoint, std::uint64_t number);
  ~ZmqDealer();
  ZmqDealer(const ZmqDealer&) = delete;
  ZmqDealer& operator=(const ZmqDealer&) = delete;

  [[nodiscard]] zmq::socket_t& socket() { return socket_; }
  [[nodiscard]] zmq::socket_t& monitor() { return monitor_; }
  /// What the monitor saw next, if anything.
  [[nodiscard]] std::optional<Event> next_event();
  /// So long a close may take to write what is queued; 0 unless set.
  void set_linger(int linger_ms) { socket_.set(zmq::sockopt::linger, linger_ms); }

 private:
  zmq::socket_t socket_;
  zmq::socket_t monitor_;
  bool opened_ = false;
};

}  // namespace troupe::transport
