#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "actors/actor.hpp"
#include "actors/testing/test_system.hpp"

namespace troupe::testing {

/// An actor that handles nothing and keeps everything: the test takes its messages one by one, in
/// the order of their arrival, and says what it expected.
///
/// Not thread-safe; used, like its TestSystem, by the test's thread, and not after the system.
/// Copies are the same probe. An expectation that is not met throws Failure, which says what came.
class Probe {
 public:
  explicit Probe(TestSystem& system, std::string name = "probe");

  /// The probe in the place of an A: a reference to hand to the actors under test.
  template <class A>
  [[nodiscard]] actors::ActorRef<A> as() const {
    return actors::ActorRef<A>{ref_};
  }
  [[nodiscard]] const actors::AnyRef& ref() const { return ref_; }

  /// The next message, which is an M. Runs the system; if nothing has come then, moves its time
  /// from timer to timer, by `within` at most.
  template <base::Message M>
  M expect(base::Duration within = std::chrono::seconds{3}) {
    actors::Envelope envelope = next(M::troupe_message_name(), within);
    if (envelope->type == &actors::message_type<M>) {
      return std::move(envelope->as<M>());
    }
    base::Bytes encoded;
    actors::encode_body(*envelope, encoded, true);
    auto decoded = base::from_wire<M>(encoded);
    if (!decoded.ok()) {
      system_->fail("the message cannot be decoded: " + decoded.error().text());
    }
    return std::move(decoded).value();
  }
  /// Whether nothing comes, also while time moves by `within`.
  void expect_none(base::Duration within = base::Duration{0});

  /// Answers the ask that the last expected message was.
  template <class R>
  void reply(R value) {
    take_reply_right().send(
        actors::Envelope::of(actors::BlockKind::reply, actors::message_type<R>, std::move(value)));
    system_->run_until_idle();
  }
  /// The same for an ask without a Reply.
  void reply() { reply(actors::Done{}); }
  /// Answers no.
  void refuse(std::string reason);
  /// Who sent the last expected message; 0 if that was no actor.
  [[nodiscard]] base::ActorId sender() const;

  /// From now on the probe hears of the actor's end.
  void watch(const actors::AnyRef& actor);
  /// The notice of the actor's end, which must be the next of all notices.
  actors::Terminated expect_terminated(const actors::AnyRef& actor,
                                       base::Duration within = std::chrono::seconds{3});

  /// Messages that have come and were not expected yet.
  [[nodiscard]] std::size_t queued() const;

 private:
  class Recorder;
  struct Record;
  [[nodiscard]] actors::Envelope next(std::string_view type, base::Duration within);
  [[nodiscard]] actors::ReplyRight take_reply_right();

  TestSystem* system_;
  std::string name_;
  /// Shared with the actor.
  std::shared_ptr<Record> record_;
  actors::AnyRef ref_;
};

}  // namespace troupe::testing
