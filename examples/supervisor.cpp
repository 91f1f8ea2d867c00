// Supervision: services in the order in which they build on each other. One that fails is restarted
// with those that follow it, after waits that grow; when the budget is spent, the supervisor fails,
// too. Who watches it is told, and who is linked to it ends with it.
#include <atomic>
#include <iostream>
#include <map>
#include <stdexcept>
#include <troupe/troupe.hpp>

using namespace std::chrono_literals;

struct Started {
  std::string who;
  TROUPE_MESSAGE(Started, who)
};
struct GetStarts {
  using Reply = std::map<std::string, std::int64_t>;
  TROUPE_MESSAGE(GetStarts)
};
struct WaitForEnds {
  using Reply = std::string;
  std::vector<troupe::AnyRef> of;
  TROUPE_MESSAGE(WaitForEnds, of)
};
struct Break {
  TROUPE_MESSAGE(Break)
};

/// Counts starts; answers when all that it watches have ended.
class Witness : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Started, GetStarts, WaitForEnds>;

  void on(const Started& m) { ++starts_[m.who]; }
  std::map<std::string, std::int64_t> on(const GetStarts&) { return starts_; }
  void on(const WaitForEnds& m, troupe::ReplyTo<std::string> reply) {
    asker_ = std::move(reply);
    left_ = m.of.size();
    for (const auto& actor : m.of) {
      watch(actor);
    }
  }
  void on(const troupe::Terminated& notice) {
    ends_ += "  " + std::string{to_string(notice.reason)} + ": " + notice.text + "\n";
    if (--left_ == 0) {
      asker_.send(ends_);
    }
  }

 private:
  std::map<std::string, std::int64_t> starts_;
  std::size_t left_ = 0;
  std::string ends_;
  troupe::ReplyTo<std::string> asker_;
};

class Service : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Break>;
  Service(std::string name, troupe::ActorRef<Witness> witness) : name_(name), witness_(witness) {}

  void on_start() override {
    (void)witness_.tell(Started{name_});
    if (name_ == "store" && is_broken) {
      throw std::runtime_error{"the disk is gone"};
    }
  }
  void on(const Break&) {
    is_broken = true;
    throw std::runtime_error{"the disk is slow"};
  }

 private:
  static inline std::atomic<bool> is_broken{false};
  std::string name_;
  troupe::ActorRef<Witness> witness_;
};

/// Is of no use without the services.
class Session : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<>;
  explicit Session(troupe::AnyRef services) : services_(services) {}
  void on_start() override { link(services_); }

 private:
  troupe::AnyRef services_;
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto witness = node.spawn<Witness>().value();
  troupe::SupervisorOptions options{
      .strategy = troupe::Strategy::rest_for_one,
      .restarts = {.restarts_max = 3, .window = 1min, .backoff_min = 20ms, .jitter = 0}};
  for (const char* name : {"clock", "store", "index"}) {
    options.children.push_back(
        troupe::child_spec<Service>({.name = name}, std::string{name}, witness));
  }
  // Temporary: nobody starts these two again when they end.
  const troupe::SpawnOptions once{.restart = {.restart = troupe::Restart::temporary}};
  const auto services = node.spawn<troupe::Supervisor>(once, options).value();
  const auto session = node.spawn<Session>(once, services).value();

  auto ends = witness.ask(WaitForEnds{{services, session}}, 30s);
  const auto children = services.ask(troupe::WhichChildren{}, 5s).get();
  for (const troupe::ChildInfo& child : children.value().children) {
    std::cout << child.name << " is " << child.state << '\n';
    if (child.name == "store" &&
        troupe::ActorRef<Service>{child.actor}.tell(Break{}) != troupe::Outcome::accepted) {
      return 1;
    }
  }
  std::cout << "then the ends of supervisor and session:\n" << ends.get().value();
  auto starts = witness.ask(GetStarts{}, 5s).get().value();
  for (const auto& [name, count] : starts) {
    std::cout << name << ": " << count << (count == 1 ? " start\n" : " starts\n");
  }
  return starts["clock"] == 1 && starts["store"] == 4 && starts["index"] == 4 ? 0 : 1;
}
