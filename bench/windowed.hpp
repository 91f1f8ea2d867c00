#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "actors/actor.hpp"
#include "actors/actor_ref.hpp"
#include "bench/figure.hpp"

namespace troupe::bench {

// One actor sends numbered items to another, here or on another node. At most `window` items are on
// their way: the sink says when half of them have been handled. The kind of item is a struct with
//   using Message                     what travels, with `number` and `value`
//   static Message make(std::uint64_t number)
//   static bool is_right(const Message&)

struct Handled {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  TROUPE_MESSAGE(Handled, count, sum)
};
struct Begin {
  std::uint64_t messages = 0;
  std::uint64_t window = 0;
  actors::ActorRef<actors::Protocol<Handled>> source;
  TROUPE_MESSAGE(Begin, messages, window, source)
};
struct Go {
  TROUPE_MESSAGE(Go)
};
/// What a name leads to.
struct WhoAreYou {
  using Reply = actors::AnyRef;
  TROUPE_MESSAGE(WhoAreYou)
};

struct Numbered {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Numbered, number, value)
};
/// The kind of item that travels nowhere.
struct LocalItem {
  using Message = Numbered;
  static Message make(std::uint64_t number) { return {number, value_of(number)}; }
  static bool is_right(const Message&) { return true; }
};

template <class Kind>
class WindowedSink : public actors::Actor {
 public:
  using Item = typename Kind::Message;
  using Protocol = actors::Protocol<Item, Begin, WhoAreYou>;

  actors::AnyRef on(const WhoAreYou&) { return self(); }
  void on(const Begin& m) { begin_ = m; }
  void on(const Item& m) {
    require(m.number == received_ && Kind::is_right(m), "an item is wrong or out of order");
    sum_ += m.value;
    if (++received_ % (begin_.window / 2) == 0 || received_ == begin_.messages) {
      require(begin_.source.tell(Handled{received_, sum_}) == base::Outcome::accepted,
              "no way back");
    }
  }

 private:
  Begin begin_;
  std::uint64_t received_ = 0;
  std::uint64_t sum_ = 0;
};

template <class Kind>
class WindowedSource : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Go, Handled>;
  using Sink = actors::ActorRef<WindowedSink<Kind>>;

  WindowedSource(Sink sink, std::uint64_t messages, std::uint64_t window,
                 std::function<void(std::uint64_t sum)> done)
      : sink_(sink), messages_(messages), window_(window), done_(std::move(done)) {}

  void on(const Go&) {
    const Begin begin{messages_, window_, self_as<WindowedSource>()};
    require(sink_.tell(begin) == base::Outcome::accepted, "the sink does not begin");
    advance();
  }
  void on(const Handled& m) {
    handled_ = m.count;
    if (handled_ == messages_) {
      done_(m.sum);
    } else {
      advance();
    }
  }

 private:
  void advance() {
    for (; sent_ < messages_ && sent_ < handled_ + window_; ++sent_) {
      const base::Outcome outcome = sink_.tell(Kind::make(sent_));
      if (outcome == base::Outcome::mailbox_full && sent_ > handled_) {
        return;  // a link is full; what is on its way brings the next Handled
      }
      require(outcome == base::Outcome::accepted, "an item was not accepted");
    }
  }

  Sink sink_;
  std::uint64_t messages_;
  std::uint64_t window_;
  std::function<void(std::uint64_t sum)> done_;
  std::uint64_t sent_ = 0;
  std::uint64_t handled_ = 0;
};

}  // namespace troupe::bench
