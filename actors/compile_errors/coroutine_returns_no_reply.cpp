// error: HandlerReturnsNoReply<Get Protocol<Get> vector< string long
#include "actors/actor_system.hpp"

struct Get {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Get)
};

class Counter : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Get>;
  troupe::actors::Task<std::vector<std::string>> on(Get) {
    std::vector<std::string> many;
    co_return many;
  }
};

void use(troupe::actors::ActorSystem& system) { (void)system.spawn<Counter>({}); }
