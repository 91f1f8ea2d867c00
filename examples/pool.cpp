// A pool of workers behind one actor: it hands each request on, and the worker answers the asker.
#include <troupe/troupe.hpp>

#include <iostream>
#include <map>
#include <vector>

using namespace std::chrono_literals;

struct Squared {
  std::int64_t value = 0;
  std::uint32_t worker = 0;
  TROUPE_MESSAGE(Squared, value, worker)
};
struct Square {
  using Reply = Squared;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Square, number)
};

class Worker : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Square>;
  explicit Worker(std::uint32_t number) : number_(number) {}

  Squared on(const Square& m) { return {m.number * m.number, number_}; }

 private:
  std::uint32_t number_;
};

/// Its workers take turns. They are its children: restarted when they fail, stopped when it ends.
class Pool : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Square>;
  explicit Pool(std::uint32_t size) : size_(size) {}

  void on_start() override {
    for (std::uint32_t number = 0; number < size_; ++number) {
      workers_.push_back(
          spawn<Worker>({.name = "worker-" + std::to_string(number)}, number).value());
    }
  }
  void on(const Square& m, troupe::ReplyTo<Squared> reply) {
    (void)reply.forward(workers_[next_], m);
    next_ = (next_ + 1) % workers_.size();
  }

 private:
  std::uint32_t size_;
  std::vector<troupe::ActorRef<Worker>> workers_;
  std::size_t next_ = 0;
};

int main(int argc, char** argv) {
  constexpr std::int64_t requests = 100;
  constexpr std::uint32_t workers = 4;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto pool = node.spawn<Pool>({}, workers).value();

  std::vector<troupe::Ask<Squared>> asks;  // all on their way before the first is awaited
  for (std::int64_t number = 0; number < requests; ++number) {
    asks.push_back(pool.ask(Square{number}, 10s));
  }
  std::map<std::uint32_t, std::int64_t> done_by;
  for (std::int64_t number = 0; number < requests; ++number) {
    const auto squared = asks[static_cast<std::size_t>(number)].get();
    if (!squared.ok() || squared->value != number * number) {
      std::cerr << number << ": " << (squared.ok() ? "wrong" : squared.error().text()) << '\n';
      return 1;
    }
    ++done_by[squared->worker];
  }
  for (const auto& [worker, count] : done_by) {
    std::cout << "worker " << worker << ": " << count << '\n';
    if (count != requests / workers) {
      return 1;
    }
  }
  return done_by.size() == workers ? 0 : 1;
}
