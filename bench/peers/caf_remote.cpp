// CAF's middleman between two processes over loopback TCP. Usage:
//   bench-caf_remote MESSAGES WINDOW [THREADS]
// starts the receiving process itself. At most WINDOW items are on their way; 0: no bound.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <string>

#include "bench/peers/caf_windowed.hpp"
#include "caf/io/all.hpp"

namespace troupe::bench {

namespace {

struct Item {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  std::string text;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Item& item) {
  return f(caf::meta::type_name("Item"), item.number, item.value, item.text);
}

struct Config : caf::actor_system_config {
  explicit Config(int threads) {
    load<caf::io::middleman>();
    add_message_type<Item>("Item");
    if (threads != 0) {
      set("scheduler.max-threads", static_cast<std::size_t>(threads));
    }
  }
};

struct RemoteItem {
  using Message = Item;
  static constexpr std::size_t text_bytes = 48;
  static Message make(std::uint64_t number) {
    static const std::string text(text_bytes, 'x');
    return {number, value_of(number), text};
  }
  static bool is_right(const Message& item) {
    return item.text.size() == text_bytes && item.text.back() == 'x';
  }
};
using Sink = WindowedSink<RemoteItem>;
using Source = WindowedSource<RemoteItem>;

void receive(int port_out, std::uint64_t messages, std::uint64_t window, int threads) {
  Config config{threads};
  caf::actor_system system{config};
  std::promise<void> done;
  const auto sink = system.spawn<Sink>(messages, window, &done);
  const auto port = system.middleman().publish(sink, 0, "127.0.0.1");
  require(static_cast<bool>(port), "publish");
  require(write(port_out, &*port, sizeof *port) == sizeof *port, "pipe");
  done.get_future().wait();
  caf::anon_send_exit(sink, caf::exit_reason::user_shutdown);
}

void send(std::uint16_t port, std::uint64_t messages, std::uint64_t window, int threads) {
  Config config{threads};
  caf::actor_system system{config};
  const auto sink = system.middleman().remote_actor("127.0.0.1", port);
  require(static_cast<bool>(sink), "connect");
  std::promise<std::uint64_t> done;
  const auto source = system.spawn<Source>(messages, window, *sink, &done);
  const Stopwatch watch;
  caf::anon_send(source, Go::value);
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(messages), "the sum of the items is wrong");
  print_rate("remote-flood", messages, seconds);
  caf::anon_send(*sink, Done::value);
  caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
}

}  // namespace

}  // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe::bench;
  require(argc >= 3, "usage: bench-caf_remote MESSAGES WINDOW [THREADS]");
  const std::uint64_t messages = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t window = std::strtoull(argv[2], nullptr, 10);
  const int threads = argc > 3 ? std::atoi(argv[3]) : 0;
  int pipe_ends[2];
  require(pipe(pipe_ends) == 0, "pipe");
  const pid_t child = fork();
  if (child == 0) {
    receive(pipe_ends[1], messages, window, threads);
    return 0;
  }
  std::uint16_t port = 0;
  require(read(pipe_ends[0], &port, sizeof port) == sizeof port, "pipe");
  send(port, messages, window, threads);
  int status = 0;
  require(waitpid(child, &status, 0) == child && status == 0, "the receiver failed");
}
