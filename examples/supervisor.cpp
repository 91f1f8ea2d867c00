// Supervision: at most three restarts with exponential backoff, then a failure for good, of which
// whoever watches is told.
#include <troupe/troupe.hpp>

#include <iostream>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;

struct Attempt {
  TROUPE_MESSAGE(Attempt)
};
struct WatchOver {
  troupe::AnyRef actor;
  TROUPE_MESSAGE(WatchOver, actor)
};
struct Story {
  std::vector<std::int64_t> waits_ms;  // between the attempts
  std::string end;
  TROUPE_MESSAGE(Story, waits_ms, end)
};
struct HowDidItEnd {
  using Reply = Story;
  TROUPE_MESSAGE(HowDidItEnd)
};
struct Begin {
  TROUPE_MESSAGE(Begin)
};

/// Notes each attempt; answers when what it watches has ended.
class Witness : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Attempt, WatchOver, HowDidItEnd>;

  void on(const Attempt&) {
    if (last_) {
      story_.waits_ms.push_back((now() - *last_) / 1ms);
    }
    last_ = now();
  }
  void on(const WatchOver& m) { watch(m.actor); }
  void on(const troupe::Terminated& notice) {
    story_.end = notice.text;
    asker_.send(story_);
  }
  void on(const HowDidItEnd&, troupe::ReplyTo<Story> reply) { asker_ = std::move(reply); }

 private:
  std::optional<troupe::TimePoint> last_;
  Story story_;
  troupe::ReplyTo<Story> asker_;
};

/// Needs something that is not there.
class Connection : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<>;
  explicit Connection(troupe::ActorRef<Witness> witness) : witness_(witness) {}

  void on_start() override {
    (void)witness_.tell(Attempt{});
    throw std::runtime_error{"nobody answers"};
  }

 private:
  troupe::ActorRef<Witness> witness_;
};

class Supervisor : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Begin>;
  explicit Supervisor(troupe::ActorRef<Witness> witness) : witness_(witness) {}

  void on(const Begin&) {
    spawn<Connection>({.name = "connection",
                       .restart = {.restarts_max = 3,
                                   .window = 1min,
                                   .backoff_min = 20ms,
                                   .backoff_max = 1s,
                                   .jitter = 0}},
                      witness_)
        .value();
  }

 private:
  troupe::ActorRef<Witness> witness_;
};

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto witness = node.spawn<Witness>().value();
  // Temporary: when the child's budget is spent, this one fails too, and nobody restarts it.
  const auto supervisor =
      node.spawn<Supervisor>({.restart = {.restart = troupe::Restart::temporary}}, witness).value();
  if (!witness.ask(WatchOver{supervisor}, 5s).get().ok()) {
    return 1;
  }
  auto ending = witness.ask(HowDidItEnd{}, 30s);
  if (supervisor.tell(Begin{}) != troupe::Outcome::accepted) {
    return 1;
  }
  const auto story = ending.get();
  if (!story.ok()) {
    std::cerr << story.error().text() << '\n';
    return 1;
  }
  std::cout << story->waits_ms.size() << " restarts; " << story->end << '\n';
  const auto& waits = story->waits_ms;
  return waits.size() == 3 && waits[0] >= 20 && waits[1] >= 40 && waits[2] >= 80 ? 0 : 1;
}
