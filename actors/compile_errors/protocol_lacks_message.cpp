// error: ProtocolLacksMessage<Decrement Protocol<Increment>
#include "actors/actor_system.hpp"

struct Increment {
  TROUPE_MESSAGE(Increment)
};
struct Decrement {
  TROUPE_MESSAGE(Decrement)
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Increment>;
  void on(const Increment&) {}
};

void use(const troupe::actors::ActorRef<Counter>& counter) { (void)counter.tell(Decrement{}); }
