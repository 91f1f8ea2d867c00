// Two nodes in one program, over TCP on loopback: an actor asks a named one on the other node, and
// gives it a reference to itself, to which the other one sends.
#include <troupe/troupe.hpp>

#include <iostream>

using namespace std::chrono_literals;

struct Warning {
  std::string text;
  TROUPE_MESSAGE(Warning, text)
};
struct GetForecast {
  using Reply = std::string;
  std::string port;
  TROUPE_MESSAGE(GetForecast, port)
};
struct WarnMe {
  troupe::ActorRef<troupe::Protocol<Warning>> who;  // whoever understands a Warning, anywhere
  TROUPE_MESSAGE(WarnMe, who)
};
struct Sail {
  using Reply = std::string;
  std::string port;
  TROUPE_MESSAGE(Sail, port)
};
struct WaitForWarning {
  using Reply = std::string;
  TROUPE_MESSAGE(WaitForWarning)
};

class Station : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<GetForecast, WarnMe>;

  std::string on(const GetForecast& m) { return m.port + ": fair"; }
  void on(const WarnMe& m) { (void)m.who.tell(Warning{"storm ahead"}); }
};

class Ship : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Sail, Warning, WaitForWarning>;
  explicit Ship(troupe::ActorRef<Station> station) : station_(station) {}

  troupe::Task<std::string> on(Sail m) {
    const GetForecast question{m.port};  // GCC 12 destroys a temporary in a co_await twice
    const auto forecast = co_await station_.ask(question, 10s);
    if (!forecast.ok()) {
      throw troupe::Refusal{forecast.error().text()};
    }
    const WarnMe wish{self_as<Ship>()};
    const auto asked = co_await station_.ask(wish, 10s);
    if (!asked.ok()) {
      throw troupe::Refusal{asked.error().text()};
    }
    co_return forecast.value();
  }
  void on(const Warning& m) {
    warning_ = m.text;
    answer();
  }
  void on(const WaitForWarning&, troupe::ReplyTo<std::string> reply) {
    asker_ = std::move(reply);
    answer();
  }

 private:
  void answer() {
    if (asker_ && !warning_.empty()) {
      asker_.send(warning_);
    }
  }

  troupe::ActorRef<Station> station_;
  std::string warning_;
  troupe::ReplyTo<std::string> asker_;
};

troupe::Config config_of(const std::string& name) {
  troupe::Config config;
  config.name = name;
  config.cluster = "two-nodes";
  config.listen = "tcp://127.0.0.1:0";  // any free port
  config.demo = false;
  return config;
}

int main() {
  troupe::Node shore{config_of("shore")};
  shore.spawn<Station>({.name = "station"}).value();

  troupe::Config config = config_of("sea");
  config.seeds = {shore.address()};
  troupe::Node sea{config};
  sea.start().value();
  sea.wait_until_ready(20s).value();
  const auto ship = sea.spawn<Ship>({}, sea.find<Station>("station")).value();

  const auto forecast = ship.ask(Sail{"Brest"}, 30s).get();
  if (!forecast.ok()) {
    std::cerr << forecast.error().text() << '\n';
    return 1;
  }
  const auto warning = ship.ask(WaitForWarning{}, 30s).get();
  std::cout << forecast.value() << "; " << warning.value_or("no warning") << '\n';
  return forecast.value() == "Brest: fair" && warning.value_or("") == "storm ahead" ? 0 : 1;
}
