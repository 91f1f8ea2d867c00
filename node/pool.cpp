#include "node/pool.hpp"

#include <algorithm>
#include <utility>

#include "actors/actor_system.hpp"
#include "node/node_core.hpp"

namespace troupe::node {

using actors::AskError;
using actors::BlockKind;
using actors::Envelope;

namespace {

constexpr base::Duration worker_start_timeout = std::chrono::seconds{2};
constexpr base::Duration job_timeout = std::chrono::seconds{60};

}  // namespace

struct PoolJob {
  base::Bytes body;
  std::uint32_t type_id = 0;
  std::uint32_t shape = 0;
  bool by_name = false;
  base::TimePoint deadline;
  std::uint32_t attempts = 0;
  actors::ReplyRight asker;
};

Pool::Pool(NodeCore* core, std::string worker_kind, std::uint32_t workers)
    : core_(core), worker_kind_(std::move(worker_kind)), workers_wanted_(workers) {}

void Pool::on_start() {
  on(PoolReconcile{});
  every(reconcile_interval, PoolReconcile{});
}

void Pool::on_stop(actors::ExitReason) {
  for (const auto& job : waiting_) {
    job->asker.fail({AskError::Kind::not_run, base::Outcome::stopped, "the pool was stopped"});
  }
}

void Pool::on(const PoolReconcile&) {
  const auto members = core_->members();
  registry::Spread now = starting_;
  for (const Worker& worker : workers_) {
    if (!worker.is_retired) {
      ++now[worker.node];
    }
  }
  const auto change = registry::respread_workers(now, workers_wanted_, members);
  for (const auto& [node, count] : change.start) {
    for (std::uint32_t i = 0; i < count; ++i) {
      start_worker(node);
    }
  }
  for (const auto& [node, count] : change.stop) {
    for (std::uint32_t i = 0; i < count; ++i) {
      retire_worker(node);
    }
  }
  while (!waiting_.empty() && waiting_.front()->deadline <= this->now()) {
    waiting_.front()->asker.fail({AskError::Kind::not_run, base::Outcome::expired,
                                  "no worker of the pool was free in time"});
    waiting_.pop_front();
  }
  dispatch();
}

void Pool::start_worker(const base::NodeId& node) {
  ++starting_[node];
  const actors::ActorRef<ControlActor> control{core_->control_of(node)};
  control.ask(StartWorker{worker_kind_, self()}, worker_start_timeout)
      .then([self = self(), &actor_system = system(), node, this](auto started) {
        // Back into this actor; not at all if it has ended.
        actor_system.call(self, [this, node, started] {
          if (--starting_[node] == 0) {
            starting_.erase(node);
          }
          if (started.ok()) {
            workers_.push_back({started.value().worker, node});
            watch(started.value().worker);
            dispatch();
          }
        });
      });
}

/// The least busy one of the node takes no more work, and ends when it has done what it has.
void Pool::retire_worker(const base::NodeId& node) {
  Worker* chosen = nullptr;
  for (Worker& worker : workers_) {
    if (worker.node == node && !worker.is_retired &&
        (chosen == nullptr || worker.jobs < chosen->jobs)) {
      chosen = &worker;
    }
  }
  if (chosen != nullptr) {
    chosen->is_retired = true;
    if (chosen->jobs == 0) {
      (void)actors::ActorRef<ControlActor>{core_->control_of(chosen->node)}.tell(
          StopWorker{chosen->ref});
    }
  }
}

void Pool::on(const actors::Terminated& notice) {
  std::erase_if(workers_, [&](const Worker& worker) { return worker.ref == notice.actor; });
  on(PoolReconcile{});
}

void Pool::on_unhandled(Envelope&& message) {
  auto job = std::make_shared<PoolJob>();
  encode_body(*message, job->body, message->by_name);
  job->type_id = message->type_id;
  job->shape = message->shape();
  job->by_name = message->by_name;
  job->deadline = std::min(message->deadline, now() + job_timeout);
  job->asker = {message->take_reply(), message->by_name, message->deadline};
  if (waiting_.size() >= jobs_max) {
    job->asker.fail({AskError::Kind::not_run, base::Outcome::mailbox_full,
                     "the pool has " + std::to_string(jobs_max) + " jobs waiting"});
    return;
  }
  waiting_.push_back(std::move(job));
  dispatch();
}

void Pool::dispatch() {
  while (!waiting_.empty()) {
    Worker* freest = nullptr;
    for (Worker& worker : workers_) {
      if (!worker.is_retired && worker.jobs < jobs_a_worker &&
          (freest == nullptr || worker.jobs < freest->jobs)) {
        freest = &worker;
      }
    }
    if (freest == nullptr) {
      return;
    }
    const std::shared_ptr<PoolJob> job = std::move(waiting_.front());
    waiting_.pop_front();
    send(job, *freest);
  }
}

void Pool::send(const std::shared_ptr<PoolJob>& job, Worker& worker) {
  ++job->attempts;
  ++worker.jobs;
  auto& requests = system().requests();
  const base::ActorId request = requests.open(job->deadline);
  if (!request) {
    --worker.jobs;
    job->asker.fail({AskError::Kind::not_run, base::Outcome::mailbox_full,
                     "too many asks are open in this node"});
    return;
  }
  requests.call_when_ready(request, [this, job, ref = worker.ref, self = self(),
                                     &actor_system = system()](Envelope&& reply) {
    auto shared = std::make_shared<Envelope>(std::move(reply));
    const bool alive = actor_system.call(
        self, [this, job, ref, shared] { finished(job, ref, std::move(*shared)); });
    if (!alive) {
      job->asker.send(std::move(*shared));
    }
  });
  Envelope envelope = Envelope::encoded(BlockKind::message, job->type_id, job->shape, job->body);
  envelope->by_name = job->by_name;
  envelope->deadline = job->deadline;
  envelope->set_reply({&requests, request});
  (void)worker.ref.post(std::move(envelope));
}

void Pool::finished(const std::shared_ptr<PoolJob>& job, const actors::AnyRef& ref,
                    Envelope reply) {
  if (Worker* worker = find(ref)) {
    --worker->jobs;
    if (worker->is_retired && worker->jobs == 0) {
      (void)actors::ActorRef<ControlActor>{core_->control_of(worker->node)}.tell(
          StopWorker{worker->ref});
    }
  }
  if (reply->kind == BlockKind::failure && job->attempts < attempts_max) {
    const AskError error = actors::detail::error_of(reply);
    const bool worker_gone =
        error.kind == AskError::Kind::not_run &&
        (error.outcome == base::Outcome::stopped || error.outcome == base::Outcome::node_lost ||
         error.outcome == base::Outcome::no_such_actor ||
         error.outcome == base::Outcome::mailbox_full);
    if (worker_gone && job->deadline > now()) {
      if (Worker* worker = find(ref);
          worker != nullptr && error.outcome != base::Outcome::mailbox_full) {
        worker->is_retired = true;  // until its end is told
      }
      waiting_.push_front(job);
      dispatch();
      return;
    }
  }
  job->asker.send(std::move(reply));
  dispatch();
}

Pool::Worker* Pool::find(const actors::AnyRef& ref) {
  const auto found = std::find_if(workers_.begin(), workers_.end(),
                                  [&](const Worker& worker) { return worker.ref == ref; });
  return found == workers_.end() ? nullptr : &*found;
}

}  // namespace troupe::node
