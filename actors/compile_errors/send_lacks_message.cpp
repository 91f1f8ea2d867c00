// error: ProtocolLacksMessage<Decrement Protocol<Increment>
#include "actors/actor_system.hpp"

struct Increment {
  TROUPE_MESSAGE(Increment)
};
struct Decrement {
  TROUPE_MESSAGE(Decrement)
};

using Counting = troupe::actors::Protocol<Increment>;

void use(const troupe::actors::ActorRef<Counting>& counter) {
  (void)counter.send(Decrement{});
}
