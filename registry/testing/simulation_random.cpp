#include <algorithm>
#include <utility>

#include "registry/testing/simulation.hpp"

namespace troupe::registry::testing {

using base::Duration;
using std::chrono::milliseconds;

std::string Simulation::random_node() {
  std::vector<std::string> alive;
  for (const auto& [name, node] : nodes_) {
    if (node.alive && node.frozen_until <= now_) {
      alive.push_back(name);
    }
  }
  return alive.empty() ? std::string{} : alive[random_.below(alive.size())];
}

void Simulation::random_work(std::size_t nodes) {
  const std::string node = random_node();
  if (node.empty()) {
    return;
  }
  const std::string name = "a" + std::to_string(random_.below(12));
  switch (random_.below(10)) {
    case 0: end_actor(name); return;
    case 1: withdraw(node, name); return;
    case 2: {
      Node& own = nodes_.at(node);
      if (!own.actors.contains(name)) {
        claim(node, Claim{.name = name,
                          .actor = {own.next_actor++},
                          .kind = {},
                          .args = {},
                          .placement = {}});
      }
      return;
    }
    case 3:
      step(nodes_.at(node), false, [&](Cluster& c) {
        return c.join_group("g" + std::to_string(random_.below(3)), {1 + random_.below(5)}, now_);
      });
      return;
    case 4:
      step(nodes_.at(node), false, [&](Cluster& c) {
        return c.part_group("g" + std::to_string(random_.below(3)), {1 + random_.below(5)}, now_);
      });
      return;
    default: break;
  }
  static const char* const placements[] = {"any",          "spread", "local",
                                           "least_loaded", "",       "label:zone=b"};
  std::string placement = placements[random_.below(6)];
  if (random_.chance(0.2)) {
    placement = "node:n" + std::to_string(1 + random_.below(nodes));
  }
  claim(node, Claim{.name = name,
                    .actor = {},
                    .kind = "counter",
                    .args = {},
                    .respawn = random_.chance(0.7),
                    .placement = placement});
}

void Simulation::random_fault(std::size_t nodes, const Faults& faults) {
  const auto alive =
      static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(), [&](const auto& at) {
        return at.second.alive && at.second.frozen_until <= now_ && at.second.cluster->is_ready();
      }));
  std::string node = random_node();
  const std::string other = random_node();
  if (node.empty()) {
    return;
  }
  if (const auto leader = cluster(node).leader(); leader && random_.chance(0.4)) {
    node = leader->name;  // the leader's death is the hardest
  }
  if (!is_running(node) || nodes_.at(node).frozen_until > now_) {
    return;
  }
  const auto restart_later = [&] {
    at(delay(random_.chance(0.5) ? 200 : 5000), [this, node] { start_node(node); });
  };
  const bool may_fail = alive > std::max<std::size_t>(2, nodes / 2);
  switch (random_.below(6)) {
    case 0:
      if (faults.crash && may_fail) {
        crash(node, false);
        restart_later();
      }
      return;
    case 1:
      if (faults.silent_crash && may_fail) {
        crash(node, true);
        restart_later();
      }
      return;
    case 2:
      if (faults.freeze && may_fail) {
        freeze(node, delay(random_.chance(0.5) ? 900 : 6000));
      }
      return;
    case 3:
      if (faults.leave && may_fail) {
        leave(node);
        restart_later();
      }
      return;
    case 4:
      if (faults.flap && node != other) {
        flap(node, other);
      }
      return;
    default:
      if (faults.link_down && node != other) {
        drop_link(node, other);
      }
  }
}

void Simulation::run_random(std::size_t nodes, Faults faults, Duration time, Duration quiet) {
  start_fails_ = faults.start_fails;
  for (std::size_t i = 1; i <= nodes; ++i) {
    at(delay(random_.chance(0.7) ? 20 : 2000),
       [this, name = "n" + std::to_string(i)] { start_node(name); });
  }
  const base::TimePoint end = now_ + time;
  while (now_ < end) {
    run_for(delay(120));
    random_work(nodes);
    if (random_.chance(0.06)) {
      random_fault(nodes, faults);
    }
  }
  start_fails_ = false;
  run_for(std::chrono::seconds{7});
  for (std::size_t i = 1; i <= nodes; ++i) {
    start_node("n" + std::to_string(i));
  }
  run_for(quiet);
  check_converged();
}

void Simulation::check_converged() {
  const Cluster* first = nullptr;
  std::set<std::string> running;
  for (const auto& [name, node] : nodes_) {
    if (node.alive) {
      running.insert(name);
    }
  }
  for (const auto& [name, node] : nodes_) {
    if (!node.alive) {
      continue;
    }
    const Cluster& cluster = *node.cluster;
    std::set<std::string> seen;
    for (const Member& member : cluster.members()) {
      if (member.state == MemberState::up) {
        seen.insert(member.id.name);
        if (nodes_.at(member.id.name).id != member.id) {
          violated(name + " still sees " + member.id.text());
        }
      } else if (is_live(member)) {
        violated(name + " sees " + member.id.text() + " " + std::string{to_string(member.state)});
      }
    }
    if (seen != running) {
      violated(name + " sees " + std::to_string(seen.size()) + " of " +
               std::to_string(running.size()) + " nodes");
    }
    first = first == nullptr ? &cluster : first;
    if (cluster.names_digest() != first->names_digest()) {
      violated(name + " has another table");
    }
    if (cluster.leader() != first->leader()) {
      violated(name + " has another leader");
    }
    for (const char* const group : {"g0", "g1", "g2"}) {
      if (cluster.group_members(group) != first->group_members(group)) {
        violated(name + " has another group " + group);
      }
    }
    for (const auto& [actor, life] : node.actors) {
      const Record* record = cluster.find(actor);
      if (record == nullptr || record->holder != node.id || record->epoch != life.epoch) {
        violated(name + " runs '" + actor + "' and the table does not say so");
      }
    }
  }
  for (const Record& record : first == nullptr ? std::vector<Record>{} : first->names()) {
    const Node& holder = nodes_.at(record.holder.name);
    if (record.state != NameState::bound) {
      violated("'" + record.name + "' is " + std::string{to_string(record.state)});
    } else if (!holder.alive || holder.id != record.holder ||
               !holder.actors.contains(record.name)) {
      violated("'" + record.name + "' is bound to " + record.holder.text() +
               ", which does not run it");
    }
  }
  for (const auto& [token, asker] : claims_) {
    const Node& node = nodes_.at(asker.name);
    if (node.alive && node.id == asker && !claims_done_.contains(token)) {
      violated("claim " + std::to_string(token) + " of " + asker.text() + " was never answered");
    }
  }
}

}  // namespace troupe::registry::testing
