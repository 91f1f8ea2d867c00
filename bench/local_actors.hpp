#pragma once

#include <future>

#include "actors/actor_system.hpp"
#include "actors/timer_thread.hpp"
#include "actors/worker_pool.hpp"
#include "base/clock.hpp"
#include "bench/figure.hpp"
#include "bench/works.hpp"

namespace troupe::bench {

using actors::Actor;
using actors::ActorRef;
using actors::AnyRef;
using actors::Protocol;
using actors::Task;
using base::Outcome;

/// What a node has of actors, without the node. Its end stops all actors and checks the ledger.
class LocalActors {
 public:
  explicit LocalActors(const Order& order) : pool_({.workers = order.workers}) { pool_.start(); }
  ~LocalActors() {
    std::promise<void> stopped;
    system_.stop_all([&] { stopped.set_value(); });
    stopped.get_future().wait();
    require(system_.ledger().is_balanced(), "the ledger does not balance");
    pool_.stop();
  }
  LocalActors(const LocalActors&) = delete;
  LocalActors& operator=(const LocalActors&) = delete;

  actors::ActorSystem* operator->() { return &system_; }

 private:
  base::SteadyClock clock_;
  actors::WorkerPool pool_;
  actors::ActorSystem system_{{}, clock_, pool_};
  actors::TimerThread timers_{system_.timers(), clock_};
};

/// Sends what has to arrive, to a mailbox that has room for it.
template <class Ref, class M>
void tell(const Ref& to, M message) {
  const Outcome outcome = to.tell(std::move(message));
  require(outcome == Outcome::accepted, base::to_string(outcome).data());
}

}  // namespace troupe::bench
