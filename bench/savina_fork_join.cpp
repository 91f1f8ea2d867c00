#include <cmath>
#include <vector>

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

struct Go {
  TROUPE_MESSAGE(Go)
};

// Savina's fork-join (throughput): one actor gives out pieces of work round robin.

struct Piece {
  double angle = 0;
  TROUPE_MESSAGE(Piece, angle)
};
struct Finished {
  std::uint64_t pieces = 0;
  TROUPE_MESSAGE(Finished, pieces)
};

class Worker : public Actor {
 public:
  using Protocol = actors::Protocol<Piece>;
  Worker(std::uint64_t pieces, ActorRef<actors::Protocol<Finished>> master)
      : pieces_(pieces), master_(master) {}

  void on(const Piece& m) {
    const double sine = std::sin(m.angle);
    require(sine * sine > 0, "a sine is wrong");
    if (++done_ == pieces_) {
      tell(master_, Finished{done_});
    }
  }

 private:
  std::uint64_t pieces_;
  ActorRef<actors::Protocol<Finished>> master_;
  std::uint64_t done_ = 0;
};

class Master : public Actor {
 public:
  using Protocol = actors::Protocol<Go, Finished>;
  Master(std::uint64_t each, std::promise<std::uint64_t>* done) : each_(each), done_(done) {}

  Task<> on(Go) {
    std::vector<ActorRef<Worker>> workers;
    const ActorRef<actors::Protocol<Finished>> me = self_as<Master>();
    for (std::uint32_t number = 0; number < fork_join_actors; ++number) {
      workers.push_back(spawn<Worker>({}, each_, me).value());
    }
    for (std::uint64_t piece = 0; piece < each_; ++piece) {
      for (const auto& worker : workers) {
        Outcome outcome = worker.tell(Piece{37.2});
        if (outcome == Outcome::mailbox_full) {
          auto sending = worker.send(Piece{37.2});
          outcome = co_await sending;
        }
        require(outcome == Outcome::accepted, "a piece was not accepted");
      }
    }
  }
  void on(const Finished& m) {
    pieces_ += m.pieces;
    if (++finished_ == fork_join_actors) {
      done_->set_value(pieces_);
    }
  }

 private:
  std::uint64_t each_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t pieces_ = 0;
  std::uint32_t finished_ = 0;
};

// Savina's big: every actor pings one of the others by chance, waits for its answer, and so on.

struct Everybody {
  std::vector<AnyRef> all;
  TROUPE_MESSAGE(Everybody, all)
};
struct Ping {
  std::uint32_t from = 0;
  TROUPE_MESSAGE(Ping, from)
};
struct Pong {
  std::uint32_t from = 0;
  TROUPE_MESSAGE(Pong, from)
};

class Big : public Actor {
 public:
  using Protocol = actors::Protocol<Everybody, Go, Ping, Pong>;
  Big(std::uint32_t number, std::uint64_t pings, ActorRef<actors::Protocol<Finished>> counter)
      : number_(number), pings_(pings), counter_(counter), choices_(number) {}

  void on(const Everybody& m) {
    for (const AnyRef& one : m.all) {
      all_.push_back(ActorRef<Big>{one});
    }
  }
  void on(const Go&) { ping(); }
  void on(const Ping& m) { tell(all_[m.from], Pong{number_}); }
  void on(const Pong& m) {
    require(m.from == asked_, "an answer comes from another");
    if (++answered_ == pings_) {
      tell(counter_, Finished{answered_});
    } else {
      ping();
    }
  }

 private:
  void ping() {
    asked_ = choices_.below(big_actors);
    tell(all_[asked_], Ping{number_});
  }

  std::uint32_t number_;
  std::uint64_t pings_;
  ActorRef<actors::Protocol<Finished>> counter_;
  Choices choices_;
  std::vector<ActorRef<Big>> all_;
  std::uint32_t asked_ = 0;
  std::uint64_t answered_ = 0;
};

class Counter : public Actor {
 public:
  using Protocol = actors::Protocol<Finished>;
  Counter(std::uint32_t actors, std::promise<std::uint64_t>* done) : left_(actors), done_(done) {}

  void on(const Finished& m) {
    pieces_ += m.pieces;
    if (--left_ == 0) {
      done_->set_value(pieces_);
    }
  }

 private:
  std::uint32_t left_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t pieces_ = 0;
};

}  // namespace

void fork_join(const Order& order) {
  const std::uint64_t each = order.count / fork_join_actors;
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const auto master = actors->spawn<Master>({}, each, &done).value();
  const Stopwatch watch;
  tell(master, Go{});
  const std::uint64_t pieces = done.get_future().get();
  const double seconds = watch.seconds();
  require(pieces == each * fork_join_actors, "the number of pieces is wrong");
  print_rate("fork-join", pieces, seconds);
}

void big(const Order& order) {
  const std::uint64_t each = order.count / 2 / big_actors;
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const ActorRef<Protocol<Finished>> counter =
      actors->spawn<Counter>({}, big_actors, &done).value();
  std::vector<AnyRef> all;
  for (std::uint32_t number = 0; number < big_actors; ++number) {
    all.push_back(actors->spawn<Big>({}, number, each, counter).value());
  }
  for (const AnyRef& one : all) {
    require(ActorRef<Big>{one}.ask(Everybody{all}).get().ok(), "an actor does not answer");
  }
  const Stopwatch watch;
  for (const AnyRef& one : all) {
    tell(ActorRef<Big>{one}, Go{});
  }
  const std::uint64_t pings = done.get_future().get();
  const double seconds = watch.seconds();
  require(pings == each * big_actors, "the number of pings is wrong");
  print_rate("big", 2 * pings, seconds);
}

}  // namespace troupe::bench
