// A pool of equal workers behind one reference. Free workers pull the next request; one that
// crashes is replaced, and because the requests are idempotent, what it had begun is begun again.
// Then two other ways to choose a worker: by a key, and all of them.
#include <atomic>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <troupe/troupe.hpp>
#include <vector>

using namespace std::chrono_literals;

struct Squared {
  std::int64_t value = 0;
  troupe::AnyRef worker;
  TROUPE_MESSAGE(Squared, value, worker)
};
struct Square {
  using Reply = Squared;
  static constexpr bool idempotent = true;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Square, number)
};

class Worker : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Square>;

  Squared on(const Square& m) {
    if (m.number == 13 && !crashed.exchange(true)) {
      throw std::runtime_error{"thirteen, for the first time"};
    }
    return {m.number * m.number, self()};
  }
  static inline std::atomic<bool> crashed{false};
};

struct Reload {
  TROUPE_MESSAGE(Reload)
};

class Cache : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Reload>;
  explicit Cache(troupe::Channel<std::uint64_t> reloaded) : reloaded_(std::move(reloaded)) {}
  void on(const Reload&) { (void)reloaded_.try_send(self().id().value); }

 private:
  troupe::Channel<std::uint64_t> reloaded_;
};

bool equal_keys_meet(troupe::Node& node) {
  const auto last_digit = [](const Square& m) { return m.number % 10; };
  const auto pool =
      troupe::spawn_pool<Worker>(
          node.system(), {.workers = 2, .routing = troupe::Routing::by_key<Worker>(last_digit)})
          .value();
  pool.resize(6);
  const auto one = pool.ask(Square{5}, 10s).get().value_or({});
  const auto other = pool.ask(Square{25}, 10s).get().value_or({});
  return one.worker == other.worker && other.value == 625 && pool.status().workers == 6;
}

bool all_are_told(troupe::Node& node) {
  constexpr std::uint32_t workers = 3;
  const troupe::Channel<std::uint64_t> reloaded{workers};
  const auto pool =
      troupe::spawn_pool<Cache>(
          node.system(), {.workers = workers, .routing = troupe::Routing::broadcast()}, reloaded)
          .value();
  std::set<std::uint64_t> told;
  if (pool.tell(Reload{}) == troupe::Outcome::accepted) {
    for (std::uint32_t i = 0; i < workers; ++i) {
      told.insert(reloaded.receive_blocking().value());
    }
  }
  std::cout << told.size() << " caches reloaded\n";
  return told.size() == workers;
}

int main(int argc, char** argv) {
  constexpr std::int64_t requests = 100;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  if (const auto started = node.start(); !started.ok()) {
    std::cerr << started.error().text() << '\n';
    return 1;
  }
  const auto pool = troupe::spawn_pool<Worker>(
                        node.system(), {.workers = 4, .routing = troupe::Routing::on_demand()})
                        .value();

  std::vector<troupe::Ask<Squared>> asks;  // all on their way before the first is awaited
  for (std::int64_t number = 0; number < requests; ++number) {
    asks.push_back(pool.ask(Square{number}, 10s));
  }
  std::map<std::uint64_t, std::int64_t> done_by;
  for (std::int64_t number = 0; number < requests; ++number) {
    const auto squared = asks[static_cast<std::size_t>(number)].get();
    if (!squared.ok() || squared->value != number * number) {
      std::cerr << number << ": " << (squared.ok() ? "wrong" : squared.error().text()) << '\n';
      return 1;
    }
    ++done_by[squared->worker.id().value];
  }
  for (const auto& [worker, count] : done_by) {
    std::cout << "worker " << (worker & 0xFFFFFFFFU) << ": " << count << '\n';
  }
  return Worker::crashed && equal_keys_meet(node) && all_are_told(node) ? 0 : 1;
}
