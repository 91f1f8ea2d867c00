// error: HandlerReturnsNoReply<Get Protocol<Get> string long
#include "actors/actor_system.hpp"

struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Get>;
  std::string on(const Get&) { return "many"; }
};

void use(troupe::actors::ActorSystem& system) { (void)system.spawn<Counter>({}); }
