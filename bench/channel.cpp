#include "actors/channel.hpp"

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

using Values = actors::Channel<std::uint64_t>;

struct Go {
  TROUPE_MESSAGE(Go)
};

/// Sends all values and closes.
class Producer : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Producer(Values out, std::uint64_t values) : out_(out), values_(values) {}

  Task<> on(Go) {
    for (std::uint64_t number = 0; number < values_; ++number) {
      auto sending = out_.send(value_of(number));
      const bool is_sent = co_await sending;
      require(is_sent, "the channel is closed");
    }
    out_.close();
  }

 private:
  Values out_;
  std::uint64_t values_;
};

class Consumer : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Consumer(Values in, std::promise<std::uint64_t>* done) : in_(in), done_(done) {}

  Task<> on(Go) {
    std::uint64_t sum = 0;
    std::uint64_t received = 0;
    for (;;) {
      auto receiving = in_.receive();
      const std::optional<std::uint64_t> value = co_await receiving;
      if (!value) {
        break;
      }
      require(*value == value_of(received++), "a value is out of order");
      sum += *value;
    }
    done_->set_value(sum);
  }

 private:
  Values in_;
  std::promise<std::uint64_t>* done_;
};

/// Passes each number on, one less, until 0.
class Player : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Player(Values in, Values out, std::uint64_t first, std::promise<void>* done)
      : in_(in), out_(out), expected_(first), done_(done) {}

  Task<> on(Go) {
    for (;; expected_ -= 2) {
      auto receiving = in_.receive();
      const std::optional<std::uint64_t> left = co_await receiving;
      if (!left) {
        co_return;
      }
      require(*left == expected_, "a number is out of order");
      if (*left == 0) {
        in_.close();
        out_.close();
        done_->set_value();
        co_return;
      }
      auto sending = out_.send(*left - 1);
      const bool is_sent = co_await sending;
      require(is_sent, "the channel is closed");
    }
  }

 private:
  Values in_;
  Values out_;
  std::uint64_t expected_;
  std::promise<void>* done_;
};

}  // namespace

void channel_stream(const Order& order) {
  LocalActors actors{order};
  const Values values{channel_values};
  std::promise<std::uint64_t> done;
  const auto consumer = actors->spawn<Consumer>({}, values, &done).value();
  const auto producer = actors->spawn<Producer>({}, values, order.count).value();
  const Stopwatch watch;
  tell(consumer, Go{});
  tell(producer, Go{});
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(order.count), "the sum of the values is wrong");
  print_rate("channel-stream", order.count, seconds);
}

void channel_ping_pong(const Order& order) {
  const std::uint64_t messages = order.count / 2 * 2;
  LocalActors actors{order};
  const Values there{1};
  const Values back{1};
  std::promise<void> done;
  const auto first = actors->spawn<Player>({}, there, back, messages - 1, &done).value();
  const auto second = actors->spawn<Player>({}, back, there, messages - 2, &done).value();
  tell(first, Go{});
  tell(second, Go{});
  const Stopwatch watch;
  require(there.try_send(messages - 1), "the channel is full");
  done.get_future().wait();
  print_latency("channel-ping-pong", messages, watch.seconds());
}

}  // namespace troupe::bench
