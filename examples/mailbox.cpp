// What a mailbox does with what cannot be handled now: a full one drops the oldest, urgent messages
// come first, some are worth nothing later, others are put aside. And a channel between an actor
// and a plain thread.
#include <iostream>
#include <troupe/troupe.hpp>

using namespace std::chrono_literals;

struct Pause {
  TROUPE_MESSAGE(Pause)
};
struct Price {
  std::int64_t cents = 0;
  TROUPE_MESSAGE(Price, cents)
};
struct Alarm {
  static constexpr int priority = 10;  // others have 0
  TROUPE_MESSAGE(Alarm)
};
struct GetShown {
  using Reply = std::string;
  TROUPE_MESSAGE(GetShown)
};

/// Shows what comes, but for the time between two words from the channel, and a bit longer.
class Screen : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Pause, Price, Alarm, GetShown>;
  explicit Screen(troupe::Channel<std::string> words) : words_(std::move(words)) {}

  troupe::Task<> on(Pause) {  // holds the mailbox until it is done
    auto begin = words_.receive();
    (void)co_await begin;
    auto end = words_.receive();
    const auto word = co_await end;  // empty if the channel was closed
    shown_ += word.value_or("closed:");
    auto rest = delay(30ms);
    co_await rest;
  }
  void on(const Price& m) { shown_ += " " + std::to_string(m.cents); }
  void on(const Alarm&) { shown_ += " alarm"; }
  std::string on(const GetShown&) { return shown_; }

 private:
  troupe::Channel<std::string> words_;
  std::string shown_;
};

struct Order {
  using Reply = std::int64_t;
  std::string item;
  TROUPE_MESSAGE(Order, item)
};
struct Open {
  TROUPE_MESSAGE(Open)
};

/// Puts orders aside, with their askers, until it opens.
class Shop : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Order, Open>;

  void on(const Order& m, troupe::ReplyTo<std::int64_t> reply) {
    (void)stash(m, std::move(reply));  // full: the asker is told
  }
  void on(const Open&) {
    become<Opened>(*this);
    unstash_all();
  }

 private:
  struct Opened : troupe::Behaviour<Shop> {
    using Protocol = troupe::Protocol<Order>;
    using Behaviour::Behaviour;
    std::int64_t on(const Order&) { return ++actor().sold_; }
  };
  std::int64_t sold_ = 0;
};

std::string screen_story(troupe::Node& node) {
  const troupe::Channel<std::string> words{0};  // holds nothing: a send waits for its receiver
  const auto screen = node.spawn<Screen>({.mailbox_messages_max = 5,
                                          .overflow = troupe::Overflow::drop_oldest,
                                          .mailbox_by_priority = true},
                                         words)
                          .value();
  bool is_sent = screen.tell(Pause{}) == troupe::Outcome::accepted && words.send_blocking("begin:");
  for (std::int64_t cents = 1; cents <= 6; ++cents) {
    is_sent = is_sent && screen.tell(Price{cents}) == troupe::Outcome::accepted;
  }
  is_sent = is_sent && screen.tell_within(1ms, Price{7}) == troupe::Outcome::accepted;
  is_sent = is_sent && screen.tell(Alarm{}) == troupe::Outcome::accepted;
  auto asking = screen.ask(GetShown{}, 10s);
  is_sent = is_sent && words.send_blocking("end:");
  const auto shown = asking.get();
  for (const troupe::DeadLetter& letter : node.system().recent_dead_letters()) {
    if (letter.message == "Price") {
      std::cout << "a price was lost: " << to_string(letter.reason) << '\n';
    }
  }
  return is_sent && shown.ok() ? shown.value() : "something went wrong";
}

int main(int argc, char** argv) {
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const std::string shown = screen_story(node);
  std::cout << shown << '\n';

  const auto shop = node.spawn<Shop>().value();
  auto first = shop.ask(Order{"tea"}, 10s);
  auto second = shop.ask(Order{"milk"}, 10s);
  if (shop.tell(Open{}) != troupe::Outcome::accepted) {
    return 1;
  }
  const auto tea = first.get().value_or(0);
  const auto milk = second.get().value_or(0);
  std::cout << "orders: tea was sold as number " << tea << ", milk as " << milk << '\n';
  return shown == "end: alarm 5 6" && tea == 1 && milk == 2 ? 0 : 1;
}
