#include "actors/actor_system.hpp"

#include <utility>

namespace troupe::actors {

namespace {

/// The supervisor of everything that was not spawned by an actor.
class Root final : public Actor {
 public:
  using Protocol = actors::Protocol<>;
};

}  // namespace

struct ActorSystem::Chunk {
  std::array<std::unique_ptr<ActorCell>, cells_a_chunk> cells;
};

bool LedgerSnapshot::is_balanced() const {
  std::uint64_t sum = delivered + in_flight;
  for (const std::uint64_t count : dead) {
    sum += count;
  }
  return sum == sent;
}

ActorSystem::ActorSystem(ActorSystemOptions options, const base::Clock& clock,
                         Scheduler& scheduler)
    : options_(std::move(options)),
      clock_(clock),
      scheduler_(scheduler),
      requests_(*this, clock, timers_),
      chunks_(std::make_unique<
              std::array<std::atomic<Chunk*>, actors_max / cells_a_chunk>>()) {
  ActorCell* cell = take_cell();
  Launch launch{.type = &actor_type<Root>(),
                .factory = [] { return std::make_unique<Root>(); },
                .label = "root"};
  const base::ActorId id = cell->begin_life(std::move(launch), 1, scheduler);
  root_ = {*cell, id};
}

void ActorSystem::abandon() {
  is_stopping_.store(true, std::memory_order_release);
  const std::uint32_t used = cells_used_.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    cell_at(index)->abandon();
  }
  requests_.close_all();
}

ActorSystem::~ActorSystem() {
  // First all cells end, while all of them can still be written to; then their memory goes.
  abandon();
  for (auto& chunk : *chunks_) {
    delete chunk.load(std::memory_order_acquire);
  }
}

ActorCell* ActorSystem::cell_at(std::uint32_t index) const {
  if (index >= cells_used_.load(std::memory_order_acquire)) {
    return nullptr;
  }
  Chunk* chunk = (*chunks_)[index / cells_a_chunk].load(std::memory_order_acquire);
  return chunk->cells[index % cells_a_chunk].get();
}

ActorCell* ActorSystem::take_cell() {
  base::MutexLock lock{mutex_};
  if (!free_cells_.empty()) {
    const std::uint32_t index = free_cells_.back();
    free_cells_.pop_back();
    return cell_at(index);
  }
  const std::uint32_t index = cells_used_.load(std::memory_order_relaxed);
  if (index >= actors_max) {
    return nullptr;
  }
  auto& slot = (*chunks_)[index / cells_a_chunk];
  if (slot.load(std::memory_order_relaxed) == nullptr) {
    slot.store(new Chunk, std::memory_order_release);
  }
  auto& cell = slot.load(std::memory_order_relaxed)->cells[index % cells_a_chunk];
  cell = std::make_unique<ActorCell>(*this, index);
  cells_used_.store(index + 1, std::memory_order_release);
  return cell.get();
}

void ActorSystem::release_cell(ActorCell& cell, bool was_root) {
  std::function<void()> stopped;
  {
    base::MutexLock lock{mutex_};
    if (was_root) {
      stopped = std::move(stopped_);
    } else {
      free_cells_.push_back(cell.index());
      actor_count_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  if (stopped) {
    stopped();
  }
}

base::Result<AnyRef> ActorSystem::spawn_any(const ActorType& type, ActorFactory factory,
                                            SpawnOptions options, ActorCell* parent) {
  if (is_stopping_.load(std::memory_order_acquire)) {
    return base::Error{base::Errc::closed, "the actor system is stopping"};
  }
  ActorCell* cell = take_cell();
  if (cell == nullptr) {
    return base::Error{base::Errc::limit_exceeded,
                       std::to_string(actors_max) + " actors live in this process"};
  }
  actor_count_.fetch_add(1, std::memory_order_relaxed);
  Scheduler& scheduler = options.scheduler != nullptr ? *options.scheduler : scheduler_;
  Launch launch{.type = &type,
                .factory = std::move(factory),
                .label = options.name.empty() ? std::string{type.name} : options.name,
                .restart = options.restart,
                .parent = parent != nullptr ? parent->ref() : root_,
                .on_exit = std::move(options.on_exit),
                .on_left = std::move(options.on_left)};
  options.name = launch.label;
  const base::ActorId id = cell->next_id();
  if (parent != nullptr) {
    parent->adopt(id, *cell, options);
  } else {
    // Before the child can fail: the root knows it first.
    (void)root_.sink()->deliver(control_envelope(
        Control::adopt, root_.id(), ChildStart{id, cell, options.name, options.restart}));
  }
  cell->begin_life(std::move(launch), options.mailbox_messages_max, scheduler);
  return AnyRef{*cell, id};
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
    stopped_ = std::move(done);
  }
  stop(root_);
}

MessageSink* ActorSystem::sink_of(base::ActorId id) {
  if ((id.value & PendingRequests::request_bit) != 0) {
    return &requests_;
  }
  return cell_at(static_cast<std::uint32_t>(id.value));
}

bool ActorSystem::call(const AnyRef& actor, std::function<void()> function) {
  ActorCell* cell = actor ? actor.sink()->local_cell() : nullptr;
  if (cell == nullptr || cell->id() != actor.id()) {
    return false;
  }
  cell->push_control(control_envelope(Control::call, actor.id(), Call{std::move(function)}));
  return true;
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
    snapshot.in_flight += cell_at(index)->queued();
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

void ActorSystem::note_dead(const MessageBlock& message, base::Outcome reason) {
  dead_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  DeadLetter letter{message.type != nullptr ? std::string{message.type->name}
                                            : "#" + std::to_string(message.type_id),
                    message.target, message.sender, reason};
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
  note_dead(*message, error.outcome);
  ReplyRight{message->reply, message->by_name, message->deadline}.fail(std::move(error));
}

}  // namespace troupe::actors
