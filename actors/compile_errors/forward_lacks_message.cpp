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

class Proxy : public troupe::actors::Actor {
 public:
  using Protocol = troupe::actors::Protocol<Get>;
  void on(const Get& m, troupe::actors::ReplyTo<std::int64_t> reply) { (void)reply.forward(to_, m); }

 private:
  troupe::actors::ActorRef<Counting> to_;
};
