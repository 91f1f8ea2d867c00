// error: MessageIsNotOne<Increment Protocol<Increment>
#include "actors/actor_system.hpp"

struct Increment {
  int by = 1;
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Increment>;
  void on(const Increment&) {}
};

void use(troupe::actors::ActorSystem& system) { (void)system.spawn<Counter>({}); }
