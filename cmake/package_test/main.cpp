#include <troupe/troupe.hpp>

#include <iostream>

struct Double {
  using Reply = std::int64_t;
  std::int64_t number = 0;
  TROUPE_MESSAGE(Double, number)
};

class Doubler : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Double>;
  std::int64_t on(const Double& m) { return 2 * m.number; }
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto doubler = node.spawn<Doubler>({.name = "doubler"}).value();
  std::cout << doubler.ask(Double{21}, std::chrono::seconds{10}).get().value() << '\n';
}
