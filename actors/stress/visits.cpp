#include "actors/ask_with_retry.hpp"
#include "actors/stress/crowd.hpp"

// What a coroutine of the crowd waits for. Messages and asks are named before they are awaited:
// GCC 12 destroys some temporaries of an awaited expression twice.

namespace troupe::actors::stress {

namespace {

base::Duration draw_timeout(base::Random& random) {
  return base::Duration{1ms} * static_cast<int>(1 + random.below(20));
}

}  // namespace

Task<void> Crowd::on(Visit m) {
  {
    const Handling handling{*this};
    begin(m.stamp);
  }
  const Holding holding{*life_};
  if (world_.is_over()) {
    co_return;
  }
  const std::uint64_t dice = random().below(100);
  Task<void> visit = dice < 30   ? ask_one()
                     : dice < 60 ? send_one()
                     : dice < 70 ? ask_several(dice < 65)
                     : dice < 80 ? ask_again()
                     : dice < 88 ? give_up_later()
                     : dice < 91 ? read_stream()
                                 : use_channels();
  co_await std::move(visit);
  if (random().chance(0.1)) {
    co_await delay(1ms);
  }
  if (random().chance(0.002)) {
    crash("on the way");
  }
  pass_on();
}

Task<void> Crowd::ask_one() {
  const std::uint32_t to = someone();
  Question question{world_.evidence, draw_timeout(random())};
  const Query query{stamp_for(to), question.number()};
  if (spec_.spawn.own_thread && world_.has_threads()) {
    question.end(world_.at(to).ask(query, question.timeout()).get());
    co_return;
  }
  auto asked = world_.at(to).ask(query, question.timeout());
  const auto result = co_await asked;
  question.end(result);
  asked.cancel();  // too late, and without effect
}

Task<void> Crowd::send_one() {
  const std::uint32_t to = someone();
  const base::Duration timeout = draw_timeout(random());
  const Sending counted{world_.evidence, timeout};
  Stamp stamp = stamp_for(to);
  if (spec_.is_reentrant) {
    stamp.number = 0;  // what it tells while this waits comes first
  }
  if (random().chance(0.9)) {
    const Work work{stamp};
    auto sending = world_.at(to).send(work, timeout);
    (void)co_await sending;
  } else {
    // Some are larger than some mailboxes.
    const Parcel parcel{stamp, std::string(random().below(3'000), 'x')};
    auto sending = world_.at(to).send(parcel, timeout);
    (void)co_await sending;
  }
}

Task<void> Crowd::ask_several(bool is_hedged) {
  std::vector<std::unique_ptr<Question>> questions;
  std::vector<Ask<std::uint64_t>> asks;
  const base::Duration timeout = draw_timeout(random());
  for (int i = 0; i < 3; ++i) {
    const std::uint32_t to = someone();
    questions.push_back(std::make_unique<Question>(world_.evidence, timeout));
    asks.push_back(world_.at(to).ask(Query{stamp_for(to), questions.back()->number()}, timeout));
  }
  if (is_hedged) {
    auto first = first_of(std::move(asks));
    const auto reply = co_await std::move(first);
    questions[reply.index]->end(reply.result);
  } else {
    auto all = gather(std::move(asks));
    const auto replies = co_await std::move(all);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      questions[i]->end(replies[i]);
    }
  }
}

Task<void> Crowd::ask_again() {
  const std::uint32_t to = someone();
  Question question{world_.evidence, draw_timeout(random()), Question::Asker::waits,
                    Book::repeated};
  const Lookup lookup{question.number()};
  const RetryPolicy policy{.attempts_max = 3, .backoff_min = 1ms, .backoff_max = 2ms};
  if (random().chance(0.3)) {
    const auto pool = world_.pools[random().below(world_.pools.size() - 1)];
    auto asked = ask_with_retry(pool, lookup, policy, question.timeout());
    const auto result = co_await std::move(asked);
    question.end(result);
    co_return;
  }
  auto asked = ask_with_retry(world_.at(to), lookup, policy, question.timeout());
  const auto result = co_await std::move(asked);
  question.end(result);
}

/// Gives up while the other one handles it, perhaps.
Task<void> Crowd::give_up_later() {
  const std::uint32_t to = someone();
  Question question{world_.evidence, draw_timeout(random())};
  const Query query{stamp_for(to), question.number()};
  auto asked = world_.at(to).ask(query, question.timeout());
  co_await delay(random().chance(0.5) ? 1ms : 100us);
  if (!asked.is_ready()) {
    question.cancel();
    asked.cancel();
  }
  const auto result = asked.take();
  question.end(result);
}

Task<void> Crowd::on(Count m, StreamWriter<std::uint64_t> to) {
  {
    const Handling handling{*this};
    world_.left.fetch_sub(1, std::memory_order_relaxed);
  }
  const Holding holding{*life_};
  const std::uint64_t crash_at = random().chance(0.05) ? random().below(m.end) : m.end;
  for (std::uint64_t i = 0; i < m.end; ++i) {
    if (i == crash_at) {
      crash("in the middle of a stream");
    }
    auto writing = to.write(i);
    if (co_await writing != base::Outcome::accepted) {
      co_return;
    }
  }
  to.finish();
}

Task<void> Crowd::read_stream() {
  const std::uint32_t to = someone();
  const Count count{1 + random().below(20)};
  auto asked = world_.at(to).ask(count, 20ms);
  auto opened = co_await asked;
  if (!opened.ok()) {
    co_return;
  }
  world_.evidence.streams.fetch_add(1, std::memory_order_relaxed);
  StreamReader<std::uint64_t> reader{std::move(opened).value(), {.window = 4, .item_max = 20ms}};
  const std::uint64_t give_up_at = random().chance(0.1) ? random().below(count.end) : count.end;
  for (std::uint64_t wanted = 0; wanted < give_up_at || give_up_at == count.end; ++wanted) {
    const base::TimePoint deadline = now() + 20ms;
    auto reading = reader.next();
    const auto item = co_await reading;
    world_.evidence.lateness.note(now() - deadline);
    if (!item.ok()) {
      co_return;
    }
    if (!item.value()) {
      world_.evidence.findings.check(wanted == count.end, "a stream ended before its end");
      world_.evidence.streams_whole.fetch_add(1, std::memory_order_relaxed);
      co_return;
    }
    world_.evidence.findings.check(*item.value() == wanted, "a stream lost or repeated an item");
  }
}

Task<void> Crowd::use_channels() {
  Evidence& evidence = world_.evidence;
  if (random().chance(0.5)) {
    const std::uint64_t value = evidence.values.begin();
    auto sending = world_.from_actors.send(value);
    if (co_await sending) {
      evidence.values.mark(value, Book::ended);
    }
    co_return;
  }
  auto receiving = world_.to_actors.receive();
  const auto value = co_await receiving;
  if (value && (evidence.values.mark(*value, Book::handled) & Book::handled) != 0) {
    evidence.findings.add("a value came out of a channel twice", *value);
  }
}

}  // namespace troupe::actors::stress
