#include "transport/zmq_dealer.hpp"

#include <cstring>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
// Debian's libzmq is not built with ThreadSanitizer, which therefore does not see how libzmq's
// threads hand memory to ours.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libzmq.so\ncalled_from_lib:libzmq.so\n";
}
#else
#define __tsan_acquire(address) static_cast<void>(address)
#define __tsan_release(address) static_cast<void>(address)
#endif

namespace troupe::transport {

namespace {

// Below this a copy is cheaper than a second allocation.
constexpr std::size_t copied_bytes_max = 1024;

zmq::message_t to_message(const Frame& frame) {
  if (frame->size() <= copied_bytes_max) {
    return zmq::message_t{frame->data(), frame->size()};
  }
  // libzmq only reads it; its interface just does not say so.
  auto* owner = new Frame{frame};
  __tsan_release(owner);
  return zmq::message_t{const_cast<std::byte*>(frame->data()), frame->size(),
                        [](void*, void* shared) {
                          __tsan_acquire(shared);
                          delete static_cast<Frame*>(shared);
                        },
                        owner};
}

}  // namespace

bool send_frame(zmq::socket_t& socket, const Frame& frame) {
  zmq::message_t message = to_message(frame);
  return socket.send(message, zmq::send_flags::dontwait).has_value();
}

bool receive_part(zmq::socket_t& socket, zmq::message_t& part) {
  for (;;) {
    try {
      return socket.recv(part, zmq::recv_flags::dontwait).has_value();
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) {
        throw;
      }
    }
  }
}

bool receive_frame(zmq::socket_t& socket, zmq::message_t& frame, bool& is_single) {
  if (!receive_part(socket, frame)) {
    return false;
  }
  is_single = !frame.more();
  zmq::message_t further;
  for (bool more = !is_single; more; more = further.more()) {
    if (!receive_part(socket, further)) {
      break;
    }
  }
  return true;
}

ZmqDealer::ZmqDealer(zmq::context_t& context, const std::string& endpoint, std::uint64_t number)
    : socket_(context, zmq::socket_type::dealer), monitor_(context, zmq::socket_type::pair) {
  socket_.set(zmq::sockopt::linger, 0);
  monitor_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::immediate, true);
  socket_.set(zmq::sockopt::reconnect_ivl, -1);
  socket_.set(zmq::sockopt::handshake_ivl, 3000);
  socket_.set(zmq::sockopt::connect_timeout, 3000);
  socket_.set(zmq::sockopt::tcp_maxrt, 10000);
  socket_.set(zmq::sockopt::sndhwm, 16);
  socket_.set(zmq::sockopt::rcvhwm, 64);
  socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes_max));
  const std::string place = "inproc://monitor-" + std::to_string(number);
  const int events = ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  if (zmq_socket_monitor(socket_.handle(), place.c_str(), events) != 0) {
    throw zmq::error_t{};
  }
  monitor_.connect(place);
  socket_.connect(endpoint);
}

// libzmq's I/O thread waits for ever in an event that nobody is left to take, and with it stands
// every connection of the context. So the monitor ends before its reader.
ZmqDealer::~ZmqDealer() {
  zmq_socket_monitor(socket_.handle(), nullptr, 0);
}

std::optional<ZmqDealer::Event> ZmqDealer::next_event() {
  zmq::message_t event;
  bool is_single = false;
  if (!receive_frame(monitor_, event, is_single) || event.size() < sizeof(std::uint16_t)) {
    return std::nullopt;
  }
  std::uint16_t kind = 0;
  std::memcpy(&kind, event.data(), sizeof kind);
  switch (kind) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: opened_ = true; return Event{Change::opened, ""};
    case ZMQ_EVENT_DISCONNECTED:
      return Event{Change::broken,
                   opened_ ? "the connection was lost" : "it closed the connection at once"};
    case ZMQ_EVENT_CLOSED: return Event{Change::broken, "the connection was refused"};
    default: return Event{Change::broken, "whoever listens there does not speak this protocol"};
  }
}

}  // namespace troupe::transport
