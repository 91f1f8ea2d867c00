#include <vector>

#include "bench/local_actors.hpp"

namespace troupe::bench {

namespace {

// Actors in a ring pass one ball, which counts down; two of them play ping-pong.

struct Ball {
  std::uint64_t left = 0;
  TROUPE_MESSAGE(Ball, left)
};
struct PassTo {
  AnyRef next;
  TROUPE_MESSAGE(PassTo, next)
};

class Player : public Actor {
 public:
  using Protocol = actors::Protocol<Ball, PassTo>;
  Player(std::uint64_t players, std::uint64_t first_left, std::promise<void>* done)
      : players_(players), expected_(first_left), done_(done) {}

  void on(const PassTo& m) { next_ = ActorRef<Player>{m.next}; }
  void on(const Ball& m) {
    require(m.left == expected_, "a ball is out of order");
    expected_ -= players_;
    if (m.left == 0) {
      done_->set_value();
      return;
    }
    tell(next_, Ball{m.left - 1});
  }

 private:
  ActorRef<Player> next_;
  std::uint64_t players_;
  std::uint64_t expected_;
  std::promise<void>* done_;
};

void ring(const char* work, std::uint64_t players, const Order& order) {
  const std::uint64_t hops = order.count / players * players;
  LocalActors actors{order};
  std::promise<void> done;
  std::vector<ActorRef<Player>> all;
  for (std::uint64_t number = 0; number < players; ++number) {
    all.push_back(actors->spawn<Player>({}, players, hops - 1 - number, &done).value());
  }
  for (std::uint64_t number = 0; number < players; ++number) {
    require(all[number].ask(PassTo{all[(number + 1) % players]}).get().ok(),
            "a player does not answer");
  }
  const Stopwatch watch;
  tell(all[0], Ball{hops - 1});
  done.get_future().wait();
  print_latency(work, hops, watch.seconds());
}

}  // namespace

void ping_pong(const Order& order) {
  ring("ping-pong", 2, order);
}
void ring_100(const Order& order) {
  ring("ring-100", 100, order);
}
void ring_1000(const Order& order) {
  ring("ring-1000", 1'000, order);
}

}  // namespace troupe::bench
