// Asio's concurrent channel between two coroutines on a pool of two threads.
// Usage: bench-asio_channel channel-stream|channel-ping-pong COUNT

#include <asio.hpp>
#include <asio/experimental/concurrent_channel.hpp>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <future>

#include "bench/figure.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

using Channel = asio::experimental::concurrent_channel<void(asio::error_code, std::uint64_t)>;
using Coroutine = asio::awaitable<void>;

/// Nobody waits for the coroutines themselves: what one throws would be lost.
void fail(const std::exception_ptr& error) {
  require(!error, "a coroutine has thrown");
}

Coroutine produce(Channel& out, std::uint64_t values) {
  for (std::uint64_t number = 0; number < values; ++number) {
    co_await out.async_send(asio::error_code{}, value_of(number), asio::use_awaitable);
  }
}

Coroutine consume(Channel& in, std::uint64_t values, std::promise<std::uint64_t>& done) {
  std::uint64_t sum = 0;
  for (std::uint64_t received = 0; received < values; ++received) {
    const std::uint64_t value = co_await in.async_receive(asio::use_awaitable);
    require(value == value_of(received), "a value is out of order");
    sum += value;
  }
  done.set_value(sum);
}

/// Passes each number on, one less, until 0.
Coroutine play(Channel& in, Channel& out, std::uint64_t expected, std::promise<void>& done) {
  for (;; expected -= 2) {
    const std::uint64_t left = co_await in.async_receive(asio::use_awaitable);
    require(left == expected, "a number is out of order");
    if (left == 0) {
      done.set_value();
      co_return;
    }
    co_await out.async_send(asio::error_code{}, left - 1, asio::use_awaitable);
    if (left == 1) {
      co_return;
    }
  }
}

void stream(std::uint64_t count) {
  asio::thread_pool pool{2};
  Channel values{pool, channel_values};
  std::promise<std::uint64_t> done;
  const Stopwatch watch;
  asio::co_spawn(pool, consume(values, count, done), &fail);
  asio::co_spawn(pool, produce(values, count), &fail);
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(count), "the sum of the values is wrong");
  print_rate("channel-stream", count, seconds);
  pool.join();
}

void ping_pong(std::uint64_t count) {
  const std::uint64_t messages = count / 2 * 2;
  asio::thread_pool pool{2};
  Channel there{pool, 1};
  Channel back{pool, 1};
  std::promise<void> done;
  asio::co_spawn(pool, play(there, back, messages - 1, done), &fail);
  asio::co_spawn(pool, play(back, there, messages - 2, done), &fail);
  const Stopwatch watch;
  require(there.try_send(asio::error_code{}, messages - 1), "the channel is full");
  done.get_future().wait();
  print_latency("channel-ping-pong", messages, watch.seconds());
  pool.join();
}

}  // namespace

}  // namespace troupe::bench

int main(int argc, char** argv) {
  troupe::bench::require(argc == 3, "usage: bench-asio_channel WORK COUNT");
  const std::uint64_t count = std::strtoull(argv[2], nullptr, 10);
  if (std::strcmp(argv[1], "channel-stream") == 0) {
    troupe::bench::stream(count);
  } else {
    troupe::bench::require(std::strcmp(argv[1], "channel-ping-pong") == 0, "no such work");
    troupe::bench::ping_pong(count);
  }
}
