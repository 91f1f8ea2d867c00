#include <deque>

#include "bench/local_actors.hpp"

namespace troupe::bench {

namespace {

// One actor asks another, with some requests open at once, whose replies it takes in their order.

struct Question {
  using Reply = std::uint64_t;
  std::uint64_t number = 0;
  TROUPE_MESSAGE(Question, number)
};
struct Go {
  TROUPE_MESSAGE(Go)
};

class Answerer : public Actor {
 public:
  using Protocol = actors::Protocol<Question>;
  std::uint64_t on(const Question& m) { return value_of(m.number); }
};

class Asker : public Actor {
 public:
  using Protocol = actors::Protocol<Go>;
  Asker(ActorRef<Answerer> answerer, std::uint64_t asks, std::size_t open_max,
        std::promise<std::uint64_t>* done)
      : answerer_(answerer), asks_(asks), open_max_(open_max), done_(done) {}

  Task<> on(Go) {
    std::deque<actors::Ask<std::uint64_t>> open;
    std::uint64_t sum = 0;
    std::uint64_t sent = 0;
    for (std::uint64_t answered = 0; answered < asks_; ++answered) {
      for (; sent < asks_ && open.size() < open_max_; ++sent) {
        open.push_back(answerer_.ask(Question{sent}));
      }
      actors::Ask<std::uint64_t> oldest = std::move(open.front());
      open.pop_front();
      const auto answer = co_await oldest;
      require(answer.ok() && answer.value() == value_of(answered), "an answer is wrong");
      sum += answer.value();
    }
    done_->set_value(sum);
  }

 private:
  ActorRef<Answerer> answerer_;
  std::uint64_t asks_;
  std::size_t open_max_;
  std::promise<std::uint64_t>* done_;
};

void ask(const char* work, std::size_t open_max, const Order& order) {
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const auto answerer = actors->spawn<Answerer>({}).value();
  const auto asker = actors->spawn<Asker>({}, answerer, order.count, open_max, &done).value();
  const Stopwatch watch;
  tell(asker, Go{});
  const std::uint64_t sum = done.get_future().get();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(order.count), "the sum of the answers is wrong");
  print_rate(work, order.count, seconds);
}

}  // namespace

void ask_1(const Order& order) {
  ask("ask-1", 1, order);
}
void ask_64(const Order& order) {
  ask("ask-64", 64, order);
}

}  // namespace troupe::bench
