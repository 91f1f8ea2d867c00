// A rate limit in front of something that must not be called too often: ten calls at once, then one
// every two milliseconds. Who comes too soon waits in the mailbox, whose bound is the longest
// queue.
#include <iostream>
#include <optional>
#include <troupe/troupe.hpp>
#include <vector>

using namespace std::chrono_literals;

struct Passed {
  std::int64_t number = 0;
  std::int64_t after_us = 0;  // since the first call
  TROUPE_MESSAGE(Passed, number, after_us)
};
struct Call {
  using Reply = Passed;
  TROUPE_MESSAGE(Call)
};

class Gate : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Call>;
  explicit Gate(troupe::RateLimit limit) : limiter_(limit) {}

  troupe::Task<Passed> on(Call) {
    auto turn = troupe::throttle(limiter_);
    if (!co_await turn) {  // the next call is not handled meanwhile
      throw troupe::Refusal{"too many calls at once"};
    }
    const auto at = now();
    first_ = first_.value_or(at);
    co_return Passed{++passed_, (at - *first_) / 1us};
  }

 private:
  troupe::RateLimiter limiter_;
  std::int64_t passed_ = 0;
  std::optional<troupe::TimePoint> first_;
};

int main(int argc, char** argv) {
  constexpr std::int64_t calls = 30;
  const troupe::RateLimit limit{.tokens = 1, .per = 2ms, .burst = 10};
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto gate = node.spawn<Gate>({.mailbox_messages_max = 100}, limit).value();

  std::vector<troupe::Ask<Passed>> asks;
  for (std::int64_t i = 0; i < calls; ++i) {
    asks.push_back(gate.ask(Call{}, 10s));
  }
  std::int64_t last_us = 0;
  for (std::int64_t i = 0; i < calls; ++i) {
    const auto passed = asks[static_cast<std::size_t>(i)].get();
    if (!passed.ok() || passed->number != i + 1) {
      std::cerr << "call " << i << ": " << (passed.ok() ? "out of order" : passed.error().text())
                << '\n';
      return 1;
    }
    last_us = passed->after_us;
  }
  const std::int64_t least_us = (calls - limit.burst) * (limit.per / 1us);
  std::cout << calls << " calls in " << last_us << " us, at least " << least_us << '\n';
  return last_us >= least_us ? 0 : 1;
}
