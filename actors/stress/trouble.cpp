#include "actors/stress/trouble.hpp"

#include <algorithm>

namespace troupe::actors::stress {

namespace {

/// Messages that the feeder keeps in the mailboxes.
constexpr std::uint64_t in_flight_wanted = 5'000;
constexpr std::uint64_t fed_at_once_max = 3'000;
constexpr base::Duration feeding_interval = 1ms;
constexpr base::Duration ask_timeout = 20ms;
constexpr std::size_t pool_by_key = 0;

}  // namespace

void note_received(World& world, std::uint64_t value) {
  if ((world.evidence.values.mark(value, Book::handled) & Book::handled) != 0) {
    world.evidence.findings.add("a value came out of a channel twice", value);
  }
}

void Feeder::on_start() {
  life_ = world_.next_life();
  every(feeding_interval, Feed{});
}

void Feeder::on(const Feed&) {
  if (world_.is_over()) {
    return;
  }
  feed_crowd();
  feed_pools();
  make_trouble();
  if (!world_.has_threads()) {
    exchange_values();
  }
}

void Feeder::feed_crowd() {
  const std::uint64_t in_flight = system().ledger().in_flight;
  const std::uint64_t wanted = std::min<std::uint64_t>(in_flight_wanted, 5 * world_.options.actors);
  const std::uint64_t count = std::min(wanted - std::min(in_flight, wanted), fed_at_once_max);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint32_t to = world_.anyone(random());
    (void)world_.at(to).tell(Work{stamp_for(to)});
  }
  for (int i = 0; i < 5; ++i) {
    const std::uint32_t to = world_.anyone(random());
    auto question =
        std::make_shared<Question>(world_.evidence, ask_timeout, Question::Asker::is_called);
    const Query query{stamp_for(to), question->number()};
    world_.at(to).ask(query, ask_timeout).then([question](const AskResult<std::uint64_t>& result) {
      question->end(result);
    });
  }
}

void Feeder::feed_pools() {
  for (std::size_t pool = 0; pool < world_.pools.size(); ++pool) {
    for (int i = 0; i < 10; ++i) {
      (void)world_.pools[pool].tell(Work{});
      const auto key = static_cast<std::uint32_t>(random().below(world_.keyed.size()));
      if (pool == pool_by_key || i == 0) {
        (void)world_.pools[pool].tell(Keyed{key, ++sent_});
      }
    }
    ask_pool(pool);
    if (random().chance(0.03)) {
      world_.resize_pool[pool](static_cast<std::uint32_t>(1 + random().below(10)));
    }
  }
}

void Feeder::ask_pool(std::size_t pool) {
  const bool is_shared = pool + 1 == world_.pools.size();
  auto question =
      std::make_shared<Question>(world_.evidence, ask_timeout, Question::Asker::is_called,
                                 static_cast<std::uint8_t>(is_shared ? Book::shared : 0));
  const auto end = [question](const AskResult<std::uint64_t>& result) { question->end(result); };
  if (random().chance(0.5) && !is_shared) {
    const Lookup lookup{question->number()};
    world_.pools[pool].ask(lookup, ask_timeout).then(end);
  } else {
    const Query query{{}, question->number()};
    world_.pools[pool].ask(query, ask_timeout).then(end);
  }
}

void Feeder::make_trouble() {
  const std::uint32_t place = world_.anyone(random());
  const CrowdRef member = world_.at(place);
  if (random().chance(0.3)) {
    (void)member.tell(Fail{});
  }
  if (random().chance(0.2)) {
    stop(world_.at(world_.anyone(random())));
    world_.evidence.stops.fetch_add(1, std::memory_order_relaxed);
  }
  if (random().chance(0.05)) {
    system().stop(world_.at(world_.anyone(random())), ExitReason::killed, "as the dice say");
  }
  // Who subscribes gets copies of its own, which then have no order with those handed over.
  const std::uint32_t successor = world_.anyone(random());
  if (random().chance(0.05) && successor != place &&
      !world_.topology.places[successor].subscribes) {
    system().hand_over(member, world_.at(successor));
  }
  if (random().chance(0.02)) {
    const auto branch = random().below(world_.topology.branches.size());
    (void)world_.branch(static_cast<std::uint32_t>(branch)).tell(Fail{});
  }
}

/// In place of plain threads: at the other ends of the channels.
void Feeder::exchange_values() {
  Evidence& evidence = world_.evidence;
  while (const auto value = world_.from_actors.try_receive()) {
    note_received(world_, *value);
  }
  for (;;) {
    const std::uint64_t value = evidence.values.begin();
    if (!world_.to_actors.try_send(value)) {
      return;
    }
    evidence.values.mark(value, Book::ended);
  }
}

Outsiders::Outsiders(World& world) : world_(world), running_(4) {
  base::Random random{~world.options.seed};
  for (std::uint32_t i = 1; i <= 2; ++i) {
    threads_.emplace_back([this, i, mine = random.split()] { ask_around(i, mine); });
  }
  threads_.emplace_back([this] { send_values(); });
  threads_.emplace_back([this] { receive_values(); });
}

void Outsiders::join() {
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void Outsiders::ask_around(std::uint32_t number, base::Random random) {
  const auto me = static_cast<std::uint32_t>(world_.options.actors + number);
  const std::uint32_t life = world_.next_life();
  for (std::uint32_t sent = 1; !world_.is_over(); ++sent) {
    const std::uint32_t to = world_.anyone(random);
    const CrowdRef member = world_.at(to);
    const std::uint64_t dice = random.below(10);
    if (dice < 5) {
      (void)member.tell(Work{{me, life, to, sent}});
    } else if (dice < 7) {
      (void)member.tell_within(1ms, Work{{me, life, to, sent}});
    } else {
      Question question{world_.evidence, ask_timeout, Question::Asker::is_called};
      auto asked = member.ask(Query{{me, life, to, sent}, question.number()}, ask_timeout);
      question.end(dice < 9 ? asked.get() : asked.to_future().get());
    }
  }
  running_.fetch_sub(1, std::memory_order_release);
}

void Outsiders::send_values() {
  for (;;) {
    const std::uint64_t value = world_.evidence.values.begin();
    if (!world_.to_actors.send_blocking(value)) {
      break;
    }
    world_.evidence.values.mark(value, Book::ended);
  }
  running_.fetch_sub(1, std::memory_order_release);
}

void Outsiders::receive_values() {
  while (const auto value = world_.from_actors.receive_blocking()) {
    note_received(world_, *value);
  }
  running_.fetch_sub(1, std::memory_order_release);
}

}  // namespace troupe::actors::stress
