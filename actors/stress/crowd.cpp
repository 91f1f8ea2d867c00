#include "actors/stress/crowd.hpp"

#include <stdexcept>
#include <string>

#include "actors/ask_with_retry.hpp"

namespace troupe::actors::stress {

namespace {

constexpr std::size_t owed_max = 100;
constexpr std::uint32_t forwards_max = 3;

/// Of the receiver: what bears on the order of its messages.
std::string what_is(const PlaceSpec& spec, std::uint32_t lane) {
  return "lane " + std::to_string(lane) + (spec.is_reentrant ? ", reentrant" : "") +
         (spec.stashes ? ", stashes" : "") + (spec.subscribes ? ", subscribes" : "") +
         (spec.spawn.has_plain_mailbox() ? "" : ", policy") +
         (spec.spawn.keep_mailbox ? "" : ", mailbox not kept") +
         (spec.spawn.on_crash == OnCrash::retry_message ? ", retries" : "") +
         (spec.spawn.own_thread ? ", own thread" : "");
}

base::Duration draw_timeout(base::Random& random) {
  return base::Duration{1ms} * static_cast<int>(1 + random.below(30));
}

}  // namespace

ChildSpec child_of_branch(World& world, std::uint32_t place) {
  SpawnOptions spawn = world.spawn_options(place);
  spawn.name = "place " + std::to_string(place);
  return world.topology.places[place].is_reentrant
             ? child_spec<ReentrantCrowd>(std::move(spawn), &world, place)
             : child_spec<Crowd>(std::move(spawn), &world, place);
}

Crowd::Handling::Handling(Crowd& actor) : life_(*actor.life_) {
  Findings& findings = actor.world_.evidence.findings;
  if (life_.is_inside.exchange(true, std::memory_order_acquire)) {
    findings.add("two handlers of one actor ran at once");
  }
  if (life_.holders > 0 && !actor.spec_.is_reentrant) {
    findings.add("a message was handled while a coroutine held the mailbox");
  }
}

void Crowd::on_start() {
  life_ = world_.begin_life(place_, self_as<CrowdProtocol>());
  life_->holders = 0;
  for (const std::uint32_t child : spec_.children) {
    grow(child);
  }
  if (spec_.subscribes) {
    for (const auto& topic : world_.topics) {
      (void)topic.subscribe(self_as<CrowdProtocol>());
    }
  }
  if (spec_.has_receive_timeout) {
    set_receive_timeout(2ms);
  }
}

void Crowd::grow(std::uint32_t place) {
  SpawnOptions options = world_.spawn_options(place);
  const auto child = world_.topology.places[place].is_reentrant
                         ? AnyRef{spawn<ReentrantCrowd>(std::move(options), &world_, place).value()}
                         : AnyRef{spawn<Crowd>(std::move(options), &world_, place).value()};
  place_of_child_[child.id().value] = place;
  life_->watches[child.id().value] = child;
  watch(child);
}

void Crowd::on(const Regrow& m) {
  for (const auto& [id, place] : place_of_child_) {
    if (place == m.place) {
      return;
    }
  }
  grow(m.place);
}

void Crowd::on(const Terminated& ending) {
  // Of a link that was trapped, or of a watch.
  const bool was_child = place_of_child_.erase(ending.actor.id().value) == 1;
  const bool was_watched = life_->watches.erase(ending.actor.id().value) == 1;
  if (was_child && !was_watched) {
    world_.evidence.findings.add("an end was told twice");
  }
  if (!was_watched && !spec_.is_reentrant) {
    world_.evidence.findings.add("an end was told that nobody watches for");
  }
}

void Crowd::begin(const Stamp& stamp, std::uint32_t lane) {
  world_.left.fetch_sub(1, std::memory_order_relaxed);
  Evidence& evidence = world_.evidence;
  const bool retries = spec_.spawn.on_crash == OnCrash::retry_message;
  // What a coroutine had comes again after the messages that a reentrant actor handled meanwhile.
  const bool is_ordered = !(retries && spec_.is_reentrant);
  if (!life_->is_in_order(stamp, lane, retries || lane >= Life::news) && is_ordered) {
    evidence.findings.add("messages of a pair came out of order: " + what_is(spec_, lane),
                          stamp.from);
  }
  if (evidence.is_exact) {
    evidence.digest =
        (evidence.digest ^ (std::uint64_t{place_} << 40U | stamp.from << 20U) ^ stamp.number) *
        0x100000001B3U;
  }
}

bool Crowd::is_replay(const Stamp& stamp) {
  if (!spec_.stashes) {
    return false;
  }
  const Life::Replay replay = life_->replay(stamp);
  if (replay == Life::Replay::out_of_order) {
    world_.evidence.findings.add("what was put aside came back out of order");
  }
  return replay != Life::Replay::no;
}

std::uint32_t Crowd::someone() {
  const std::uint64_t dice = random().below(spec_.knows.size() + 2);
  return dice < spec_.knows.size() ? spec_.knows[dice] : world_.anyone(random());
}

void Crowd::crash(const char* why) {
  world_.evidence.crashes.fetch_add(1, std::memory_order_relaxed);
  if (random().chance(0.1)) {
    throw 42;
  }
  throw std::runtime_error{why};
}

void Crowd::on(const Work& m) {
  const Handling handling{*this};
  const bool is_back = is_replay(m.stamp);
  if (!is_back) {
    begin(m.stamp);
    if (spec_.stashes && m.stamp.number != 0 && random().chance(0.02)) {
      life_->put_aside(m.stamp);
      if (stash(Work{m}) == base::Outcome::accepted) {
        world_.evidence.stashed.fetch_add(1, std::memory_order_relaxed);
      } else {
        life_->take_back(m.stamp);
      }
      return;
    }
  }
  play(random().below(10'000));
}

void Crowd::on(const Parcel& m) {
  const Handling handling{*this};
  begin(m.stamp);
  pass_on();
}

void Crowd::on(const Urgent& m) {
  const Handling handling{*this};
  // Of its own priority only where there are priorities.
  begin(m.stamp, Life::urgent);
  pass_on();
}

void Crowd::on(const News& m) {
  const Handling handling{*this};
  begin(m.stamp, Life::news + m.topic);
}

void Crowd::on(const ReceiveTimeout&) {
  const Handling handling{*this};
  pass_on();
}

void Crowd::pass_on() {
  if (!world_.is_over()) {
    const std::uint32_t to = someone();
    (void)world_.at(to).tell(Work{stamp_for(to)});
  }
}

/// What a message leads to; most of the time to the next one.
void Crowd::play(std::uint64_t dice) {
  if (dice >= 700) {
    pass_on();
    return;
  }
  if (world_.is_over()) {
    return;
  }
  const std::uint32_t to = someone();
  if (dice < 2) {
    crash("as the dice say");
  } else if (dice < 3) {
    world_.evidence.stops.fetch_add(1, std::memory_order_relaxed);
    stop();
  } else if (dice < 250) {
    (void)world_.at(to).tell(Visit{stamp_for(to)});
  } else if (dice < 280) {
    ask_and_give_up();
  } else if (dice < 310) {
    ask_with_pipe();
  } else if (dice < 350) {
    ask_with_callback();
  } else if (dice < 430) {
    (void)world_.at(to).tell(Urgent{stamp_for(to)});
  } else if (dice < 500) {
    (void)world_.at(to).tell(Parcel{stamp_for(to), std::string(random().below(800), 'x')});
  } else if (dice < 560) {
    (void)world_.at(to).tell_within(1ms, Work{stamp_for(to)});
  } else if (dice < 600) {
    tell_pool();
  } else {
    meddle(dice);
  }
}

void Crowd::meddle(std::uint64_t dice) {
  const CrowdRef other = world_.at(someone());
  if (!other || other.id() == self().id()) {
    return;
  }
  if (dice < 620) {
    const auto topic = static_cast<std::uint32_t>(random().below(topics));
    (void)world_.topics[topic].publish(News{{place_, life_->number, nobody, ++life_->sent}, topic});
  } else if (dice < 635) {
    if (life_->watches.size() < 100 && life_->watches.emplace(other.id().value, other).second) {
      watch(other);
    }
  } else if (dice < 640) {
    if (place_of_child_.count(other.id().value) == 0 &&
        life_->watches.erase(other.id().value) == 1) {
      unwatch(other);
    }
  } else if (dice < 643) {
    world_.evidence.links.fetch_add(1, std::memory_order_relaxed);
    link(other);
  } else if (dice < 646) {
    unlink(other);
  } else {
    unstash_all();
  }
}

void Crowd::tell_pool() {
  const auto& pool = world_.pools[random().below(world_.pools.size())];
  (void)pool.tell(Work{});
}

void Crowd::ask_and_give_up() {
  Question question{world_.evidence, draw_timeout(random())};
  const std::uint32_t to = someone();
  auto asked = world_.at(to).ask(Query{stamp_for(to), question.number()}, question.timeout());
  question.cancel();
  if (random().chance(0.5)) {
    asked.cancel();
  }
}

void Crowd::ask_with_pipe() {
  auto question = std::make_shared<Question>(world_.evidence, draw_timeout(random()));
  const std::uint32_t to = someone();
  const Query query{stamp_for(to), question->number()};
  pipe(world_.at(to).ask(query, question->timeout()),
       [question](const AskResult<std::uint64_t>& result) { question->end(result); });
}

void Crowd::ask_with_callback() {
  auto question = std::make_shared<Question>(world_.evidence, draw_timeout(random()),
                                             Question::Asker::is_called);
  const std::uint32_t to = someone();
  const Query query{stamp_for(to), question->number()};
  world_.at(to)
      .ask(query, question->timeout())
      .then([question](const AskResult<std::uint64_t>& result) { question->end(result); });
}

void Crowd::on(const Query& m, ReplyTo<std::uint64_t> reply) {
  const Handling handling{*this};
  const bool is_back = is_replay(m.stamp);
  if (!is_back) {
    begin(m.stamp);
  }
  const std::uint64_t dice = random().below(100);
  if (spec_.stashes && !is_back && dice < 20 && m.stamp.number != 0) {
    life_->put_aside(m.stamp);
    world_.evidence.questions.mark(m.question, Book::aside);
    if (stash(Query{m}, std::move(reply)) != base::Outcome::accepted) {
      life_->take_back(m.stamp);
    }
    return;
  }
  // What crashed this actor and comes again is not passed on: refused there, it would end as
  // not_run.
  const bool has_begun = (world_.evidence.questions.marks(m.question) & Book::handled) != 0;
  if (dice < 30 && m.forwards < forwards_max && !has_begun) {
    // Not handled here: who answers is another.
    const std::uint32_t to = someone();
    (void)reply.forward(world_.at(to), Query{stamp_for(to), m.question, m.forwards + 1});
    return;
  }
  world_.evidence.note_handled(m.question, spec_.spawn.on_crash == OnCrash::retry_message);
  if (dice < 70) {
    reply.send(Question::answer_to(m.question));
  } else if (dice < 80 && owed_.size() < owed_max) {
    owed_.push_back({m.question, std::move(reply)});
    after(1ms, AnswerLater{});
  } else if (dice < 90) {
    reply.refuse("as the dice say");
  } else if (dice < 91) {
    crash("while asked");
  }  // else nobody answers, and the asker hears so
}

std::uint64_t Crowd::on(const Lookup& m) {
  const Handling handling{*this};
  world_.left.fetch_sub(1, std::memory_order_relaxed);
  world_.evidence.note_handled(m.question, true);
  const std::uint64_t dice = random().below(100);
  if (dice < 1) {
    crash("while looking up");
  }
  if (dice < 5) {
    throw Refusal{"as the dice say"};
  }
  return Question::answer_to(m.question);
}

void Crowd::on(const AnswerLater&) {
  const Handling handling{*this};
  if (!owed_.empty()) {
    owed_.back().reply.send(Question::answer_to(owed_.back().question));
    owed_.pop_back();
  }
}

void Crowd::on(const Fail&) {
  world_.evidence.crashes.fetch_add(1, std::memory_order_relaxed);
  throw std::logic_error{"as it was told"};
}

}  // namespace troupe::actors::stress
