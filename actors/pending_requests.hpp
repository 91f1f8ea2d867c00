#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>

#include "actors/ask_error.hpp"
#include "actors/index_stack.hpp"
#include "actors/message_sink.hpp"
#include "actors/suspension.hpp"
#include "actors/timers.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// The open asks of one actor system. A request is a one-shot sink with a number of its own: the
/// reply is an ordinary deliver() to it, from here or from the wire. A request without a reply by
/// its deadline completes as may_have_run.
///
/// Thread-safe, and lock-free but for growing and for plain threads that wait. At most
/// `requests_max` are open; then open() refuses. is_ready() to take() belong to the one who asked.
class PendingRequests final : public MessageSink {
 public:
  static constexpr std::uint32_t requests_max = 1U << 20U;
  /// Set in the number of a request, never in an actor's.
  static constexpr std::uint64_t request_bit = std::uint64_t{1} << 63U;

  /// Runs on the thread that delivers the reply: a reply, failure or receipt block.
  using Callback = std::function<void(Envelope&&)>;

  PendingRequests(ActorSystem& system, const base::Clock& clock, Timers& timers);
  ~PendingRequests() override;

  /// A new request's number, or 0 when too many are open.
  [[nodiscard]] base::ActorId open(base::TimePoint deadline);
  /// Ends a request whose reply nobody wants any more.
  void close(base::ActorId request);

  /// Ends all requests; nobody is called back.
  void close_all();

  [[nodiscard]] bool is_ready(base::ActorId request);
  /// The right to answer left the handler that got the request: it may be answered by anybody.
  void mark_passed_on(base::ActorId request);
  /// It was forwarded, and waits now for an actor of this process.
  void mark_forwarded(base::ActorId request, base::ActorId to);
  /// Who must answer an open request, or has yet to handle it: whom it was sent to, or forwarded
  /// to; 0 where that is not known, or it has its result.
  [[nodiscard]] base::ActorId holder_of(base::ActorId request, base::ActorId receiver) const;
  /// The actor that awaits it with a held mailbox; see AskChains, which knows whether it still does.
  void note_waiter(base::ActorId request, base::ActorId waiter);
  [[nodiscard]] base::ActorId waiter_of(base::ActorId request) const;
  /// Resumes `waiting`, and nobody before it, when the result is there; false if it already is.
  [[nodiscard]] bool resume_when_ready(base::ActorId request, Suspension waiting);
  /// Calls back with the result, at once if it is there, and closes the request.
  void call_when_ready(base::ActorId request, Callback callback);
  /// Blocks a plain thread until the result is there.
  void wait(base::ActorId request);
  /// The result of a ready request, which is closed.
  [[nodiscard]] Envelope take(base::ActorId request);

  /// A request that is closed or unknown answers no_such_actor: a late reply.
  base::Outcome deliver(Envelope&& reply) override;
  [[nodiscard]] ActorAddress address_of(base::ActorId request) const override;

  /// Whether a reply would still be taken. Lock-free.
  [[nodiscard]] bool is_open(base::ActorId request) const;
  /// Requests that are open now; looks at all there ever were at once.
  [[nodiscard]] std::uint32_t open_count() const;

 private:
  struct BlockedThread;
  struct SlotTypes;
  struct Slot;
  struct Chunk;
  static constexpr std::uint32_t slots_a_chunk = 256;
  static constexpr std::uint32_t chunks_max = requests_max / slots_a_chunk;

  Slot* find(base::ActorId request) const;
  Slot& slot_at(std::uint32_t index) const;
  [[nodiscard]] std::uint32_t take_index();
  void release(std::uint32_t index);
  void arm(base::TimePoint deadline);
  void expire_due();

  const base::Clock& clock_;
  Timers& timers_;
  std::unique_ptr<std::array<std::atomic<Chunk*>, chunks_max>> chunks_;
  std::atomic<std::uint32_t> slots_used_{0};
  IndexStack free_;
  /// When the next sweep is due.
  std::atomic<base::TimePoint> armed_for_{base::time_never};
  base::Mutex growing_;
};

/// A failure block for an asker.
[[nodiscard]] Envelope failure_envelope(AskError error);

}  // namespace troupe::actors
