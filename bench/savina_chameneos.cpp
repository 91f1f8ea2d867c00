#include <vector>

#include "bench/local_actors.hpp"
#include "bench/sizes.hpp"

namespace troupe::bench {

namespace {

// Savina's chameneos: they meet in pairs, for which a mall brings them together, and change their
// colours. A meeting is four messages.

struct Enter {
  std::uint32_t colour = 0;
  AnyRef who;
  TROUPE_MESSAGE(Enter, colour, who)
};
struct Meet {
  std::uint32_t colour = 0;
  AnyRef other;
  TROUPE_MESSAGE(Meet, colour, other)
};
struct Change {
  std::uint32_t colour = 0;
  TROUPE_MESSAGE(Change, colour)
};
struct Leave {
  TROUPE_MESSAGE(Leave)
};
struct Met {
  std::uint64_t meetings = 0;
  TROUPE_MESSAGE(Met, meetings)
};

constexpr std::uint32_t colours = 3;
std::uint32_t complement(std::uint32_t mine, std::uint32_t other) {
  return mine == other ? mine : colours - mine - other;
}

class Chameneo : public Actor {
 public:
  using Protocol = actors::Protocol<Meet, Change, Leave>;
  Chameneo(std::uint32_t colour, ActorRef<actors::Protocol<Enter, Met>> mall)
      : colour_(colour), mall_(mall) {}

  void on_start() override { enter(); }
  void on(const Meet& m) {
    colour_ = complement(colour_, m.colour);
    ++meetings_;
    tell(ActorRef<Chameneo>{m.other}, Change{colour_});
    enter();
  }
  void on(const Change& m) {
    require(m.colour < colours, "a colour is wrong");
    colour_ = m.colour;
    ++meetings_;
    enter();
  }
  void on(const Leave&) { tell(mall_, Met{meetings_}); }

 private:
  void enter() { tell(mall_, Enter{colour_, self()}); }

  std::uint32_t colour_;
  ActorRef<actors::Protocol<Enter, Met>> mall_;
  std::uint64_t meetings_ = 0;
};

class Mall : public Actor {
 public:
  using Protocol = actors::Protocol<Enter, Met>;
  Mall(std::uint64_t meetings, std::promise<std::uint64_t>* done)
      : meetings_(meetings), done_(done) {}

  void on(const Enter& m) {
    if (meetings_ == 0) {
      tell(ActorRef<Chameneo>{m.who}, Leave{});
    } else if (waiting_) {
      tell(ActorRef<Chameneo>{std::exchange(waiting_, AnyRef{})}, Meet{m.colour, m.who});
      --meetings_;
    } else {
      waiting_ = m.who;
    }
  }
  void on(const Met& m) {
    sum_ += m.meetings;
    if (++left_ == chameneos) {
      done_->set_value(sum_);
    }
  }

 private:
  std::uint64_t meetings_;
  std::promise<std::uint64_t>* done_;
  AnyRef waiting_;
  std::uint64_t sum_ = 0;
  std::uint32_t left_ = 0;
};

}  // namespace

void chameneos_meet(const Order& order) {
  LocalActors actors{order};
  std::promise<std::uint64_t> done;
  const Stopwatch watch;
  const ActorRef<Protocol<Enter, Met>> mall = actors->spawn<Mall>({}, order.count, &done).value();
  for (std::uint32_t number = 0; number < chameneos; ++number) {
    require(actors->spawn<Chameneo>({}, number % colours, mall).ok(), "a chameneo is missing");
  }
  const std::uint64_t met = done.get_future().get();
  const double seconds = watch.seconds();
  require(met == 2 * order.count, "the number of meetings is wrong");
  print_rate("chameneos", order.count, seconds);
}

}  // namespace troupe::bench
