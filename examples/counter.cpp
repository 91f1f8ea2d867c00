// A counter: private state behind a mailbox, reached by a reference or by its name.
#include <troupe/troupe.hpp>

#include <iostream>

using namespace std::chrono_literals;

struct Increment {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Increment, by)
};
struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

class Counter : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Increment, Get>;  // checked when this and every send compiles

  void on(const Increment& m) { count_ += m.by; }
  std::int64_t on(const Get&) { return count_; }  // what a handler returns is the reply

 private:
  std::int64_t count_ = 0;
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto hits = node.spawn<Counter>({.name = "hits"}).value();

  if (hits.tell(Increment{.by = 2}) != troupe::Outcome::accepted) {
    return 1;
  }
  const auto count = hits.ask(Get{}, 5s).get();  // a plain thread waits; an actor says co_await
  if (!count.ok()) {
    std::cerr << count.error().text() << '\n';
    return 1;
  }
  std::cout << "hits: " << count.value() << '\n';

  // By name: the same from every node of the cluster.
  const auto same = node.find<Counter>("hits").ask(Get{}, 5s).get();
  return count.value() == 2 && same.ok() && same.value() == 2 ? 0 : 1;
}
