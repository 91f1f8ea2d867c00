// error: ReplyCannotTravel<Get Protocol<Get> Total
#include "actors/actor_system.hpp"

struct Total {
  int count = 0;
};
struct Get {
  using Reply = Total;
  TROUPE_MESSAGE(Get)
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Get>;
  Total on(const Get&) { return {}; }
};

void use(const troupe::actors::ActorRef<Counter>& counter) { (void)counter.ask(Get{}); }
