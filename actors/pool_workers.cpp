#include <algorithm>
#include <stdexcept>
#include <utility>

#include "actors/detail/pool_actor.hpp"

namespace troupe::actors::detail {

namespace {

/// While something waits: a second way to notice room, for messages that end without a handler, and
/// the pace at which retired workers are looked at.
constexpr base::Duration tick_interval = std::chrono::milliseconds{10};

/// A message between two turns: refused if nobody takes it.
struct InFlight {
  InFlight(ActorSystem& of, Envelope content) : system(of), message(std::move(content)) {}
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() {
    if (message) {
      system.reject(message, base::Outcome::stopped);
      ReplyRight{message->reply(), message->by_name, message->deadline}.fail(
          {AskError::Kind::not_run, base::Outcome::stopped, "the pool has ended"});
    }
  }
  ActorSystem& system;
  Envelope message;
};

}  // namespace

/// In a turn of this life, if it has not ended by then.
template <class Function>
void PoolActor::call_later(base::Duration delay, Function function) {
  (void)system().timers().add(base::later(now(), delay),
                              [shared = shared_, life = life_, function] {
                                (void)shared->system->call(shared->pool, [shared, life, function] {
                                  if (shared->actor != nullptr && shared->actor->life_ == life) {
                                    function(*shared->actor);
                                  }
                                });
                              });
}

// Workers.

void PoolActor::start_worker(Worker& worker) {
  SpawnOptions options = setup_->options.worker;
  options.name = worker.name;
  // A message in hand keeps its place until its handler has returned.
  options.mailbox_messages_max = std::max(options.mailbox_messages_max, 2U);
  options.restart.restart = Restart::temporary;
  worker.link = std::make_shared<PoolWorkerLink>();
  worker.link->pool = shared_;
  worker.link->wish =
      kind() == Routing::Kind::by_key ? &worker.link->wants_room : &shared_->wants_room;
  worker.link->room_at = options.mailbox_messages_max / 2;
  options.on_left = [link = std::weak_ptr<PoolWorkerLink>{worker.link}, shared = shared_,
                     &actor_system = system()](Envelope&& left) {
    const auto kept = std::make_shared<InFlight>(actor_system, std::move(left));
    (void)actor_system.call(shared->pool, [link, shared, kept] {
      const auto from = link.lock();
      if (shared->actor != nullptr && from != nullptr) {
        shared->actor->take_back(*from, std::move(kept->message));
      }
    });
  };
  auto spawned = system().spawn_any(*setup_->worker_type, setup_->worker_factory(worker.link),
                                    std::move(options), &cell());
  if (!spawned.ok()) {
    throw std::runtime_error{"a worker cannot be started: " + spawned.error().text()};
  }
  worker.ref = spawned.value();
  worker.is_alive = true;
  watch(worker.ref);
}

void PoolActor::take_back(const PoolWorkerLink& from, Envelope message) {
  if (keeps_place()) {
    for (Worker& worker : workers_) {
      if (worker.link.get() == &from) {
        worker.left_behind.push_back(std::move(message));
        return;
      }
    }
    if (kind() == Routing::Kind::broadcast) {
      refuse(std::move(message), base::Outcome::stopped, "the worker has ended");
      return;
    }
  }
  give_again(std::move(message));
  arm_tick();
}

void PoolActor::on(const Terminated& notice) {
  std::erase_if(retired_, [&](const Worker& worker) { return worker.ref == notice.actor; });
  const auto ended = std::find_if(workers_.begin(), workers_.end(),
                                  [&](const Worker& worker) { return worker.ref == notice.actor; });
  if (ended != workers_.end()) {
    ended->is_alive = false;
    ended->bound_for.insert(ended->bound_for.begin(),
                            std::make_move_iterator(ended->left_behind.begin()),
                            std::make_move_iterator(ended->left_behind.end()));
    ended->left_behind.clear();
    const auto decision = ended->restarts.on_exit(notice.reason, now(), random());
    if (decision.action == RestartTracker::Action::escalate) {
      throw std::runtime_error{"the worker '" + ended->name + "' ended too often: " + notice.text};
    }
    ended->order = ++last_order_;
    call_later(decision.delay,
               [order = ended->order](PoolActor& pool) { pool.restart_worker(order); });
  }
  go_on();
}

void PoolActor::restart_worker(std::uint64_t order) {
  for (Worker& worker : workers_) {
    if (worker.order == order && !worker.is_alive) {
      start_worker(worker);
      shared_->replaced.fetch_add(1, std::memory_order_relaxed);
      go_on();
      return;
    }
  }
}

/// Brings the number of workers to what is wanted.
void PoolActor::apply_size() {
  const std::uint32_t wanted = shared_->workers_wanted.load(std::memory_order_relaxed);
  if (wanted != size() && kind() == Routing::Kind::by_key) {
    // A key that moves must not overtake itself: first what was given out is handled.
    const bool is_quiet = std::all_of(workers_.begin(), workers_.end(), [](const Worker& worker) {
      // In this order: what left the mailbox of a worker that ends is on its way back.
      return worker.is_alive && worker.bound_for.empty() && worker.left_behind.empty() &&
             given(worker) == 0 && worker.link->stashed.load(std::memory_order_acquire) == 0 &&
             !worker.link->is_failing.load(std::memory_order_acquire);
    });
    if (!is_quiet) {
      arm_tick();
      return;
    }
  }
  while (size() > wanted) {
    retire_last();
  }
  while (size() < wanted) {
    RestartPolicy policy = setup_->options.restart;
    policy.restart = Restart::permanent;
    const std::string base_name =
        setup_->options.worker.name.empty() ? "worker" : setup_->options.worker.name;
    workers_.push_back({.ref = {},
                        .link = nullptr,
                        .name = base_name + "-" + std::to_string(++last_name_),
                        .restarts = RestartTracker{policy, now()}});
    start_worker(workers_.back());
  }
  next_ = size() == 0 ? 0 : next_ % size();
  count();
}

void PoolActor::retire_last() {
  Worker worker = std::move(workers_.back());
  workers_.pop_back();
  for (auto* queue : {&worker.left_behind, &worker.bound_for}) {
    for (Envelope& message : *queue) {
      if (kind() == Routing::Kind::broadcast) {
        refuse(std::move(message), base::Outcome::stopped, "the worker was retired");
      } else {
        give_again(std::move(message));
      }
    }
    queue->clear();
  }
  if (worker.is_alive) {
    retired_.push_back(std::move(worker));
    arm_tick();
  }
}

void PoolActor::stop_idle_retired() {
  for (Worker& worker : retired_) {
    if (worker.is_alive && outstanding(worker) == 0 &&
        worker.link->streams.load(std::memory_order_acquire) == 0) {
      worker.is_alive = false;
      stop(worker.ref);
    }
  }
}

void PoolActor::refuse(Waiting waiting, base::Outcome outcome, const char* why) {
  if (waiting.broadcast) {
    waiting.broadcast->fail({AskError::Kind::not_run, outcome, why});
  }
  refuse(std::move(waiting.message), outcome, why);
}

void PoolActor::refuse(Envelope message, base::Outcome outcome, const char* why) {
  if (message) {
    system().reject(message, outcome);
    ReplyRight{message->reply(), message->by_name, message->deadline}.fail(
        {AskError::Kind::not_run, outcome, why});
  }
}

// By the clock.

void PoolActor::tick() {
  is_tick_armed_ = false;
  stop_idle_retired();
  for (Worker& worker : workers_) {
    if (worker.is_alive && !worker.link->is_free.load(std::memory_order_relaxed) &&
        outstanding(worker) == 0) {
      worker.link->is_free.store(true, std::memory_order_relaxed);  // its message ended unhandled
    }
  }
  go_on();
  if (is_bound() || !retired_.empty()) {
    arm_tick();
  }
}

void PoolActor::look() {
  arm_look();
  PoolLoad load{.workers = size(), .idle = 0, .waiting = cell().queued()};
  load.waiting += returned_.size() + held_.size();
  for (const Worker& worker : workers_) {
    const std::uint32_t work = given(worker);
    load.idle += worker.is_alive && outstanding(worker) == 0 ? 1 : 0;
    load.waiting += worker.bound_for.size() + (work > 1 ? work - 1 : 0);
  }
  const std::uint32_t wanted = sizer_.look(load);
  if (wanted != size()) {
    shared_->workers_wanted.store(wanted, std::memory_order_relaxed);
    go_on();
  }
}

void PoolActor::arm_tick() {
  if (!std::exchange(is_tick_armed_, true)) {
    call_later(tick_interval, [](PoolActor& pool) { pool.tick(); });
  }
}

void PoolActor::arm_look() {
  call_later(setup_->options.scaling.interval, [](PoolActor& pool) { pool.look(); });
}

void PoolActor::count() {
  std::size_t waiting = returned_.size() + held_.size();
  std::vector<std::size_t> bound;
  for (const Worker& worker : workers_) {
    const std::size_t messages = worker.bound_for.size() + worker.left_behind.size();
    waiting += messages;
    if (shared_->shares) {
      bound.push_back(messages);
    }
  }
  if (shared_->shares) {
    shared_->shares->set_held(std::move(bound));
  }
  shared_->waiting.store(waiting, std::memory_order_relaxed);
  shared_->workers.store(
      static_cast<std::uint32_t>(std::count_if(
          workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.is_alive; })),
      std::memory_order_relaxed);
}

}  // namespace troupe::actors::detail
