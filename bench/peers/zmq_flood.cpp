// Raw libzmq, PUSH to PULL over loopback TCP between two processes: the ceiling, with neither
// actors nor a codec. Usage: bench-zmq_flood one|batch MESSAGES; a frame a message, or frames of 64
// KiB.

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <zmq.hpp>

#include "bench/figure.hpp"

namespace {

using troupe::bench::require;
using troupe::bench::sum_of_values;
using troupe::bench::value_of;

struct Item {
  std::uint64_t number;
  std::uint64_t value;
  char text[48];
};
static_assert(sizeof(Item) == 64);

constexpr std::size_t batch_items = 1024;

void receive(int endpoint_out, std::uint64_t messages) {
  zmq::context_t context;
  zmq::socket_t in{context, zmq::socket_type::pull};
  zmq::socket_t confirm{context, zmq::socket_type::push};
  in.bind("tcp://127.0.0.1:*");
  confirm.bind("tcp://127.0.0.1:*");
  const std::string endpoints =
      in.get(zmq::sockopt::last_endpoint) + " " + confirm.get(zmq::sockopt::last_endpoint) + "\n";
  require(write(endpoint_out, endpoints.data(), endpoints.size()) ==
              static_cast<ssize_t>(endpoints.size()),
          "pipe");
  std::uint64_t received = 0;
  std::uint64_t sum = 0;
  zmq::message_t frame;
  while (received < messages) {
    require(in.recv(frame).has_value(), "receive");
    require(frame.size() % sizeof(Item) == 0, "a frame is cut");
    const auto* at = static_cast<const char*>(frame.data());
    for (std::size_t i = 0; i < frame.size() / sizeof(Item); ++i, at += sizeof(Item)) {
      Item item;
      std::memcpy(&item, at, sizeof item);
      require(item.number == received && item.text[47] == 'x', "an item is wrong");
      ++received;
      sum += item.value;
    }
  }
  zmq::message_t answer{&sum, sizeof sum};
  require(confirm.send(answer, zmq::send_flags::none).has_value(), "send");
}

double send(const std::string& endpoints, std::uint64_t messages, std::size_t items_a_frame) {
  zmq::context_t context;
  zmq::socket_t out{context, zmq::socket_type::push};
  zmq::socket_t confirmed{context, zmq::socket_type::pull};
  const auto space = endpoints.find(' ');
  out.connect(endpoints.substr(0, space));
  confirmed.connect(endpoints.substr(space + 1));
  Item item{0, 0, {}};
  std::memset(item.text, 'x', sizeof item.text);
  const troupe::bench::Stopwatch watch;
  for (std::uint64_t sent = 0; sent < messages;) {
    const std::size_t count = std::min<std::uint64_t>(items_a_frame, messages - sent);
    zmq::message_t frame{count * sizeof(Item)};
    auto* at = static_cast<char*>(frame.data());
    for (std::size_t i = 0; i < count; ++i, at += sizeof(Item)) {
      item.number = sent++;
      item.value = value_of(item.number);
      std::memcpy(at, &item, sizeof item);
    }
    require(out.send(frame, zmq::send_flags::none).has_value(), "send");
  }
  zmq::message_t answer;
  require(confirmed.recv(answer).has_value(), "confirmation");
  const double seconds = watch.seconds();
  std::uint64_t sum = 0;
  std::memcpy(&sum, answer.data(), sizeof sum);
  require(sum == sum_of_values(messages), "the sum of the items is wrong");
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  require(argc == 3, "usage: bench-zmq_flood one|batch MESSAGES");
  const std::size_t items = std::strcmp(argv[1], "batch") == 0 ? batch_items : 1;
  const std::uint64_t messages = std::strtoull(argv[2], nullptr, 10);
  int pipe_ends[2];
  require(pipe(pipe_ends) == 0, "pipe");
  const pid_t child = fork();
  if (child == 0) {
    receive(pipe_ends[1], messages);
    return 0;
  }
  std::string endpoints;
  for (char c = 0; read(pipe_ends[0], &c, 1) == 1 && c != '\n';) {
    if (c != '\0') {
      endpoints += c;
    }
  }
  troupe::bench::print_rate("remote-flood", messages, send(endpoints, messages, items));
  int status = 0;
  require(waitpid(child, &status, 0) == child && status == 0, "the receiver failed");
}
