#include "actors/pool.hpp"

#include <algorithm>
#include <utility>

#include "actors/detail/pool_actor.hpp"

namespace troupe::actors::detail {

bool PoolShared::call(void (PoolActor::*member)()) {
  return system->call(pool, [self = shared_from_this(), member] {
    if (self->actor != nullptr) {
      (self->actor->*member)();
    }
  });
}

std::uint32_t PoolShares::share_of(const MessageBlock& message) {
  if (message.type == nullptr) {
    return ~std::uint32_t{0};
  }
  const std::uint64_t key = key_hash_(message);
  base::MutexLock lock{mutex_};
  return workers() == 0 ? ~std::uint32_t{0} : jump_hash(key, workers());
}

std::uint32_t PoolShares::messages_max(std::uint32_t share) {
  base::MutexLock lock{mutex_};
  const std::size_t held = share < workers() ? held_[share] : 0;
  return held < equal_share() ? equal_share() - static_cast<std::uint32_t>(held) : 0;
}

std::uint32_t PoolShares::share_max() const {
  base::MutexLock lock{mutex_};
  return equal_share();
}

void PoolShares::set_held(std::vector<std::size_t> messages_by_worker) {
  base::MutexLock lock{mutex_};
  held_ = std::move(messages_by_worker);
}

void PoolShares::set_held(std::uint32_t worker, std::size_t messages) {
  base::MutexLock lock{mutex_};
  held_[worker] = messages;
}

void PoolWorkerLink::wake_pool() {
  (void)pool->call(&PoolActor::go_on);
}

PoolActor::PoolActor(std::shared_ptr<const PoolSetup> setup, std::shared_ptr<PoolShared> shared)
    : setup_(std::move(setup)),
      shared_(std::move(shared)),
      life_(++shared_->lives),
      sizer_(setup_->options.scaling) {
  if (!shared_->pool) {  // the same in every life, and read by others from the first on
    shared_->pool = self();
  }
  shared_->actor = this;
  has_idempotent_ = kind() != Routing::Kind::broadcast &&
                    std::any_of(setup_->messages.begin(), setup_->messages.end(),
                                [](const PoolMessage& message) { return message.is_idempotent; });
}

PoolActor::~PoolActor() {
  shared_->actor = nullptr;
  for (auto* queue : {&returned_, &held_}) {
    for (Waiting& waiting : *queue) {
      refuse(std::move(waiting), base::Outcome::stopped, "the pool has ended");
    }
  }
  for (auto* group : {&workers_, &retired_}) {
    for (Worker& worker : *group) {
      for (auto* queue : {&worker.left_behind, &worker.bound_for}) {
        for (Envelope& message : *queue) {
          refuse(std::move(message), base::Outcome::stopped, "the pool has ended");
        }
      }
    }
  }
}

void PoolActor::on_start() {
  if (shared_->shares && !std::exchange(shared_->is_divided, true)) {
    cell().divide_mailbox(setup_->options.pool, shared_->shares);
  }
  apply_size();
  if (setup_->options.scaling.workers_max > 0) {
    arm_look();
  }
}

void PoolActor::on_unhandled(Envelope&& message) {
  Waiting waiting{std::move(message), nullptr};
  if (is_waiting() || !route(waiting)) {
    held_.push_back(std::move(waiting));
    drain();
    hold();
  }
}

// Giving out.

bool PoolActor::keeps_place() const {
  return kind() == Routing::Kind::by_key || kind() == Routing::Kind::broadcast;
}

void PoolActor::go_on() {
  apply_size();
  drain();
  hold();
}

/// Gives out what waits, as far as there is room.
void PoolActor::drain() {
  if (give_what_waits()) {
    wish_for_room(false);
  } else {
    // Once more: room that came before the wish was seen woke nobody. Pairs with
    // PoolWorkerLink::handled().
    wish_for_room(true);
    if (give_what_waits()) {
      wish_for_room(false);
    } else {
      arm_tick();
    }
  }
  count();
  if (!is_waiting() && holding_) {
    std::exchange(holding_, Suspension{}).resume();
  }
}

/// False: there is no room for some of it.
bool PoolActor::give_what_waits() {
  for (Worker& worker : workers_) {
    give_bound(worker);
  }
  return drain_once() && !(kind() == Routing::Kind::by_key && is_bound());
}

/// By key, of those for whom something waits, or of all when what waits is not bound for one.
void PoolActor::wish_for_room(bool is_wanted) {
  if (kind() != Routing::Kind::by_key) {
    shared_->wants_room.store(is_wanted, std::memory_order_seq_cst);
    return;
  }
  for (Worker& worker : workers_) {
    worker.link->wants_room.store(is_wanted && (is_waiting() || !worker.bound_for.empty()),
                                  std::memory_order_seq_cst);
  }
}

bool PoolActor::drain_once() {
  for (auto* queue : {&returned_, &held_}) {
    while (!queue->empty()) {
      if (!route(queue->front())) {
        return false;
      }
      queue->pop_front();
    }
  }
  return true;
}

struct PoolActor::Hold {
  PoolActor& pool;
  [[nodiscard]] bool await_ready() const { return !pool.is_waiting(); }
  void await_suspend(std::coroutine_handle<> waiting) const {
    pool.holding_ = Suspension::of_current_actor(waiting);
  }
  void await_resume() const {}
};

/// As long as something waits, the mailbox is left alone.
void PoolActor::hold() {
  if (is_waiting() && !is_holding_) {
    is_holding_ = true;
    (void)cell().start_task(hold_mailbox());
  }
}

Task<Envelope> PoolActor::hold_mailbox() {
  while (is_waiting()) {
    const Hold room{*this};
    co_await room;
  }
  is_holding_ = false;
  co_return Envelope::of(BlockKind::reply, message_type<Done>, Done{});
}

/// False: no room now.
bool PoolActor::route(Waiting& waiting) {
  Envelope& message = waiting.message;
  if (message->deadline != base::time_never && now() > message->deadline) {
    refuse(std::move(waiting), base::Outcome::expired, "its deadline passed in the pool");
    return true;
  }
  if (is_given_up(waiting)) {
    refuse(std::move(waiting), base::Outcome::cancelled,
           "its asker gave it up while it waited in the pool");
    return true;
  }
  if (has_idempotent_ && !waiting.job && !begin_job(waiting)) {
    return true;
  }
  if (workers_.empty()) {
    return false;
  }
  switch (kind()) {
    case Routing::Kind::round_robin: return route_around(next_, message);
    case Routing::Kind::random:
      return route_around(static_cast<std::uint32_t>(random().below(size())), message);
    case Routing::Kind::least_loaded: return route_to_less_loaded(message);
    case Routing::Kind::by_key: return route_by_key(message);
    case Routing::Kind::broadcast: return route_to_all(waiting);
    case Routing::Kind::on_demand: return route_on_demand(message);
  }
  return false;
}

/// To the first worker that has room, from `first` on.
bool PoolActor::route_around(std::uint32_t first, Envelope& message) {
  for (std::uint32_t i = 0; i < size(); ++i) {
    const std::uint32_t at = (first + i) % size();
    if (give(workers_[at], message)) {
      next_ = at + 1 == size() ? 0 : at + 1;
      return true;
    }
  }
  return false;
}

bool PoolActor::route_to_less_loaded(Envelope& message) {
  const auto one = static_cast<std::uint32_t>(random().below(size()));
  std::uint32_t other = one;
  if (size() > 1) {
    other = static_cast<std::uint32_t>((one + 1 + random().below(size() - 1)) % size());
  }
  const bool other_is_less = outstanding(workers_[other]) < outstanding(workers_[one]);
  return give(workers_[other_is_less ? other : one], message) ||
         give(workers_[other_is_less ? one : other], message) || route_around(one, message);
}

bool PoolActor::route_by_key(Envelope& message) {
  if (shared_->workers_wanted.load(std::memory_order_relaxed) != size()) {
    return false;  // until apply_size() has changed the size
  }
  const std::uint64_t key = setup_->options.routing.key()(*message, cell().decode_context());
  return give_or_keep(jump_hash(key, size()), message);
}

bool PoolActor::route_to_all(Waiting& waiting) {
  MessageBlock& message = *waiting.message;
  const PoolMessage* type = find(message.type_id);
  if (type == nullptr) {
    return route_around(0, waiting.message);  // its worker refuses it
  }
  if (message.reply()) {
    waiting.broadcast = std::make_shared<Broadcast>(
        ReplyRight{message.take_reply(), message.by_name, message.deadline});
  }
  for (std::uint32_t& next = waiting.broadcast_next; next < size(); ++next) {
    Envelope one = copy(*type, message);
    if (waiting.broadcast) {
      one->set_reply({&system().requests(), open_copy(waiting.broadcast, message.deadline)});
      if (!one->reply().request) {
        return false;
      }
    }
    if (!give_in_place(workers_[next], one)) {
      system().requests().close(one->reply().request);
      return false;
    }
  }
  return true;
}

bool PoolActor::route_on_demand(Envelope& message) {
  for (std::uint32_t i = 0; i < size(); ++i) {
    const std::uint32_t at = (next_ + i) % size();
    PoolWorkerLink& link = *workers_[at].link;
    if (!workers_[at].is_alive || !link.is_free.exchange(false, std::memory_order_seq_cst)) {
      continue;
    }
    if (give(workers_[at], message)) {
      next_ = at + 1 == size() ? 0 : at + 1;
      return true;
    }
    link.is_free.store(true, std::memory_order_relaxed);
  }
  return false;
}

bool PoolActor::give(Worker& worker, Envelope& message) {
  if (!worker.is_alive || worker.link->is_failing.load(std::memory_order_acquire)) {
    return false;
  }
  message->target = worker.ref.id();
  const base::Outcome outcome = worker.ref.sink()->deliver(std::move(message));
  if (outcome != base::Outcome::accepted && outcome != base::Outcome::mailbox_full) {
    worker.is_alive = false;  // its end is about to be told
  }
  return outcome == base::Outcome::accepted;
}

/// Behind what waits for this very worker; also while it is being replaced.
bool PoolActor::give_in_place(Worker& worker, Envelope& message) {
  if (worker.bound_for.empty() && give(worker, message)) {
    return true;
  }
  if (worker.is_alive && !worker.link->is_failing.load(std::memory_order_acquire)) {
    return false;
  }
  if (worker.bound_for.size() >= setup_->options.worker.mailbox_messages_max) {
    return false;
  }
  worker.bound_for.push_back(std::move(message));
  arm_tick();
  return true;
}

/// What it has no room for waits for this very worker, and nothing else does.
bool PoolActor::give_or_keep(std::uint32_t at, Envelope& message) {
  Worker& worker = workers_[at];
  if (!shared_->shares) {
    return give_in_place(worker, message);
  }
  if (worker.bound_for.empty() && give(worker, message)) {
    return true;
  }
  // One more may come in while a message is in hand.
  const std::size_t kept_max =
      shared_->shares->share_max() + 1 + setup_->options.worker.mailbox_messages_max;
  if (worker.bound_for.size() >= kept_max) {
    return false;
  }
  const std::size_t before = worker.bound_for.size();
  worker.bound_for.push_back(std::move(message));
  // As in drain().
  if (!worker.link->wants_room.exchange(true, std::memory_order_seq_cst)) {
    give_bound(worker);
  }
  arm_tick();
  const std::size_t after = worker.bound_for.size();
  shared_->shares->set_held(at, after + worker.left_behind.size());
  shared_->waiting.fetch_add(after - before, std::memory_order_relaxed);
  return true;
}

bool PoolActor::is_bound() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const Worker& worker) { return !worker.bound_for.empty(); });
}

void PoolActor::give_bound(Worker& worker) {
  while (!worker.bound_for.empty() && give(worker, worker.bound_for.front())) {
    worker.bound_for.pop_front();
  }
}

/// What its handlers have not come to the end of. Read in this order: what leaves the mailbox for a
/// coroutine is counted there first.
std::uint32_t PoolActor::given(const Worker& worker) {
  const ActorCell* worker_cell = worker.ref ? worker.ref.sink()->local_cell() : nullptr;
  const std::uint32_t queued = worker_cell != nullptr ? worker_cell->queued() : 0;
  return queued + worker.link->tasks.load(std::memory_order_acquire);
}

/// With what it put aside, and what it has yet to answer. In the same order.
std::uint32_t PoolActor::outstanding(const Worker& worker) {
  const std::uint32_t given_to_it = given(worker);
  return given_to_it + worker.link->kept.load(std::memory_order_acquire) +
         worker.link->stashed.load(std::memory_order_acquire);
}

// What the templates call.

ActorType pool_actor_type(ProtocolInfo (*protocol)()) {
  ActorType type = actor_type<PoolActor>();
  type.name = "Pool";
  type.protocol = protocol;
  return type;
}

base::Result<AnyRef> spawn_pool(ActorSystem& system, ActorCell* parent, const ActorType& type,
                                PoolSetup setup, const std::shared_ptr<PoolShared>& shared) {
  SpawnOptions options = setup.options.pool;
  shared->system = &system;
  const Routing::Kind kind = setup.options.routing.kind();
  shared->is_on_demand = kind == Routing::Kind::on_demand;
  shared->workers_wanted.store(setup.options.workers, std::memory_order_relaxed);
  if (kind == Routing::Kind::by_key && options.overflow != Overflow::drop_newest &&
      options.overflow != Overflow::drop_oldest) {
    shared->shares = std::make_shared<PoolShares>(
        options.mailbox_messages_max,
        [key = setup.options.routing.key(), &system](const MessageBlock& message) {
          return key(message, system.resolver());
        });
  }
  const auto kept = std::make_shared<const PoolSetup>(std::move(setup));
  return system.spawn_any(
      type,
      [kept, shared]() -> std::unique_ptr<Actor> {
        return std::make_unique<PoolActor>(kept, shared);
      },
      std::move(options), parent);
}

void resize_pool(const std::shared_ptr<PoolShared>& shared, const AnyRef& pool,
                 std::uint32_t workers) {
  shared->workers_wanted.store(workers, std::memory_order_relaxed);
  (void)pool.sink()->system().call(pool, [shared] {
    if (shared->actor != nullptr) {
      shared->actor->go_on();
    }
  });
}

}  // namespace troupe::actors::detail
