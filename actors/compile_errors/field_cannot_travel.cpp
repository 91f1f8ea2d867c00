// error: FieldCannotTravel<Increment Protocol<Increment> void*
#include "actors/actor_system.hpp"

struct Increment {
  int by = 1;
  void* whose = nullptr;
  TROUPE_MESSAGE(Increment, by, whose)
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Increment>;
  void on(const Increment&) {}
};

void use(troupe::actors::ActorSystem& system) {
  (void)system.spawn<Counter>({}).value().tell(Increment{});
}
