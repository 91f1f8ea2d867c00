// error: ProtocolLacksMessage<Get Protocol<Increment>
#include "actors/actor_system.hpp"

struct Increment {
  TROUPE_MESSAGE(Increment)
};
struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

using Counting = troupe::actors::Protocol<Increment>;

void use(const troupe::actors::ActorRef<Counting>& counter) {
  (void)counter.ask(Get{}).get().value();
}
