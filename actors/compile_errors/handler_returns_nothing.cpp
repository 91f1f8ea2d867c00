// error: HandlerReturnsNoReply<Get Protocol<Get> void, long
#include "actors/actor_system.hpp"

struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Get>;
  void on(const Get&) {}
};

void use(troupe::actors::ActorSystem& system) { (void)system.spawn<Counter>({}); }
