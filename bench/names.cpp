#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <string_view>

#include "bench/figure.hpp"
#include "bench/windowed.hpp"
#include "troupe/troupe.hpp"

// What a name costs beside a reference, in a node of its own: looking it up, and sending to it.

namespace troupe::bench {

namespace {

using actors::ActorRef;
using base::Outcome;

using Sink = WindowedSink<LocalItem>;
using Source = WindowedSource<LocalItem>;

constexpr std::uint64_t window = 10'000;
constexpr int other_names = 1'000;

void look_up(Node& node, std::uint64_t count) {
  for (int i = 0; i < other_names; ++i) {
    (void)node.find<Sink>("other-" + std::to_string(i));
  }
  const std::string name = "sink";
  const auto known = node.find<Sink>(name);
  std::uint64_t same = 0;
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < count; ++i) {
    same += node.find<Sink>(name) == known ? 1 : 0;
  }
  const double seconds = watch.seconds();
  require(same == count, "a look-up found somebody else");
  print_latency("look-up", count, seconds);
}

void flood(Node& node, const ActorRef<Sink>& sink, std::uint64_t count) {
  std::promise<std::uint64_t> done;
  const std::function<void(std::uint64_t)> finish = [&](std::uint64_t sum) { done.set_value(sum); };
  const auto source = node.spawn<Source>({}, sink, count, window, finish).value();
  const Stopwatch watch;
  require(source.tell(Go{}) == Outcome::accepted, "the source did not start");
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(count), "the sum of the items is wrong");
  print_latency("send", count, seconds);
}

int run(std::string_view work, std::uint64_t count) {
  Config config;
  config.listen = "tcp://127.0.0.1:0";
  config.demo = false;
  config.log_level = base::LogLevel::warn;
  config.workers = 1;  // which cores the two actors are on costs more than a name does
  Node node{config};
  node.start().value();
  node.wait_until_ready(std::chrono::seconds{20}).value();
  const auto spawned =
      node.spawn<Sink>({.name = "sink", .mailbox_messages_max = 2 * window}).value();
  const auto answer = spawned.ask(WhoAreYou{}).get();
  require(answer.ok(), "the sink does not answer");
  if (work == "look-up") {
    look_up(node, count);
  } else if (work == "by-name") {
    flood(node, node.find<Sink>("sink"), count);
  } else if (work == "by-reference") {
    flood(node, ActorRef<Sink>{answer.value()}, count);
  } else {
    return 64;
  }
  return 0;
}

}  // namespace

}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench-names look-up|by-name|by-reference COUNT\n");
    return 64;
  }
  return troupe::bench::run(argv[1], std::strtoull(argv[2], nullptr, 10));
}
