#include "actors/pending_requests.hpp"

#include <condition_variable>

namespace troupe::actors {

namespace {

/// A plain thread that waits for one result.
struct BlockedThread {
  base::Mutex mutex;
  std::condition_variable_any ready;
  bool is_ready = false;
};

constexpr std::uint32_t index_of(base::ActorId request) {
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

struct PendingRequests::Slot {
  base::Mutex mutex;
  std::uint32_t generation TROUPE_GUARDED_BY(mutex) = 0;
  bool is_open TROUPE_GUARDED_BY(mutex) = false;
  base::TimePoint deadline TROUPE_GUARDED_BY(mutex);
  Envelope result TROUPE_GUARDED_BY(mutex);
  Suspension waiting TROUPE_GUARDED_BY(mutex);
  Callback callback TROUPE_GUARDED_BY(mutex);
  BlockedThread* blocked TROUPE_GUARDED_BY(mutex) = nullptr;

  [[nodiscard]] base::ActorId id(std::uint32_t index) const TROUPE_REQUIRES(mutex) {
    return {request_bit | (std::uint64_t{generation & 0x7FFFFFFFU} << 32U) | index};
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

PendingRequests::Slot* PendingRequests::find(base::ActorId request) const {
  const std::uint32_t index = index_of(request);
  if ((request.value & request_bit) == 0 || index >= requests_max) {
    return nullptr;
  }
  Chunk* chunk = (*chunks_)[index / slots_a_chunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : &chunk->slots[index % slots_a_chunk];
}

base::ActorId PendingRequests::open(base::TimePoint deadline) {
  std::uint32_t index = 0;
  {
    base::MutexLock lock{mutex_};
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else {
      index = slots_used_.load(std::memory_order_relaxed);
      if (index >= requests_max) {
        return {};
      }
      auto& chunk = (*chunks_)[index / slots_a_chunk];
      if (chunk.load(std::memory_order_relaxed) == nullptr) {
        chunk.store(new Chunk, std::memory_order_release);
      }
      slots_used_.store(index + 1, std::memory_order_release);
    }
  }
  open_count_.fetch_add(1, std::memory_order_relaxed);
  Slot& slot = *find({request_bit | index});
  base::ActorId id;
  {
    base::MutexLock lock{slot.mutex};
    ++slot.generation;
    slot.is_open = true;
    slot.deadline = deadline;
    id = slot.id(index);
  }
  if (deadline != base::time_never) {
    arm(deadline);
  }
  return id;
}

void PendingRequests::release(std::uint32_t index) {
  open_count_.fetch_sub(1, std::memory_order_relaxed);
  base::MutexLock lock{mutex_};
  free_.push_back(index);
}

void PendingRequests::close(base::ActorId request) {
  Slot* slot = find(request);
  if (slot == nullptr) {
    return;
  }
  Envelope dropped;
  Callback unused;  // destroyed without the lock: it may hold a right to reply
  {
    base::MutexLock lock{slot->mutex};
    if (!slot->is_open || slot->id(index_of(request)) != request) {
      return;
    }
    slot->is_open = false;
    slot->waiting = {};
    unused.swap(slot->callback);
    dropped = std::move(slot->result);
  }
  release(index_of(request));
}

void PendingRequests::close_all() {
  const std::uint32_t used = slots_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    Slot& slot = *find({request_bit | index});
    base::ActorId open;
    {
      base::MutexLock lock{slot.mutex};
      open = slot.is_open ? slot.id(index) : base::ActorId{};
    }
    if (open) {
      close(open);
    }
  }
}

bool PendingRequests::is_ready(base::ActorId request) {
  Slot* slot = find(request);
  base::MutexLock lock{slot->mutex};
  return static_cast<bool>(slot->result);
}

bool PendingRequests::resume_when_ready(base::ActorId request, Suspension waiting) {
  Slot* slot = find(request);
  base::MutexLock lock{slot->mutex};
  if (slot->result) {
    return false;
  }
  slot->waiting = waiting;
  return true;
}

void PendingRequests::call_when_ready(base::ActorId request, Callback callback) {
  Slot* slot = find(request);
  Envelope result;
  {
    base::MutexLock lock{slot->mutex};
    if (!slot->result) {
      slot->callback = std::move(callback);
      return;
    }
    result = std::move(slot->result);
    slot->is_open = false;
  }
  release(index_of(request));
  callback(std::move(result));
}

void PendingRequests::wait(base::ActorId request) {
  BlockedThread blocked;
  Slot* slot = find(request);
  {
    base::MutexLock lock{slot->mutex};
    if (slot->result) {
      return;
    }
    slot->blocked = &blocked;
  }
  base::MutexLock lock{blocked.mutex};
  while (!blocked.is_ready) {
    blocked.ready.wait(blocked.mutex);
  }
}

Envelope PendingRequests::take(base::ActorId request) {
  Slot* slot = find(request);
  Envelope result;
  {
    base::MutexLock lock{slot->mutex};
    result = std::move(slot->result);
    slot->is_open = false;
  }
  release(index_of(request));
  return result;
}

base::Outcome PendingRequests::deliver(Envelope&& reply) {
  const base::ActorId request = reply->target;
  Slot* slot = find(request);
  if (slot == nullptr) {
    return base::Outcome::no_such_actor;
  }
  Suspension waiting;
  Callback callback;
  Envelope result;
  {
    base::MutexLock lock{slot->mutex};
    if (!slot->is_open || slot->id(index_of(request)) != request || slot->result) {
      return base::Outcome::no_such_actor;
    }
    if (slot->callback) {
      callback = std::move(slot->callback);
      slot->callback = nullptr;
      slot->is_open = false;
      result = std::move(reply);
    } else {
      slot->result = std::move(reply);
      waiting = std::exchange(slot->waiting, Suspension{});
      if (BlockedThread* blocked = std::exchange(slot->blocked, nullptr)) {
        base::MutexLock blocked_lock{blocked->mutex};
        blocked->is_ready = true;
        blocked->ready.notify_one();
      }
    }
  }
  if (callback) {
    release(index_of(request));
    callback(std::move(result));
  } else if (waiting) {
    waiting.resume();
  }
  return base::Outcome::accepted;
}

ActorAddress PendingRequests::address_of(base::ActorId request) const { return {{}, request, {}}; }

void PendingRequests::arm(base::TimePoint deadline) {
  {
    base::MutexLock lock{mutex_};
    if (deadline >= armed_for_) {
      return;
    }
    armed_for_ = deadline;
  }
  (void)timers_.add(deadline, [this] { expire_due(); });
}

void PendingRequests::expire_due() {
  {
    base::MutexLock lock{mutex_};
    armed_for_ = base::time_never;
  }
  const base::TimePoint now = clock_.now();
  base::TimePoint next = base::time_never;
  const std::uint32_t used = slots_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    Slot& slot = *find({request_bit | index});
    base::ActorId due;
    {
      base::MutexLock lock{slot.mutex};
      if (!slot.is_open || slot.result) {
        continue;
      }
      if (slot.deadline > now) {
        next = std::min(next, slot.deadline);
        continue;
      }
      due = slot.id(index);
    }
    Envelope failure = failure_envelope({AskError::Kind::may_have_run, base::Outcome::expired,
                                         "no reply within the deadline"});
    failure->target = due;
    // Not accepted means that the reply came first.
    (void)deliver(std::move(failure));
  }
  if (next != base::time_never) {
    // A sweep looks at every request: at most one a millisecond.
    arm(std::max(next, now + std::chrono::milliseconds{1}));
  }
}

}  // namespace troupe::actors
