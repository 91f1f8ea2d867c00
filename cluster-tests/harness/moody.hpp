#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "base/message.hpp"

namespace troupe::harness {

struct Fine {
  using Reply = std::int64_t;
  std::int64_t value = 0;
  TROUPE_MESSAGE(Fine, value)
};
struct RefuseIt {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(RefuseIt)
};
struct CrashIt {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(CrashIt)
};
/// Holds the mailbox for so long, then answers.
struct Slow {
  using Reply = std::int64_t;
  std::int64_t ms = 0;
  TROUPE_MESSAGE(Slow, ms)
};
/// Answered never: the right to answer is dropped.
struct Forget {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Forget)
};
struct EndIt {
  TROUPE_MESSAGE(EndIt)
};
/// Nobody's protocol but MoodyAndMore has it.
struct Unheard {
  using Reply = std::int64_t;
  TROUPE_MESSAGE(Unheard)
};

struct Link {
  actors::AnyRef actor;
  TROUPE_MESSAGE(Link, actor)
};
struct Unlink {
  actors::AnyRef actor;
  TROUPE_MESSAGE(Unlink, actor)
};

/// Does everything that an asker may meet with.
class Moody : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Fine, RefuseIt, CrashIt, Slow, Forget, EndIt, Link, Unlink>;
  std::int64_t on(const Fine& message) { return message.value; }
  std::int64_t on(const RefuseIt&) { throw actors::Refusal{"not today"}; }
  std::int64_t on(const CrashIt&) { throw std::runtime_error{"on purpose"}; }
  void on(const Link& message) { link(message.actor); }
  void on(const Unlink& message) { unlink(message.actor); }
  actors::Task<std::int64_t> on(Slow message) {
    co_await delay(std::chrono::milliseconds{message.ms});
    co_return message.ms;
  }
  void on(const Forget&, actors::ReplyTo<std::int64_t> reply) { auto dropped = std::move(reply); }
  void on(const EndIt&) { stop(); }
};
using MoodyAndMore = actors::Protocol<Fine, RefuseIt, CrashIt, Slow, Forget, EndIt, Unheard>;

struct Watch {
  actors::AnyRef actor;
  TROUPE_MESSAGE(Watch, actor)
};
struct Unwatch {
  actors::AnyRef actor;
  TROUPE_MESSAGE(Unwatch, actor)
};
/// "REASON" of each notice, in order.
struct Notices {
  using Reply = std::vector<std::string>;
  TROUPE_MESSAGE(Notices)
};
/// Sends Fine so many times, each with `co_await send`; the outcomes' names.
struct SendAll {
  using Reply = std::vector<std::string>;
  actors::ActorRef<Moody> to;
  std::int64_t count = 0;
  std::int64_t timeout_ms = 5000;
  TROUPE_MESSAGE(SendAll, to, count, timeout_ms)
};
/// Asks the referenced actor Fine and answers its answer: a reference has travelled.
struct AskFor {
  using Reply = std::int64_t;
  actors::ActorRef<Moody> whom;
  std::int64_t value = 0;
  TROUPE_MESSAGE(AskFor, whom, value)
};

/// Watches, sends and asks for tests.
class Agent : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Watch, Unwatch, Link, Unlink, Notices, SendAll, AskFor>;
  static constexpr bool reentrant = true;

  void on(const Watch& message) { watch(message.actor); }
  void on(const Unwatch& message) { unwatch(message.actor); }
  void on(const Link& message) { link(message.actor); }
  void on(const Unlink& message) { unlink(message.actor); }
  std::vector<std::string> on(const Notices&) { return notices_; }
  void on(const actors::Terminated& notice) {
    notices_.emplace_back(actors::to_string(notice.reason));
  }
  actors::Task<std::vector<std::string>> on(SendAll message) {
    std::vector<std::string> outcomes;
    for (std::int64_t i = 0; i < message.count; ++i) {
      const base::Outcome outcome =
          co_await message.to.send(Fine{i}, std::chrono::milliseconds{message.timeout_ms});
      outcomes.emplace_back(base::to_string(outcome));
    }
    co_return outcomes;
  }
  actors::Task<std::int64_t> on(AskFor message) {
    auto answer = co_await message.whom.ask(Fine{message.value});
    if (!answer.ok()) {
      throw actors::Refusal{answer.error().text()};
    }
    co_return answer.value();
  }

 private:
  std::vector<std::string> notices_;
};

}  // namespace troupe::harness
