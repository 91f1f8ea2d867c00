#include "actors/pending_requests.hpp"

#include <condition_variable>
#include <utility>

namespace troupe::actors {

namespace {

/// A plain thread that waits for one result.
struct BlockedThread {
  base::Mutex mutex;
  std::condition_variable_any ready;
  bool is_ready = false;
};

constexpr std::uint32_t slot_index(base::ActorId request) {
  return static_cast<std::uint32_t>(request.value);
}

}  // namespace

std::string AskError::text() const {
  if (kind == Kind::refusal) {
    return reason;
  }
  std::string result = kind == Kind::not_run ? "not_run (" : "may_have_run (";
  result += base::to_string(outcome);
  result += ")";
  return reason.empty() ? result : result + ": " + reason;
}

Envelope failure_envelope(AskError error) {
  return Envelope::of(BlockKind::failure, message_type<AskError>, std::move(error));
}

/// Invariants
///  1. `state` is the generation and a Status; only the holder of the request's number knows it.
///  2. `result` and the waiter's fields belong to who asked while `open`, to who changed `open` or
///     `waiting` to `filling` until it ends that, and to who asked again once `ready`.
///  3. Only deliver() fills, and only one of those who try; filling takes a few instructions.
///  4. A place whose state is `closed` is in free_, or belongs to the one who closed it.
struct alignas(64) PendingRequests::Slot {
  enum Status : std::uint8_t { closed, open, waiting, filling, ready };
  enum Kind : std::uint8_t { coroutine, callback, thread };

  std::atomic<std::uint64_t> state{0};
  std::atomic<base::TimePoint> deadline{base::time_never};
  Envelope result;
  Suspension suspended;
  std::unique_ptr<Callback> function;
  BlockedThread* blocked = nullptr;
  std::atomic<std::uint32_t> next_free{0};
  /// The last request whose right to answer was passed on.
  std::atomic<std::uint64_t> passed_on{0};
  /// The last request that was forwarded, and to whom.
  std::atomic<std::uint64_t> forwarded{0};
  std::atomic<std::uint64_t> forwarded_to{0};
  std::atomic<std::uint64_t> waiter{0};
  Kind kind = coroutine;

  static Status status_of(std::uint64_t state) { return static_cast<Status>(state & 0xFFU); }
  static std::uint64_t with_status(std::uint64_t state, Status status) {
    return (state & ~std::uint64_t{0xFF}) | status;
  }
  static base::ActorId id_of(std::uint64_t state, std::uint32_t index) {
    return {request_bit | (((state >> 8U) & 0x7FFFFFFFU) << 32U) | index};
  }
  static bool is_of(std::uint64_t state, base::ActorId request) {
    return ((state >> 8U) & 0x7FFFFFFFU) == ((request.value >> 32U) & 0x7FFFFFFFU);
  }
  /// The state once nobody fills.
  std::uint64_t settled() const {
    for (;;) {
      const std::uint64_t now = state.load(std::memory_order_acquire);
      if (status_of(now) != filling) {
        return now;
      }
    }
  }
};

struct PendingRequests::Chunk {
  std::array<Slot, slots_a_chunk> slots;
};

PendingRequests::PendingRequests(ActorSystem& system, const base::Clock& clock, Timers& timers)
    : MessageSink(system),
      clock_(clock),
      timers_(timers),
      chunks_(std::make_unique<std::array<std::atomic<Chunk*>, chunks_max>>()) {}

PendingRequests::~PendingRequests() {
  for (auto& chunk : *chunks_) {
    delete chunk.load(std::memory_order_acquire);
  }
}

PendingRequests::Slot& PendingRequests::slot_at(std::uint32_t index) const {
  return (*chunks_)[index / slots_a_chunk]
      .load(std::memory_order_acquire)
      ->slots[index % slots_a_chunk];
}

PendingRequests::Slot* PendingRequests::find(base::ActorId request) const {
  const std::uint32_t index = slot_index(request);
  if ((request.value & request_bit) == 0 || index >= requests_max ||
      (*chunks_)[index / slots_a_chunk].load(std::memory_order_acquire) == nullptr) {
    return nullptr;
  }
  return &slot_at(index);
}

std::uint32_t PendingRequests::take_index() {
  const std::uint32_t free =
      free_.pop([this](std::uint32_t index) -> auto& { return slot_at(index).next_free; });
  if (free != IndexStack::none) {
    return free;
  }
  base::MutexLock lock{growing_};
  const std::uint32_t index = slots_used_.load(std::memory_order_relaxed);
  if (index >= requests_max) {
    return IndexStack::none;
  }
  auto& chunk = (*chunks_)[index / slots_a_chunk];
  if (chunk.load(std::memory_order_relaxed) == nullptr) {
    chunk.store(new Chunk, std::memory_order_release);
  }
  slots_used_.store(index + 1, std::memory_order_seq_cst);
  return index;
}

base::ActorId PendingRequests::open(base::TimePoint deadline) {
  const std::uint32_t index = take_index();
  if (index == IndexStack::none) {
    return {};
  }
  Slot& slot = slot_at(index);
  const std::uint64_t state = Slot::with_status(
      slot.state.load(std::memory_order_relaxed) + (std::uint64_t{1} << 8U), Slot::open);
  slot.deadline.store(deadline, std::memory_order_relaxed);
  // seq_cst with the load in arm(): a sweep sees the request, or it is armed anew for it
  slot.state.store(state, std::memory_order_seq_cst);
  if (deadline != base::time_never) {
    arm(deadline);
  }
  return Slot::id_of(state, index);
}

void PendingRequests::release(std::uint32_t index) {
  free_.push(index, [this](std::uint32_t at) -> auto& { return slot_at(at).next_free; });
}

void PendingRequests::close(base::ActorId request) {
  Slot* slot = find(request);
  if (slot == nullptr) {
    return;
  }
  for (;;) {
    std::uint64_t state = slot->settled();
    if (!Slot::is_of(state, request) || Slot::status_of(state) == Slot::closed) {
      return;
    }
    if (slot->state.compare_exchange_weak(state, Slot::with_status(state, Slot::closed),
                                          std::memory_order_seq_cst)) {
      break;
    }
  }
  // Destroyed at the end: it may hold a right to reply, which uses the table.
  const std::unique_ptr<Callback> unused = std::move(slot->function);
  const Envelope dropped = std::move(slot->result);
  release(slot_index(request));
}

void PendingRequests::close_all() {
  const std::uint32_t used = slots_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    const std::uint64_t state = slot_at(index).settled();
    if (Slot::status_of(state) != Slot::closed) {
      close(Slot::id_of(state, index));
    }
  }
}

bool PendingRequests::is_open(base::ActorId request) const {
  const Slot* slot = find(request);
  if (slot == nullptr) {
    return false;
  }
  const std::uint64_t state = slot->state.load(std::memory_order_seq_cst);
  const Slot::Status status = Slot::status_of(state);
  return Slot::is_of(state, request) && (status == Slot::open || status == Slot::waiting);
}

void PendingRequests::mark_passed_on(base::ActorId request) {
  if (Slot* slot = find(request)) {
    slot->forwarded.store(0, std::memory_order_release);
    slot->passed_on.store(request.value, std::memory_order_release);
  }
}

void PendingRequests::mark_forwarded(base::ActorId request, base::ActorId to) {
  if (Slot* slot = find(request)) {
    slot->forwarded_to.store(to.value, std::memory_order_release);
    slot->passed_on.store(request.value, std::memory_order_release);
    // seq_cst with the edges of AskChains: of those who close a ring, one sees it whole
    slot->forwarded.store(request.value, std::memory_order_seq_cst);
  }
}

base::ActorId PendingRequests::holder_of(base::ActorId request, base::ActorId receiver) const {
  const Slot* slot = find(request);
  if (slot == nullptr || !is_open(request)) {
    return {};
  }
  if (slot->forwarded.load(std::memory_order_seq_cst) == request.value) {
    const base::ActorId to{slot->forwarded_to.load(std::memory_order_acquire)};
    return slot->forwarded.load(std::memory_order_acquire) == request.value ? to : base::ActorId{};
  }
  return slot->passed_on.load(std::memory_order_acquire) == request.value ? base::ActorId{}
                                                                           : receiver;
}

void PendingRequests::note_waiter(base::ActorId request, base::ActorId waiter) {
  if (Slot* slot = find(request)) {
    slot->waiter.store(waiter.value, std::memory_order_release);
  }
}

base::ActorId PendingRequests::waiter_of(base::ActorId request) const {
  const Slot* slot = find(request);
  return slot != nullptr ? base::ActorId{slot->waiter.load(std::memory_order_acquire)}
                         : base::ActorId{};
}

std::uint32_t PendingRequests::open_count() const {
  std::uint32_t count = 0;
  const std::uint32_t used = slots_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    count += Slot::status_of(slot_at(index).state.load(std::memory_order_relaxed)) != Slot::closed
                 ? 1U
                 : 0U;
  }
  return count;
}

bool PendingRequests::is_ready(base::ActorId request) {
  return Slot::status_of(find(request)->settled()) == Slot::ready;
}

/// Publishes the waiter's fields; false if the result is there already.
bool PendingRequests::add_waiter(Slot& slot, base::ActorId request, std::uint8_t kind) {
  slot.kind = static_cast<Slot::Kind>(kind);
  std::uint64_t state = slot.settled();
  while (Slot::is_of(state, request) && Slot::status_of(state) == Slot::open) {
    // The release pairs with the acquire of who fills.
    if (slot.state.compare_exchange_weak(state, Slot::with_status(state, Slot::waiting),
                                         std::memory_order_acq_rel)) {
      return true;
    }
    state = slot.settled();
  }
  return !Slot::is_of(state, request) || Slot::status_of(state) != Slot::ready;
}

bool PendingRequests::resume_when_ready(base::ActorId request, Suspension waiting) {
  Slot* slot = find(request);
  std::uint64_t state = slot->settled();
  while (Slot::status_of(state) == Slot::waiting &&
         !slot->state.compare_exchange_weak(state, Slot::with_status(state, Slot::open),
                                            std::memory_order_acq_rel)) {
    state = slot->settled();
  }
  if (Slot::status_of(state) == Slot::ready) {
    return false;
  }
  slot->suspended = waiting;
  return add_waiter(*slot, request, Slot::coroutine);
}

void PendingRequests::call_when_ready(base::ActorId request, Callback callback) {
  Slot* slot = find(request);
  if (Slot::status_of(slot->settled()) != Slot::ready) {
    slot->function = std::make_unique<Callback>(std::move(callback));
    if (add_waiter(*slot, request, Slot::callback)) {
      return;
    }
    callback = std::move(*std::exchange(slot->function, nullptr));
  }
  callback(take(request));
}

void PendingRequests::wait(base::ActorId request) {
  BlockedThread blocked;
  Slot* slot = find(request);
  if (Slot::status_of(slot->settled()) == Slot::ready) {
    return;
  }
  slot->blocked = &blocked;
  if (!add_waiter(*slot, request, Slot::thread)) {
    return;
  }
  base::MutexLock lock{blocked.mutex};
  while (!blocked.is_ready) {
    blocked.ready.wait(blocked.mutex);
  }
}

Envelope PendingRequests::take(base::ActorId request) {
  Slot* slot = find(request);
  Envelope result = std::move(slot->result);
  slot->state.store(Slot::with_status(slot->state.load(std::memory_order_relaxed), Slot::closed),
                    std::memory_order_release);
  release(slot_index(request));
  return result;
}

base::Outcome PendingRequests::deliver(Envelope&& reply) {
  const base::ActorId request = reply->target;
  Slot* slot = find(request);
  if (slot == nullptr) {
    return base::Outcome::no_such_actor;
  }
  std::uint64_t state = slot->state.load(std::memory_order_relaxed);
  do {
    if (!Slot::is_of(state, request) ||
        (Slot::status_of(state) != Slot::open && Slot::status_of(state) != Slot::waiting)) {
      return base::Outcome::no_such_actor;
    }
  } while (!slot->state.compare_exchange_weak(state, Slot::with_status(state, Slot::filling),
                                              std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
  if (Slot::status_of(state) == Slot::open) {
    slot->result = std::move(reply);
    slot->state.store(Slot::with_status(state, Slot::ready), std::memory_order_release);
    return base::Outcome::accepted;
  }
  switch (slot->kind) {
    case Slot::coroutine: {
      const Suspension suspended = slot->suspended;
      slot->result = std::move(reply);
      slot->state.store(Slot::with_status(state, Slot::ready), std::memory_order_release);
      suspended.resume();
      break;
    }
    case Slot::callback: {
      const std::unique_ptr<Callback> function = std::move(slot->function);
      slot->state.store(Slot::with_status(state, Slot::closed), std::memory_order_release);
      release(slot_index(request));
      (*function)(std::move(reply));
      break;
    }
    case Slot::thread: {
      BlockedThread& blocked = *slot->blocked;
      slot->result = std::move(reply);
      slot->state.store(Slot::with_status(state, Slot::ready), std::memory_order_release);
      base::MutexLock lock{blocked.mutex};
      blocked.is_ready = true;
      blocked.ready.notify_one();
      break;
    }
  }
  return base::Outcome::accepted;
}

ActorAddress PendingRequests::address_of(base::ActorId request) const { return {{}, request, {}}; }

/// Sees to a sweep that is not later than the deadline.
void PendingRequests::arm(base::TimePoint deadline) {
  base::TimePoint armed = armed_for_.load(std::memory_order_seq_cst);
  while (deadline < armed) {
    if (armed_for_.compare_exchange_weak(armed, deadline, std::memory_order_seq_cst)) {
      (void)timers_.add(deadline, [this] { expire_due(); });
      return;
    }
  }
}

void PendingRequests::expire_due() {
  const base::TimePoint now = clock_.now();
  if (now < armed_for_.load(std::memory_order_seq_cst)) {
    return;  // an earlier timer has done it; another is set
  }
  armed_for_.store(base::time_never, std::memory_order_seq_cst);
  base::TimePoint next = base::time_never;
  const std::uint32_t used = slots_used_.load(std::memory_order_seq_cst);
  for (std::uint32_t index = 0; index < used; ++index) {
    Slot& slot = slot_at(index);
    const std::uint64_t state = slot.state.load(std::memory_order_seq_cst);
    if (Slot::status_of(state) != Slot::open && Slot::status_of(state) != Slot::waiting) {
      continue;
    }
    const base::TimePoint deadline = slot.deadline.load(std::memory_order_relaxed);
    if (deadline > now) {
      next = std::min(next, deadline);
      continue;
    }
    Envelope failure = failure_envelope({AskError::Kind::may_have_run, base::Outcome::expired,
                                         "no reply within the deadline"});
    failure->target = Slot::id_of(state, index);
    // Not accepted means that the reply came first, or that the place was used again.
    (void)deliver(std::move(failure));
  }
  if (next != base::time_never) {
    // A sweep looks at every request: at most one a millisecond.
    arm(std::max(next, now + std::chrono::milliseconds{1}));
  }
}

}  // namespace troupe::actors
