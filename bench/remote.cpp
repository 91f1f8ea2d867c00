// Between two nodes over loopback TCP. Usage: bench-remote flood MESSAGES; starts the receiving
// process, this program again, by itself.

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <string_view>

#include "bench/figure.hpp"
#include "bench/windowed.hpp"
#include "troupe/troupe.hpp"

namespace troupe::bench {

namespace {

// One actor sends to one on the other node: typed messages of 8 + 8 + 48 bytes, as MessagePack.

struct Item {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  std::string text;
  TROUPE_MESSAGE(Item, number, value, text)
};
struct RemoteItem {
  using Message = Item;
  static constexpr std::size_t text_bytes = 48;
  static Message make(std::uint64_t number) {
    static const std::string text(text_bytes, 'x');
    return {number, value_of(number), text};
  }
  static bool is_right(const Message& m) {
    return m.text.size() == text_bytes && m.text.back() == 'x';
  }
};
using Sink = WindowedSink<RemoteItem>;
using Source = WindowedSource<RemoteItem>;

constexpr std::uint64_t window = 20'000;

Config config_of(const char* name) {
  Config config;
  config.name = name;
  config.cluster = "bench";
  config.listen = "tcp://127.0.0.1:0";
  config.demo = false;
  config.log_level = base::LogLevel::warn;
  return config;
}

/// The receiving process: this program again. Ended and waited for by finish().
class Receiver {
 public:
  Receiver() {
    int ends[2];
    require(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    char program[] = "/proc/self/exe";
    char word[] = "receive";
    char* const arguments[] = {program, word, nullptr};
    require(posix_spawn(&pid_, program, &actions, nullptr, arguments, environ) == 0, "spawn");
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) {
      address += c;
    }
    close(ends[0]);
    require(!address.empty(), "the receiver did not start");
  }

  void finish() const {
    int status = 0;
    require(kill(pid_, SIGTERM) == 0 && waitpid(pid_, &status, 0) == pid_ && status == 0,
            "the receiver did not leave in order");
  }

  std::string address;

 private:
  pid_t pid_ = 0;
};

/// The receiving process: a node whose address it prints.
int receive() {
  require(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0, "prctl");  // also if the sender fails
  Node node{config_of("receiver")};
  node.start().value();
  node.spawn<Sink>({.name = "sink", .mailbox_messages_max = 2 * window}).value();
  std::printf("%s\n", node.address().c_str());
  std::fflush(stdout);
  return node.run();
}

/// Starts the receiving process by itself.
void flood(std::uint64_t messages) {
  const Receiver receiver;
  Config config = config_of("sender");
  config.seeds = {receiver.address};
  Node node{config};
  node.start().value();
  node.wait_until_ready(std::chrono::seconds{20}).value();

  const auto found = node.find<Sink>("sink").ask(WhoAreYou{}, std::chrono::seconds{20}).get();
  require(found.ok(), "the sink does not answer");
  std::promise<std::uint64_t> done;
  const std::function<void(std::uint64_t)> finish = [&](std::uint64_t sum) { done.set_value(sum); };
  const ActorRef<Sink> sink{found.value()};
  const auto source = node.spawn<Source>({}, sink, messages, window, finish).value();

  const Stopwatch watch;
  require(source.tell(Go{}) == Outcome::accepted, "the source did not start");
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(messages), "the sum of the items is wrong");
  print_rate("remote-flood", messages, seconds);
  receiver.finish();
}

}  // namespace

}  // namespace troupe::bench

int main(int argc, char** argv) {
  const std::string_view work = argc > 1 ? argv[1] : "";
  if (work == "receive") {
    return troupe::bench::receive();
  }
  troupe::bench::require(work == "flood" && argc == 3, "usage: bench-remote flood MESSAGES");
  troupe::bench::flood(std::strtoull(argv[2], nullptr, 10));
}
