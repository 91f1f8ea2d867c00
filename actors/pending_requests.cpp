#include "actors/pending_requests.hpp"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "actors/ask_edge.hpp"
#include "actors/reply_slot.hpp"

namespace troupe::actors {

namespace {

constexpr std::uint32_t slot_index(base::ActorId request) {
  return static_cast<std::uint32_t>(request.value);
}

constexpr base::ActorId id_of(std::uint32_t generation, std::uint32_t index) {
  return {PendingRequests::request_bit | (std::uint64_t{generation} << 32U) | index};
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

/// A plain thread that waits for one result.
struct PendingRequests::BlockedThread {
  base::Mutex mutex;
  std::condition_variable_any ready;
  bool is_ready = false;

  void wait() {
    base::MutexLock lock{mutex};
    while (!is_ready) {
      ready.wait(mutex);
    }
  }
  void wake() {
    base::MutexLock lock{mutex};
    is_ready = true;
    ready.notify_one();
  }
};

struct PendingRequests::SlotTypes {
  using Reply = Envelope;
  using Suspension = actors::Suspension;
  using Function = std::unique_ptr<Callback>;
  using BlockedThread = PendingRequests::BlockedThread;
};

/// Its first line is the machine's, its second one what is known of the request.
struct alignas(64) PendingRequests::Slot : BasicReplySlot<SlotTypes> {
  std::atomic<base::TimePoint> deadline{base::time_never};
  std::atomic<std::uint32_t> next_free{0};
  BasicRequestHolder<> holder;
  std::atomic<std::uint64_t> waiter{0};

  static std::uint32_t generation_of(base::ActorId request) {
    return static_cast<std::uint32_t>(request.value >> 32U) & generation_mask;
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
  slot.deadline.store(deadline, std::memory_order_relaxed);
  const std::uint32_t generation = slot.open();
  if (deadline != base::time_never) {
    arm(deadline);
  }
  return id_of(generation, index);
}

void PendingRequests::release(std::uint32_t index) {
  free_.push(
      index, [this](std::uint32_t at) -> auto& { return slot_at(at).next_free; });
}

void PendingRequests::close(base::ActorId request) {
  if (Slot* slot = find(request)) {
    slot->close(Slot::generation_of(request), [&] { release(slot_index(request)); });
  }
}

void PendingRequests::close_all() {
  const std::uint32_t used = slots_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    const Slot::View seen = slot_at(index).look_settled();
    if (seen.status != Slot::Status::closed) {
      close(id_of(seen.generation, index));
    }
  }
}

bool PendingRequests::is_open(base::ActorId request) const {
  const Slot* slot = find(request);
  if (slot == nullptr) {
    return false;
  }
  const Slot::View seen = slot->look();
  return seen.generation == Slot::generation_of(request) && seen.is_open();
}

void PendingRequests::mark_passed_on(base::ActorId request) {
  if (Slot* slot = find(request)) {
    slot->holder.pass_on(request);
  }
}

void PendingRequests::mark_forwarded(base::ActorId request, base::ActorId to) {
  if (Slot* slot = find(request)) {
    slot->holder.forward(request, to);
  }
}

base::ActorId PendingRequests::holder_of(base::ActorId request, base::ActorId receiver) const {
  const Slot* slot = find(request);
  return slot != nullptr && is_open(request) ? slot->holder.holder_of(request, receiver)
                                             : base::ActorId{};
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
    const Slot::View seen = slot_at(index).look(std::memory_order_relaxed);
    count += seen.status != Slot::Status::closed ? 1U : 0U;
  }
  return count;
}

bool PendingRequests::is_ready(base::ActorId request) {
  return find(request)->is_ready();
}

bool PendingRequests::resume_when_ready(base::ActorId request, Suspension waiting) {
  return find(request)->resume_when_ready(Slot::generation_of(request), waiting);
}

void PendingRequests::call_when_ready(base::ActorId request, Callback callback) {
  Slot* slot = find(request);
  if (!slot->is_ready()) {
    auto function = std::make_unique<Callback>(std::move(callback));
    if (slot->call_when_ready(Slot::generation_of(request), function)) {
      return;
    }
    callback = std::move(*function);
  }
  callback(take(request));
}

void PendingRequests::wait(base::ActorId request) {
  BlockedThread blocked;
  if (find(request)->wake_when_ready(Slot::generation_of(request), blocked)) {
    blocked.wait();
  }
}

Envelope PendingRequests::take(base::ActorId request) {
  return find(request)->take([&] { release(slot_index(request)); });
}

base::Outcome PendingRequests::deliver(Envelope&& reply) {
  const base::ActorId request = reply->target;
  Slot* slot = find(request);
  if (slot == nullptr) {
    return base::Outcome::no_such_actor;
  }
  const bool is_taken = slot->fill(Slot::generation_of(request), std::move(reply),
                                   [&] { release(slot_index(request)); });
  return is_taken ? base::Outcome::accepted : base::Outcome::no_such_actor;
}

ActorAddress PendingRequests::address_of(base::ActorId request) const {
  return {{}, request, {}};
}

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
    const Slot::View seen = slot.look();
    if (!seen.is_open()) {
      continue;
    }
    const base::TimePoint deadline = slot.deadline.load(std::memory_order_relaxed);
    if (deadline > now) {
      next = std::min(next, deadline);
      continue;
    }
    Envelope failure = failure_envelope(
        {AskError::Kind::may_have_run, base::Outcome::expired, "no reply within the deadline"});
    failure->target = id_of(seen.generation, index);
    // Not accepted means that the reply came first, or that the place was used again.
    (void)deliver(std::move(failure));
  }
  if (next != base::time_never) {
    // A sweep looks at every request: at most one a millisecond.
    arm(std::max(next, now + std::chrono::milliseconds{1}));
  }
}

}  // namespace troupe::actors
