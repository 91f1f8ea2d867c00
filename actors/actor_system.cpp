#include "actors/actor_system.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "actors/detail/cell_parts.hpp"
#include "actors/own_thread.hpp"
#include "actors/system_events.hpp"
#include "base/log.hpp"

namespace troupe::actors {

namespace {

/// The supervisor of everything that was not spawned by an actor.
class Root final : public Actor {
 public:
  using Protocol = actors::Protocol<>;
};

}  // namespace

bool LedgerSnapshot::is_balanced() const {
  std::uint64_t sum = delivered + in_flight;
  for (const std::uint64_t count : dead) {
    sum += count;
  }
  return sum == sent;
}

std::string LedgerSnapshot::text() const {
  std::string text = "sent " + std::to_string(sent) + (is_balanced() ? " = " : " != ") +
                     "delivered " + std::to_string(delivered) + " + in flight " +
                     std::to_string(in_flight);
  for (std::size_t reason = 0; reason < dead.size(); ++reason) {
    if (dead[reason] > 0) {
      text += " + " + std::string{base::to_string(static_cast<base::Outcome>(reason))} + " " +
              std::to_string(dead[reason]);
    }
  }
  return text;
}

ActorSystem::ActorSystem(ActorSystemOptions options, const base::Clock& clock, Scheduler& scheduler)
    : options_(std::move(options)),
      clock_(clock),
      scheduler_(scheduler),
      own_threads_(std::make_unique<OwnThreads>(scheduler)),
      requests_(*this, clock, timers_),
      chunks_(std::make_unique<std::array<std::atomic<Chunk*>, actors_max / cells_a_chunk>>()) {
  ActorCell* root = take_cell();
  SpawnOptions root_options{.name = "root", .mailbox_messages_max = 1};
  const base::ActorId id =
      root->begin_life(actor_type<Root>(), make_maker<Root>(), root_options, nullptr, scheduler);
  root_ = {*root, id};
  scheduler.schedule(*root);
}

void ActorSystem::abandon() {
  is_stopping_.store(true, std::memory_order_release);
  own_threads_->stop();  // first: they may wait for what runs elsewhere
  scheduler_.stop();
  events_ = {};
  const std::uint32_t used = cells_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    cell(index).abandon();
  }
  requests_.close_all();
}

ActorSystem::~ActorSystem() {
  // First all cells end, while all of them can still be written to; then their memory goes.
  abandon();
  if (has_ended_) {
    const LedgerSnapshot books = ledger();
    TROUPE_CHECK(books.is_balanced(), books.text());
  }
  const std::uint32_t used = cells_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    cell(index).~ActorCell();
  }
  for (auto& chunk : *chunks_) {
    delete chunk.load(std::memory_order_acquire);
  }
}

ActorCell* ActorSystem::cell_at(std::uint32_t index) const {
  if (index >= cells_used_.load(std::memory_order_acquire)) {
    return nullptr;
  }
  ActorCell& found = cell(index);
  return found.has_lived() ? &found : nullptr;
}

/// A vacant cell whose turn the caller has; null when there are too many.
ActorCell* ActorSystem::take_cell() {
  const std::uint32_t thread = thread_number();
  if (thread != 0) {
    return claim_cached(caches_[thread]);
  }
  base::MutexLock lock{shared_cache_mutex_};
  return claim_cached(caches_[0]);
}

ActorCell* ActorSystem::claim_cached(CellCache& cache) {
  if (cache.count == 0) {
    base::MutexLock lock{mutex_};
    fill(cache);
  }
  for (std::uint32_t i = cache.count; i > 0; --i) {
    ActorCell& found = cell(cache.cells[i - 1]);
    // Hardly ever not: what came too late for the last life is still to be dismissed.
    if (found.claim()) {
      cache.cells[i - 1] = cache.cells[--cache.count];
      return &found;
    }
  }
  base::MutexLock lock{mutex_};
  ActorCell* fresh = add_cell();
  return fresh != nullptr && fresh->claim() ? fresh : nullptr;
}

/// Fills an empty cache so that fresh cells are taken in the order of their memory.
void ActorSystem::fill(CellCache& cache) {
  constexpr std::uint32_t wanted = CellCache::cells_max / 2;
  while (cache.count < wanted) {
    if (!free_cells_.empty()) {
      cache.cells[cache.count++] = free_cells_.back();
      free_cells_.pop_back();
      continue;
    }
    const ActorCell* fresh = add_cell();
    if (fresh == nullptr) {
      break;
    }
    cache.cells[cache.count++] = fresh->index();
  }
  std::reverse(cache.cells.begin(), cache.cells.begin() + cache.count);
}

/// One more cell; null when there are too many.
ActorCell* ActorSystem::add_cell() {
  const std::uint32_t index = cells_used_.load(std::memory_order_relaxed);
  if (index >= actors_max) {
    return nullptr;
  }
  auto& slot = (*chunks_)[index / cells_a_chunk];
  Chunk* chunk = slot.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new Chunk;  // its memory is not touched
    slot.store(chunk, std::memory_order_release);
  }
  void* place = chunk->memory + (index % cells_a_chunk) * sizeof(ActorCell);
  auto* fresh = new (place) ActorCell{*this, index};
  cells_used_.store(index + 1, std::memory_order_release);
  return fresh;
}

void ActorSystem::give_back(ActorCell& cell) {
  const auto put = [&](CellCache& cache) {
    if (cache.count == CellCache::cells_max) {
      base::MutexLock lock{mutex_};
      while (cache.count > CellCache::cells_max / 2) {
        free_cells_.push_back(cache.cells[--cache.count]);
      }
    }
    cache.cells[cache.count++] = cell.index();
  };
  const std::uint32_t thread = thread_number();
  if (thread != 0) {
    put(caches_[thread]);
    return;
  }
  base::MutexLock lock{shared_cache_mutex_};
  put(caches_[0]);
}

base::Result<AnyRef> ActorSystem::spawn_any(const ActorType& type, ActorFactory factory,
                                            SpawnOptions options, ActorCell* parent) {
  return spawn_any(type, MakerPtr{new detail::FunctionMaker{std::move(factory)}},
                   std::move(options), parent);
}

base::Result<AnyRef> ActorSystem::spawn_any(const ActorType& type, MakerPtr maker,
                                            SpawnOptions&& options, ActorCell* parent) {
  if (is_stopping_.load(std::memory_order_acquire)) {
    return base::Error{base::Errc::closed, "the actor system is stopping"};
  }
  if (options.overflow == Overflow::fallback && !options.overflow_to) {
    return base::Error{base::Errc::invalid_argument, "Overflow::fallback needs an overflow_to"};
  }
  if (parent != nullptr) {
    if (!parent->is_running()) {
      return base::Error{base::Errc::closed, "the actor that spawns is ending"};
    }
    parent->collect_ended_children();
    ActorCell::charge_turn();
  }
  Scheduler* scheduler = scheduler_for(options);
  if (scheduler == nullptr) {
    return base::Error{base::Errc::limit_exceeded, "the process gets no thread for the actor"};
  }
  ActorCell* child = take_cell();
  if (child == nullptr) {
    if (auto* unused = dynamic_cast<OwnThread*>(scheduler)) {
      unused->end();
    }
    return base::Error{base::Errc::limit_exceeded,
                       std::to_string(actors_max) + " actors live in this process"};
  }
  ActorCell& supervisor = parent != nullptr ? *parent : cell(root_index);
  const base::ActorId id =
      child->begin_life(type, std::move(maker), options, &supervisor, *scheduler);
  add(&CounterShard::spawned, 1);
  if (parent != nullptr) {
    ChildRing::add(*parent, *child);
  } else {
    add_root_child(*child);
  }
  const AnyRef ref{*child, id};
  scheduler->schedule(*child);
  return ref;
}

/// Null: a thread of its own was wanted, and there is none.
Scheduler* ActorSystem::scheduler_for(SpawnOptions& options) {
  if (!options.own_thread || !options_.own_threads) {
    return options.scheduler != nullptr ? options.scheduler : &scheduler_;
  }
  OwnThread* thread = own_threads_->take();
  if (thread != nullptr) {
    options.on_exit = [thread, hook = std::move(options.on_exit)](ExitReason reason,
                                                                  std::function<void()> proceed) {
      thread->end();
      if (hook) {
        hook(reason, std::move(proceed));
      } else {
        proceed();
      }
    };
  }
  return thread;
}

/// A root that is stopping stops what was spawned while it began to.
void ActorSystem::add_root_child(ActorCell& child) {
  bool is_late = false;
  {
    base::MutexLock lock{root_mutex_};
    ChildRing::add(cell(root_index), child);
    is_late = root_awaits_children_;
  }
  if (is_late) {
    stop(child.ref());
  }
}

void ActorSystem::end_root_child(ActorCell& child) {
  ActorCell& root = cell(root_index);
  bool was_awaited = false;
  {
    base::MutexLock lock{root_mutex_};
    ChildRing::remove(root, child);
    was_awaited =
        root_awaits_children_ && (root.is_childless() || child.last_id() == root_stopping_);
  }
  give_back(child);
  if (was_awaited) {
    root.push_control(control_envelope(Control::children_ended, root_.id(), Call{}));
  }
}

void ActorSystem::stop_root_children() {
  {
    base::MutexLock lock{root_mutex_};
    root_awaits_children_ = true;
  }
  stop_last_root_child();
}

/// In the root's turn: asks the last child started to end, unless that was done.
void ActorSystem::stop_last_root_child() {
  AnyRef last;
  std::uint32_t timeout_ms = 0;
  {
    base::MutexLock lock{root_mutex_};
    ActorCell* child = ChildRing::last_of(cell(root_index));
    if (child == nullptr || child->last_id() == root_stopping_) {
      return;
    }
    last = {*child, child->last_id()};
    root_stopping_ = last.id();
    timeout_ms = ChildRing::stop_timeout_ms_of(*child);
  }
  timers_.cancel(std::exchange(root_stop_timer_, 0));
  root_stop_due_ = base::time_never;
  if (timeout_ms != ActorCell::stop_timeout_never) {
    root_stop_due_ = clock_.now() + std::chrono::milliseconds{timeout_ms};
    root_stop_timer_ = timers_.add(root_stop_due_, [this] {
      cell(root_index).push_control(control_envelope(Control::stop_overdue, root_.id(), Call{}));
    });
  }
  stop(last);
}

/// In the root's turn.
void ActorSystem::let_go_of_overdue_root_child() {
  if (clock_.now() < root_stop_due_) {
    return;
  }
  AnyRef overdue;
  {
    base::MutexLock lock{root_mutex_};
    ActorCell& child = cell(static_cast<std::uint32_t>(root_stopping_.value));
    if (child.last_id() == root_stopping_ && ChildRing::orphan(cell(root_index), child)) {
      overdue = {child, root_stopping_};
    }
  }
  if (overdue) {
    base::log(base::LogLevel::error, "actors",
              "actor {} did not end within its stop_timeout, and is killed", overdue.id().value);
    (void)overdue.sink()->deliver(control_envelope(Control::kill, overdue.id(), Call{}));
  }
}

void ActorSystem::end_root_stop() {
  timers_.cancel(std::exchange(root_stop_timer_, 0));
}

bool ActorSystem::has_root_children() const {
  base::MutexLock lock{root_mutex_};
  return !cell(root_index).is_childless();
}

void ActorSystem::root_ended() {
  std::vector<std::function<void()>> stopped;
  {
    base::MutexLock lock{mutex_};
    stopped.swap(stopped_);
    has_ended_ = true;
  }
  for (const auto& done : stopped) {
    done();
  }
}

void ActorSystem::stop(const AnyRef& actor, ExitReason reason, std::string text) {
  if (actor) {
    (void)actor.sink()->deliver(
        control_envelope(Control::stop, actor.id(), StopOrder{reason, std::move(text), {}}));
  }
}

void ActorSystem::hand_over(const AnyRef& actor, const AnyRef& successor) {
  if (actor) {
    (void)actor.sink()->deliver(control_envelope(
        Control::stop, actor.id(), StopOrder{ExitReason::stopped, "it is moved", successor}));
  }
}

void ActorSystem::undeliver(const MessageBlock& message, base::Outcome outcome) {
  add(&CounterShard::delivered, -1);
  note_dead(message, outcome);
}

void ActorSystem::stop_all(std::function<void()> done) {
  is_stopping_.store(true, std::memory_order_release);
  {
    base::MutexLock lock{mutex_};
    if (!has_ended_) {
      stopped_.push_back(std::move(done));
      done = nullptr;
    }
  }
  if (done) {
    done();
    return;
  }
  stop(root_);
}

MessageSink* ActorSystem::sink_of(base::ActorId id) {
  if ((id.value & PendingRequests::request_bit) != 0) {
    return &requests_;
  }
  return cell_at(static_cast<std::uint32_t>(id.value));
}

const ActorCell* ActorSystem::cell_of(const Runnable* runnable) const {
  const auto address = reinterpret_cast<std::uintptr_t>(runnable);
  const std::uint32_t used = cells_used_.load(std::memory_order_acquire);
  for (std::uint32_t first = 0; first < used; first += cells_a_chunk) {
    const ActorCell& begin = cell(first);
    const auto lowest = reinterpret_cast<std::uintptr_t>(static_cast<const Runnable*>(&begin));
    const std::uint64_t index = (address - lowest) / sizeof(ActorCell);
    if (address >= lowest && index < cells_a_chunk && first + index < used) {
      return &cell(first + static_cast<std::uint32_t>(index));
    }
  }
  return nullptr;
}

bool ActorSystem::call(const AnyRef& actor, std::function<void()> function) {
  ActorCell* cell = actor ? actor.sink()->local_cell() : nullptr;
  if (cell == nullptr || cell->id() != actor.id()) {
    return false;
  }
  cell->push_control(control_envelope(Control::call, actor.id(), Call{std::move(function)}));
  return true;
}

std::uint32_t ActorSystem::actor_count() const {
  std::uint64_t ended = 0;
  std::uint64_t spawned = 0;
  // In this order, so that who ends meanwhile is not counted without its start.
  for (const CounterShard& counters : shards_) {
    ended += counters.ended.load(std::memory_order_acquire);
  }
  for (const CounterShard& counters : shards_) {
    spawned += counters.spawned.load(std::memory_order_relaxed);
  }
  return static_cast<std::uint32_t>(spawned - std::min(ended, spawned));
}

LedgerSnapshot ActorSystem::ledger() const {
  LedgerSnapshot snapshot;
  for (const CounterShard& counters : shards_) {
    snapshot.delivered += counters.delivered.load(std::memory_order_relaxed);
    snapshot.sent += counters.sent.load(std::memory_order_relaxed);
  }
  for (std::size_t reason = 0; reason < dead_.size(); ++reason) {
    snapshot.dead[reason] = dead_[reason].load(std::memory_order_relaxed);
  }
  const std::uint32_t used = cells_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    snapshot.in_flight += cell(index).queued();
  }
  return snapshot;
}

std::vector<DeadLetter> ActorSystem::recent_dead_letters() const {
  base::MutexLock lock{mutex_};
  std::vector<DeadLetter> letters;
  for (std::size_t i = 0; i < dead_letters_.size(); ++i) {
    letters.push_back(dead_letters_[(dead_letters_next_ + i) % dead_letters_.size()]);
  }
  return letters;
}

void ActorSystem::note_dead(const MessageBlock& message, base::Outcome reason, std::string cause) {
  dead_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  DeadLetter letter{message.type != nullptr ? std::string{message.type->name}
                                            : "#" + std::to_string(message.type_id),
                    message.target, message.sender, reason, std::move(cause)};
  if (tells_events() && message.type_id != message_type<MessageLost>.id) {
    tell_event(MessageLost{letter.message, letter.target.value, letter.sender.value, reason,
                           letter.cause});
  }
  base::MutexLock lock{mutex_};
  if (dead_letters_.size() < dead_letters_kept) {
    dead_letters_.push_back(std::move(letter));
  } else {
    dead_letters_[dead_letters_next_] = std::move(letter);
    dead_letters_next_ = (dead_letters_next_ + 1) % dead_letters_kept;
  }
}

void ActorSystem::reject(const Envelope& message, base::Outcome outcome) {
  if (message->kind == BlockKind::message) {
    count_sent();
    note_dead(*message, outcome);
  }
}

void ActorSystem::dead_letter(Envelope message, AskError error) {
  if (message->kind != BlockKind::message) {
    return;
  }
  if (message->has_begun && error.kind == AskError::Kind::not_run) {
    error.kind = AskError::Kind::may_have_run;
  }
  note_dead(*message, error.outcome, error.reason);
  ReplyRight{message->reply(), message->by_name, message->deadline}.fail(std::move(error));
}

}  // namespace troupe::actors
