// A distributed worker: a node of its own program, with its own kinds of actors. Start it as often
// as there are machines, let the first ones be the seeds, and work is spread over all:
//
//   worker --name w1 --listen tcp://127.0.0.1:7401 --seeds tcp://127.0.0.1:7401
//   worker --name w2 --listen tcp://127.0.0.1:7402 --seeds tcp://127.0.0.1:7401
//   troupe -s tcp://127.0.0.1:7401 spawn prime_pool --name primes
//   troupe -s tcp://127.0.0.1:7401 ask primes CountPrimes '{"from": 0, "to": 1000}'
#include <troupe/troupe.hpp>

#include <iostream>

struct CountPrimes {
  using Reply = std::int64_t;
  std::int64_t from = 0;
  std::int64_t to = 0;  // not included
  TROUPE_MESSAGE(CountPrimes, from, to)
};

class PrimeCounter : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<CountPrimes>;
  static constexpr std::int64_t to_max = 10'000'000;

  std::int64_t on(const CountPrimes& m) {
    if (m.to > to_max) {
      throw troupe::Refusal{"at most up to " + std::to_string(to_max)};
    }
    std::int64_t count = 0;
    for (std::int64_t number = std::max<std::int64_t>(m.from, 2); number < m.to; ++number) {
      count += is_prime(number) ? 1 : 0;
    }
    return count;
  }

 private:
  static bool is_prime(std::int64_t number) {
    for (std::int64_t divisor = 2; divisor * divisor <= number; ++divisor) {
      if (number % divisor == 0) {
        return false;
      }
    }
    return true;
  }
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  node.register_actor<PrimeCounter>("prime_counter");
  node.register_pool("prime_pool", "prime_counter", 8);  // its workers live on all nodes
  const auto started = node.start();
  if (!started.ok()) {
    std::cerr << started.error().text() << '\n';
    return 1;
  }
  std::cout << node.id().name << " listens at " << node.address() << std::endl;
  return node.run();  // until SIGTERM; then hands over what it holds
}
