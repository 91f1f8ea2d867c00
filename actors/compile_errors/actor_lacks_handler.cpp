// error: ActorLacksHandler<Get Protocol<Increment Counter
#include "actors/actor_system.hpp"

struct Increment {
  TROUPE_MESSAGE(Increment)
};
struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Increment, Get>;
  void on(const Increment&) {}
};

void use(troupe::actors::ActorSystem& system) { (void)system.spawn<Counter>({}); }
