// A pipeline with back-pressure: each stage waits for room in the next one, so the slowest sets the
// pace, and however long the stream is, only a few values are in memory. The stage in the middle
// has four workers, whose results stay in order.
#include <iostream>
#include <optional>
#include <troupe/troupe.hpp>

int main(int argc, char** argv) {
  constexpr std::int64_t count = 5000;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  if (const auto started = node.start(); !started.ok()) {
    std::cerr << started.error().text() << '\n';
    return 1;
  }

  std::int64_t sum = 0;
  bool in_order = true;
  const auto numbers = [next = std::int64_t{0}]() mutable -> std::optional<std::int64_t> {
    return next < count ? std::optional{++next} : std::nullopt;
  };
  const auto square = [](std::int64_t value) { return value * value; };
  const auto add = [&, last = std::int64_t{0}](std::int64_t value) mutable {
    in_order = in_order && value > last;
    last = value;
    sum += value;
  };
  const auto run = troupe::pipeline_from(node.system(), numbers, {.buffer = 8})
                       .then(square, {.name = "square", .workers = 4, .buffer = 8})
                       .into(add);
  if (!run.ok()) {
    std::cerr << run.error().text() << '\n';
    return 1;
  }
  const auto end = run->wait();
  std::cout << end.count << " squares, their sum " << sum << '\n';
  return end.ok() && end.count == count && in_order &&
                 sum == count * (count + 1) * (2 * count + 1) / 6
             ? 0
             : 1;
}
