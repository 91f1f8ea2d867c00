#include "registry/testing/simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace troupe::registry::testing {

using base::Duration;
using base::NodeId;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
}  // namespace

Simulation::Simulation(std::uint64_t seed, ClusterOptions options)
    : random_(seed), options_(std::move(options)) {}

// ---- Time --------------------------------------------------------------------------------------

Duration Simulation::delay(int max_ms) {
  return std::chrono::microseconds{50 + random_.below(static_cast<std::uint64_t>(max_ms) * 1000)};
}

void Simulation::at(Duration in, std::function<void()> run) {
  jobs_.push({now_ + in, ++order_, {}, 0, std::move(run)});
}

void Simulation::at_node(Duration in, const Node& node, std::function<void()> run) {
  jobs_.push({now_ + in, ++order_, node.id.name, node.id.incarnation, std::move(run)});
}

void Simulation::run_job(Job job) {
  if (job.incarnation != 0) {
    const Node& node = nodes_.at(job.node);
    if (!node.alive || node.id.incarnation != job.incarnation) {
      return;
    }
    if (node.frozen_until > now_) {
      job.at = node.frozen_until;  // keeps its order
      jobs_.push(std::move(job));
      return;
    }
  }
  ++steps_;
  job.run();
}

void Simulation::run_for(Duration time) {
  const base::TimePoint end = now_ + time;
  while (!jobs_.empty() && jobs_.top().at <= end) {
    Job job = jobs_.top();
    jobs_.pop();
    now_ = std::max(now_, job.at);
    run_job(std::move(job));
  }
  now_ = end;
}

void Simulation::schedule_tick(Node& node) {
  const std::uint64_t number = ++node.tick_number;
  const base::TimePoint next = node.cluster->next_tick();
  if (next == base::time_never) {
    return;
  }
  const Duration in = std::max<Duration>(next - now_, std::chrono::microseconds{10}) + delay(2);
  at_node(in, node, [this, &node, number] {
    if (node.tick_number == number) {
      step(node, true, [this](Cluster& cluster) { return cluster.tick(now_); });
    }
  });
}

// ---- Nodes -------------------------------------------------------------------------------------

void Simulation::start_node(const std::string& name) {
  Node& node = nodes_[name];
  if (node.alive) {
    return;
  }
  node.id = {name, next_incarnation_++};
  node.alive = true;
  node.frozen_until = {};
  node.actors.clear();
  node.cancelled.clear();
  node.cluster =
      std::make_unique<Cluster>(Self{node.id, address(name), {{"zone", name == "n1" ? "a" : "b"}}},
                                options_, random_.split());
  step(node, true, [this](Cluster& cluster) { return cluster.start(now_); });
}

void Simulation::crash(const std::string& name, bool silent) {
  Node& node = nodes_.at(name);
  if (!node.alive) {
    return;
  }
  if (trace) {
    std::fprintf(stderr, "%.3f %s crashes\n",
                 static_cast<double>(now_.time_since_epoch().count()) / 1e9,
                 node.id.text().c_str());
  }
  node.alive = false;
  node.actors.clear();
  for (auto& [other_name, other] : nodes_) {
    if (&other != &node) {
      const bool was_linked = links_.erase({node.id, other.id}) + links_.erase({other.id, node.id});
      if (was_linked && !silent && other.alive) {
        at_node(delay(5), other, [this, &other, id = node.id] {
          step(other, false, [&](Cluster& c) { return c.on_link_lost(id, now_); });
        });
      }
    }
  }
}

void Simulation::freeze(const std::string& name, Duration time) {
  if (trace) {
    std::fprintf(stderr, "%.3f %s freezes for %.3f\n",
                 static_cast<double>(now_.time_since_epoch().count()) / 1e9, name.c_str(),
                 static_cast<double>(time.count()) / 1e9);
  }
  nodes_.at(name).frozen_until = now_ + time;
}

void Simulation::leave(const std::string& name) {
  Node& node = nodes_.at(name);
  step(node, false, [this](Cluster& cluster) { return cluster.leave(now_); });
}

Cluster& Simulation::cluster(const std::string& name) {
  return *nodes_.at(name).cluster;
}

bool Simulation::is_running(const std::string& name) const {
  const auto at = nodes_.find(name);
  return at != nodes_.end() && at->second.alive;
}

const std::vector<Event>& Simulation::events(const std::string& name) const {
  return nodes_.at(name).events;
}

bool Simulation::is_failed(const Node& node) const {
  return !node.alive || declared_dead_.contains(node.id) || node.frozen_until > now_;
}

// ---- Links -------------------------------------------------------------------------------------

void Simulation::dial(Node& from, const std::string& to_address) {
  const auto target = std::find_if(nodes_.begin(), nodes_.end(),
                                   [&](const auto& at) { return address(at.first) == to_address; });
  if (target == nodes_.end() || &target->second == &from) {
    return;
  }
  Node& to = target->second;
  at(delay(10), [this, &from, &to, from_id = from.id] {
    if (!from.alive || from.id != from_id || !to.alive || from.frozen_until > now_ ||
        to.frozen_until > now_ || links_.contains({from.id, to.id})) {
      return;
    }
    const std::uint64_t session = next_session_++;
    links_[{from.id, to.id}] = {session, now_};
    links_[{to.id, from.id}] = {session, now_};
    for (const auto& [node, peer] : {std::pair{&from, &to}, std::pair{&to, &from}}) {
      at_node(Duration{0}, *node, [this, node = node, id = peer->id, session] {
        const auto link = links_.find({node->id, id});
        if (link != links_.end() && link->second.session == session) {
          step(*node, false, [&](Cluster& c) { return c.on_link_up(id, address(id.name), now_); });
        }
      });
    }
  });
}

void Simulation::send(Node& from, Send message) {
  const auto link = links_.find({from.id, message.to});
  if (link == links_.end()) {
    return;
  }
  const std::uint64_t session = link->second.session;
  base::TimePoint& last = link->second.last_arrival;
  last = std::max(last, now_ + delay(random_.chance(0.02) ? 60 : 4));
  Node& to = nodes_.at(message.to.name);
  jobs_.push({last, ++order_, message.to.name, message.to.incarnation,
              [this, &to, from_id = from.id, session, body = std::move(message.body)] {
                const auto back = links_.find({to.id, from_id});
                // A crash loses what had not arrived; so does a link that was given up.
                if (back != links_.end() && back->second.session == session) {
                  step(to, false, [&](Cluster& c) { return c.on_message(from_id, body, now_); });
                }
              }});
}

void Simulation::cut(Node& from, const NodeId& to, bool tell_both) {
  const bool was_linked = links_.erase({from.id, to}) + links_.erase({to, from.id});
  if (!was_linked) {
    return;
  }
  const auto tell = [this](Node& node, const NodeId& id, const NodeId& peer) {
    if (node.alive && node.id == id) {
      at_node(delay(5), node, [this, &node, peer] {
        if (!links_.contains({node.id, peer})) {
          step(node, false, [&](Cluster& c) { return c.on_link_down(peer, now_); });
        }
      });
    }
  };
  tell(nodes_.at(to.name), to, from.id);
  if (tell_both) {
    tell(from, from.id, to);
  }
}

void Simulation::flap(const std::string& a, const std::string& b) {
  Node& one = nodes_.at(a);
  Node& two = nodes_.at(b);
  if (!one.alive || !two.alive || !links_.contains({one.id, two.id})) {
    return;
  }
  const Duration pause = delay(400);
  for (const auto& [node, peer] : {std::pair{&one, &two}, std::pair{&two, &one}}) {
    Link& link = links_.at({node->id, peer->id});
    link.last_arrival = std::max(link.last_arrival, now_ + pause);
    at_node(delay(2), *node, [this, node = node, id = peer->id] {
      step(*node, false, [&](Cluster& c) { return c.on_link_lost(id, now_); });
    });
    at_node(pause, *node, [this, node = node, id = peer->id] {
      if (links_.contains({node->id, id})) {
        step(*node, false, [&](Cluster& c) { return c.on_link_up(id, address(id.name), now_); });
      }
    });
  }
}

void Simulation::drop_link(const std::string& a, const std::string& b) {
  Node& one = nodes_.at(a);
  const Node& two = nodes_.at(b);
  if (one.alive && two.alive) {
    cut(one, two.id, true);
  }
}

// ---- What a node's program does ----------------------------------------------------------------

void Simulation::carry_out(Node& node, Effects effects, bool is_tick) {
  const NodeId id = node.id;
  for (Send& message : effects.sends) {
    send(node, std::move(message));
  }
  for (const std::string& to : effects.connects) {
    dial(node, to);
  }
  for (const Event& event : effects.events) {
    node.events.push_back(event);
    if (node.alive && node.id == id) {
      on_event(node, event, is_tick);
    }
  }
}

void Simulation::on_event(Node& node, const Event& event, bool is_tick) {
  const auto say = [&](const char* what, const std::string& about) {
    if (trace) {
      std::fprintf(stderr, "%.3f %s: %s %s\n",
                   static_cast<double>(now_.time_since_epoch().count()) / 1e9,
                   node.id.text().c_str(), what, about.c_str());
    }
  };
  const auto restart = [&] {
    crash(node.id.name, false);
    at(delay(300), [this, name = node.id.name] { start_node(name); });
  };
  std::visit(
      Overloaded{
          [&](const Ready&) {
            formed_ += is_tick ? 1 : 0;
            say("ready", is_tick ? "alone" : "");
          },
          [&](const MemberUp& e) { say("up", e.member.id.text()); },
          [&](const MemberSuspect& e) { say("suspects", e.member.id.text()); },
          [&](const MemberAlive& e) { say("alive", e.member.id.text()); },
          [&](const MemberDown& e) {
            say("down", e.member.id.text() + " " + e.reason);
            declared_dead_.insert(e.member.id);
            cut(node, e.member.id, false);
          },
          [&](const MemberLeft& e) {
            say("left", e.member.id.text());
            cut(node, e.member.id, false);
          },
          [&](const SelfDown& e) {
            say("self down", e.reason);
            restart();
          },
          [&](const LeaderChanged& e) { say("leader", e.leader.text()); },
          [&](const StartHere& e) {
            say("start", e.record.name + " " + std::to_string(e.record.epoch) + " claim " +
                             e.record.claim.requester.text() + " " +
                             std::to_string(e.record.claim.number));
            start_actor(node, e.record);
          },
          [&](const StopHere& e) {
            say("stop", e.name + " " + std::to_string(e.epoch) + " " + e.reason);
            stop_actor(node, e);
          },
          [&](const NameReleased& e) {
            if (e.record.state == NameState::released) {
              ended_[e.record.claim].insert(node.id);
            }
          },
          [&](const ClaimDone& e) {
            if (!claims_done_.emplace(e.token, e.result).second) {
              violated("claim " + std::to_string(e.token) + " was answered twice");
            }
            say("claim done", e.result ? e.result.value().name : e.result.error().text());
            if (e.result && e.result.value().holder == node.id &&
                e.result.value().state == NameState::bound && e.result.value().kind.empty()) {
              const Record& record = e.result.value();
              run_actor(node, record.name, {record.epoch, record.actor});
            }
          },
          [&](const Drained&) {
            say("drained", "");
            if (!node.actors.empty()) {
              violated(node.id.text() + " is drained and still runs " + node.actors.begin()->first);
            }
            step(node, false, [this](Cluster& c) { return c.depart(now_); });
            at_node(milliseconds{50}, node, [&node, this] { crash(node.id.name, false); });
          },
          [](const auto&) {},
      },
      event);
}

void Simulation::start_actor(Node& node, const Record& record) {
  ++starts_;
  // Who died with the knowledge could not pass it on; anybody else must have.
  const auto saw_the_end = [&](const NodeId& id) {
    return !is_failed(nodes_.at(id.name)) && nodes_.at(id.name).id == id;
  };
  const auto ended = ended_.find(record.claim);
  if (!is_failed(node) && ended != ended_.end() &&
      std::any_of(ended->second.begin(), ended->second.end(), saw_the_end)) {
    violated("'" + record.name + "' was released and is started again, claim " +
             record.claim.requester.text() + " " + std::to_string(record.claim.number));
  }
  const bool fails = start_fails_ && random_.chance(0.05);
  at_node(delay(30), node, [this, &node, record, fails] {
    const auto cancelled = node.cancelled.find(record.name);
    if (cancelled != node.cancelled.end() && cancelled->second == record.epoch) {
      return;
    }
    if (fails) {
      step(node, false,
           [&](Cluster& c) { return c.failed(record.name, record.epoch, "cannot", now_); });
      return;
    }
    const Node::Actor actor{record.epoch, {node.next_actor++}};
    run_actor(node, record.name, actor);
    step(node, false,
         [&](Cluster& c) { return c.bound(record.name, record.epoch, actor.id, now_); });
  });
}

void Simulation::run_actor(Node& node, const std::string& name, Node::Actor actor) {
  if (!is_failed(node) && !had_islands()) {
    for (const std::string& other : holders(name)) {
      violated("'" + name + "' runs on " + other + " and starts on " + node.id.text());
    }
    if (actor.epoch <= epochs_[name]) {
      violated("'" + name + "' starts with epoch " + std::to_string(actor.epoch) + " after " +
               std::to_string(epochs_[name]));
    }
  }
  epochs_[name] = std::max(epochs_[name], actor.epoch);
  node.actors[name] = actor;
}

void Simulation::stop_actor(Node& node, const StopHere& stop) {
  const auto running = node.actors.find(stop.name);
  if (running == node.actors.end() || running->second.epoch != stop.epoch) {
    node.cancelled[stop.name] = std::max(node.cancelled[stop.name], stop.epoch);
  }
  at_node(delay(20), node, [this, &node, stop] {
    const auto actor = node.actors.find(stop.name);
    if (actor != node.actors.end() && actor->second.epoch == stop.epoch) {
      node.actors.erase(actor);
    }
    step(node, false, [&](Cluster& c) { return c.stopped(stop.name, stop.epoch, now_); });
  });
}

void Simulation::end_actor(const std::string& name) {
  for (auto& [node_name, node] : nodes_) {
    const auto actor = node.actors.find(name);
    if (node.alive && node.frozen_until <= now_ && actor != node.actors.end()) {
      const std::uint64_t epoch = actor->second.epoch;
      node.actors.erase(actor);
      step(node, false, [&](Cluster& c) { return c.stopped(name, epoch, now_); });
      return;
    }
  }
}

void Simulation::claim(const std::string& node_name, Claim claim) {
  Node& node = nodes_.at(node_name);
  claim.token = next_token_++;
  claims_.emplace(claim.token, node.id);
  if (trace) {
    std::fprintf(stderr, "%s claims %s\n", node_name.c_str(), claim.name.c_str());
  }
  step(node, false, [&](Cluster& c) { return c.claim(std::move(claim), now_); });
}

void Simulation::withdraw(const std::string& node_name, const std::string& name) {
  Node& node = nodes_.at(node_name);
  const std::uint64_t token = next_token_++;
  claims_.emplace(token, node.id);
  if (trace) {
    std::fprintf(stderr, "%s withdraws %s\n", node_name.c_str(), name.c_str());
  }
  step(node, false, [&](Cluster& c) { return c.withdraw(token, name, now_); });
}

std::vector<std::string> Simulation::holders(const std::string& name) const {
  std::vector<std::string> found;
  for (const auto& [node_name, node] : nodes_) {
    if (!is_failed(node) && node.actors.contains(name)) {
      found.push_back(node_name);
    }
  }
  return found;
}

void Simulation::violated(const std::string& what) {
  problems_.push_back(std::to_string(static_cast<double>(now_.time_since_epoch().count()) / 1e9) +
                      " s: " + what);
  if (trace) {
    std::fprintf(stderr, "VIOLATED %s\n", problems_.back().c_str());
  }
}

}  // namespace troupe::registry::testing
