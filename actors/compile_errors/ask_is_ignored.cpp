// error: ignoring nodiscard
#include "actors/actor_system.hpp"

struct Increment {
  std::int64_t by = 1;
  TROUPE_MESSAGE(Increment, by)
};
struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

using Counter = troupe::actors::Protocol<Increment, Get>;

void count(const troupe::actors::ActorRef<Counter>& counter) {
  counter.ask(Get{});
}
