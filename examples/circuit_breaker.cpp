// A circuit breaker before something that fails: after three failures callers are refused at once,
// and it is left in peace; then one call is tried, and when that succeeds all pass again.
#include <atomic>
#include <iostream>
#include <string>
#include <troupe/troupe.hpp>

using namespace std::chrono_literals;

struct Quote {
  using Reply = std::int64_t;
  std::string item;
  TROUPE_MESSAGE(Quote, item)
};

/// Lets its askers wait in vain until it is repaired.
class Shop : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Quote>;

  void on(const Quote& m, troupe::ReplyTo<std::int64_t> reply) {
    ++calls;
    if (is_repaired) {
      reply.send(static_cast<std::int64_t>(m.item.size()));
    } else {
      reply.fail({troupe::AskError::Kind::may_have_run, troupe::Outcome::expired, "out of order"});
    }
  }
  static inline std::atomic<bool> is_repaired{false};
  static inline std::atomic<int> calls{0};
};

class Client : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Quote>;
  explicit Client(troupe::ActorRef<Shop> shop) : shop_(shop) {}

  troupe::Task<std::int64_t> on(Quote m) {
    auto call = breaker_.call(shop_, m, 1s);
    const auto price = co_await std::move(call);
    if (!price.ok()) {
      throw troupe::Refusal{price.error().text()};
    }
    co_return price.value();
  }

 private:
  troupe::ActorRef<Shop> shop_;
  troupe::CircuitBreaker breaker_{{.failures_max = 3, .window = 10s, .open_for = 50ms}};
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto shop = node.spawn<Shop>().value();
  const auto client = node.spawn<Client>({}, shop).value();

  for (int i = 0; i < 10; ++i) {
    const auto price = client.ask(Quote{"tea"}, 5s).get();
    std::cout << (price.ok() ? "a price" : price.error().text()) << '\n';
  }
  const int calls_while_broken = Shop::calls;
  Shop::is_repaired = true;
  for (int i = 0; i < 1'000'000; ++i) {
    if (const auto price = client.ask(Quote{"tea"}, 5s).get(); price.ok()) {
      std::cout << "a price again: " << price.value() << '\n';
      return calls_while_broken >= 3 && calls_while_broken < 10 ? 0 : 1;
    }
  }
  return 1;
}
