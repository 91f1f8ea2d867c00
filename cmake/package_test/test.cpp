// No framework here: what fails is thrown.
#define TROUPE_NO_GOOGLETEST
#include <troupe/testing.hpp>
#include <troupe/troupe.hpp>

struct Add {
  std::int64_t number = 0;
  TROUPE_MESSAGE(Add, number)
};

class Doubler : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Add>;
  explicit Doubler(troupe::ActorRef<troupe::Protocol<Add>> to) : to_(to) {}
  void on(const Add& m) { (void)to_.tell(Add{2 * m.number}); }

 private:
  troupe::ActorRef<troupe::Protocol<Add>> to_;
};

int main() {
  troupe::testing::TestSystem system;
  troupe::testing::Probe probe = system.probe();
  const auto doubler = system.spawn<Doubler>({}, probe.as<troupe::Protocol<Add>>());
  return doubler.tell(Add{21}) == troupe::Outcome::accepted && probe.expect<Add>().number == 42 ? 0
                                                                                                : 1;
}
