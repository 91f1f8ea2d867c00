#include <thread>

#include "actors/mailbox.hpp"
#include "bench/figure.hpp"
#include "bench/sizes.hpp"
#include "bench/works.hpp"

namespace troupe::bench {

namespace {

// The least that a message costs here: a mailbox without actors, references and scheduler.

using actors::Mailbox;
using actors::MessageBlock;

struct Item {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  TROUPE_MESSAGE(Item, number, value)
};

MessageBlock* block_of(std::uint64_t number) {
  return actors::Envelope::of(actors::BlockKind::message, actors::message_type<Item>,
                              Item{number, value_of(number)})
      .release();
}

/// What waits there now; the number of items.
std::uint64_t consume(Mailbox& mailbox, std::uint64_t first, std::uint64_t& sum) {
  std::uint64_t number = first;
  while (MessageBlock* block = mailbox.front()) {
    const auto& item = block->as<Item>();
    require(item.number == number++, "an item is out of order");
    sum += item.value;
    mailbox.done();
  }
  return number - first;
}

}  // namespace

void floor_1_thread(const Order& order) {
  constexpr std::uint64_t batch = 64;
  const std::uint64_t messages = order.count / batch * batch;
  Mailbox mailbox{mailbox_messages};
  std::uint64_t sum = 0;
  const Stopwatch watch;
  for (std::uint64_t number = 0; number < messages; number += batch) {
    for (std::uint64_t i = 0; i < batch; ++i) {
      require(mailbox.push(block_of(number + i)) != Mailbox::Push::full, "the mailbox is full");
    }
    require(consume(mailbox, number, sum) == batch && mailbox.try_idle(), "items are missing");
  }
  const double seconds = watch.seconds();
  require(sum == sum_of_values(messages), "the sum of the items is wrong");
  print_rate("floor-1-thread", messages, seconds);
}

void floor_2_threads(const Order& order) {
  Mailbox mailbox{mailbox_messages};
  std::uint64_t sum = 0;
  const Stopwatch watch;
  std::thread consumer{[&] {
    for (std::uint64_t received = 0; received < order.count;) {
      const std::uint64_t came = consume(mailbox, received, sum);
      received += came;
      if (came == 0) {
        std::this_thread::yield();
      }
    }
  }};
  for (std::uint64_t number = 0; number < order.count; ++number) {
    MessageBlock* block = block_of(number);
    while (mailbox.push(block) == Mailbox::Push::full) {
      std::this_thread::yield();
    }
  }
  consumer.join();
  const double seconds = watch.seconds();
  require(sum == sum_of_values(order.count), "the sum of the items is wrong");
  print_rate("floor-2-threads", order.count, seconds);
}

}  // namespace troupe::bench
