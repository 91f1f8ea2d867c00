// Actors of your own in the ready-made node, without a program of your own:
//
//   trouped --load greeter.so
//   troupe spawn greeter --name hello --args '{"greeting": "Good morning"}'
//   troupe ask hello Greet '{"name": "Ada"}'
//
// Build it as a shared library with the headers of the same Troupe; it takes everything else from
// the program that loads it.

#include <troupe/troupe.hpp>

struct Greet {
  using Reply = std::string;
  std::string name;
  TROUPE_MESSAGE(Greet, name)
};

struct GreeterArgs {
  std::string greeting = "Hello";
  TROUPE_MESSAGE(GreeterArgs, greeting)
};

class Greeter : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Greet>;
  explicit Greeter(GreeterArgs args) : args_(std::move(args)) {}

  std::string on(const Greet& message) {
    if (message.name.empty()) {
      throw troupe::Refusal{"whom shall I greet?"};
    }
    return args_.greeting + ", " + message.name + "!";
  }

 private:
  GreeterArgs args_;
};

TROUPE_PLUGIN(kinds) {
  kinds.add<Greeter, GreeterArgs>("greeter").value();
}
