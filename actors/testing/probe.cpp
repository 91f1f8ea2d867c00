#include "actors/testing/probe.hpp"

#include <deque>

namespace troupe::testing {

namespace {

std::string name_of(const actors::Envelope& message) {
  return message->type != nullptr ? std::string{message->type->name}
                                  : "#" + std::to_string(message->type_id);
}

}  // namespace

/// What has come and the test has not taken.
struct Probe::Record {
  std::deque<actors::Envelope> messages;
  std::deque<actors::Terminated> endings;
  /// Of the message that was taken last.
  actors::ReplyRight asker;
  base::ActorId sender;
};

class Probe::Recorder final : public actors::Actor {
 public:
  using Protocol = actors::Protocol<>;
  explicit Recorder(std::shared_ptr<Record> record) : record_(std::move(record)) {}
  void on_unhandled(actors::Envelope&& message) { record_->messages.push_back(std::move(message)); }
  void on(const actors::Terminated& ending) { record_->endings.push_back(ending); }
  using actors::Actor::watch;

 private:
  std::shared_ptr<Record> record_;
};

Probe::Probe(TestSystem& system, std::string name)
    : system_(&system),
      name_(std::move(name)),
      record_(std::make_shared<Record>()),
      ref_(system.spawn<Recorder>({.name = name_}, record_)) {
  system.run_until_idle();
}

actors::Envelope Probe::next(std::string_view type, base::Duration within) {
  const base::TimePoint end = base::later(system_->now(), within);
  system_->run_until_idle();
  while (record_->messages.empty() && system_->advance_to_next_timer(end)) {
  }
  const std::string expected = name_ + " expected " + std::string{type};
  if (record_->messages.empty()) {
    system_->fail(expected + ", and no message came");
  }
  actors::Envelope message = std::move(record_->messages.front());
  record_->messages.pop_front();
  if (message->type_id != base::fnv1a(type)) {
    system_->fail(expected + ", and " + name_of(message) + " came");
  }
  record_->asker = {message->reply(), message->by_name, message->deadline};
  message->set_reply({});
  record_->sender = message->sender;
  return message;
}

void Probe::expect_none(base::Duration within) {
  system_->run_until_idle();
  if (within > base::Duration{0}) {
    system_->advance(within);
  }
  if (!record_->messages.empty()) {
    system_->fail(name_ + " expected no message, and " + name_of(record_->messages.front()) +
                  " came");
  }
}

actors::ReplyRight Probe::take_reply_right() {
  if (!record_->asker) {
    system_->fail(name_ + " has nobody to answer: the last message was no ask, or is answered");
  }
  return std::move(record_->asker);
}

void Probe::refuse(std::string reason) {
  take_reply_right().fail(
      {actors::AskError::Kind::refusal, base::Outcome::accepted, std::move(reason)});
  system_->run_until_idle();
}

base::ActorId Probe::sender() const {
  return record_->sender;
}

void Probe::watch(const actors::AnyRef& actor) {
  actors::ActorCell* cell = ref_.sink()->local_cell();
  const bool is_alive = system_->system().call(ref_, [cell, actor] { cell->watch(actor); });
  if (!is_alive) {
    system_->fail(name_ + " has been stopped and cannot watch");
  }
  system_->run_until_idle();
}

actors::Terminated Probe::expect_terminated(const actors::AnyRef& actor, base::Duration within) {
  const base::TimePoint end = base::later(system_->now(), within);
  system_->run_until_idle();
  while (record_->endings.empty() && system_->advance_to_next_timer(end)) {
  }
  if (record_->endings.empty()) {
    system_->fail(name_ + " expected the end of an actor, and it goes on living");
  }
  actors::Terminated ending = std::move(record_->endings.front());
  record_->endings.pop_front();
  if (ending.actor != actor) {
    system_->fail(name_ + " expected the end of an actor, and another one ended: " + ending.text);
  }
  return ending;
}

std::size_t Probe::queued() const {
  return record_->messages.size();
}

}  // namespace troupe::testing
