// A pipeline with back-pressure: each stage waits for room in the next one's small mailbox, so the
// slowest stage sets the pace and nothing is lost.
#include <troupe/troupe.hpp>

#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;

struct Number {
  std::int64_t value = 0;
  TROUPE_MESSAGE(Number, value)
};
struct End {
  TROUPE_MESSAGE(End)
};
struct Produce {
  std::int64_t count = 0;
  TROUPE_MESSAGE(Produce, count)
};
struct Summary {
  std::int64_t count = 0;
  std::int64_t sum = 0;
  bool in_order = true;
  TROUPE_MESSAGE(Summary, count, sum, in_order)
};
struct GetSummary {
  using Reply = Summary;
  TROUPE_MESSAGE(GetSummary)
};

/// What every stage but the first understands.
using Stage = troupe::Protocol<Number, End>;

/// Waits until the next stage has room.
template <class M>
troupe::Task<> pass(troupe::ActorRef<Stage> next, M message) {
  const auto outcome = co_await next.send(message, 1min);
  if (outcome != troupe::Outcome::accepted) {
    throw std::runtime_error{"the next stage: " + std::string{to_string(outcome)}};
  }
}

class Source : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Produce>;
  explicit Source(troupe::ActorRef<Stage> next) : next_(next) {}

  troupe::Task<> on(Produce m) {
    for (std::int64_t value = 1; value <= m.count; ++value) {
      co_await pass(next_, Number{value});
    }
    co_await pass(next_, End{});
  }

 private:
  troupe::ActorRef<Stage> next_;
};

class Squarer : public troupe::Actor {
 public:
  using Protocol = Stage;
  explicit Squarer(troupe::ActorRef<Stage> next) : next_(next) {}

  troupe::Task<> on(Number m) { return pass(next_, Number{m.value * m.value}); }
  troupe::Task<> on(End m) { return pass(next_, m); }

 private:
  troupe::ActorRef<Stage> next_;
};

/// Answers when the stream has ended.
class Sum : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Number, End, GetSummary>;

  void on(const Number& m) {
    summary_.in_order = summary_.in_order && m.value > last_;
    last_ = m.value;
    ++summary_.count;
    summary_.sum += m.value;
  }
  void on(const End&) { asker_.send(summary_); }
  void on(const GetSummary&, troupe::ReplyTo<Summary> reply) { asker_ = std::move(reply); }

 private:
  Summary summary_;
  std::int64_t last_ = 0;
  troupe::ReplyTo<Summary> asker_;
};

int main(int argc, char** argv) {
  constexpr std::int64_t count = 5000;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const troupe::SpawnOptions small{.mailbox_messages_max = 8};
  const auto sum = node.spawn<Sum>(small).value();
  const auto squarer = node.spawn<Squarer>(small, troupe::ActorRef<Stage>{sum}).value();
  const auto source = node.spawn<Source>({}, troupe::ActorRef<Stage>{squarer}).value();

  auto end = sum.ask(GetSummary{}, 1min);
  if (source.tell(Produce{count}) != troupe::Outcome::accepted) {
    return 1;
  }
  const auto summary = end.get();
  if (!summary.ok()) {
    std::cerr << summary.error().text() << '\n';
    return 1;
  }
  std::cout << summary->count << " squares, their sum " << summary->sum << '\n';
  return summary->count == count && summary->in_order &&
                 summary->sum == count * (count + 1) * (2 * count + 1) / 6
             ? 0
             : 1;
}
