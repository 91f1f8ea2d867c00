#include "node/why.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "actors/actor_system.hpp"
#include "node/node_core.hpp"

namespace troupe::node {

namespace {

constexpr std::size_t dead_letters_max = 8;

const actors::ActorCell* living(NodeCore& core, base::ActorId actor) {
  actors::MessageSink* sink = core.system().sink_of(actor);
  const actors::ActorCell* cell = sink == nullptr ? nullptr : sink->local_cell();
  return cell != nullptr && cell->id() == actor ? cell : nullptr;
}

std::string label_of(NodeCore& core, base::ActorId actor) {
  if (std::string name = core.name_of(actor); !name.empty()) {
    return name;
  }
  const actors::ActorCell* cell = living(core, actor);
  return cell == nullptr ? "an actor that has ended" : std::string{cell->type_name()};
}

std::vector<control::HeldWorker> held_workers(NodeCore& core) {
  std::vector<control::HeldWorker> held;
  for (const actors::StuckActor& stuck : core.watchdog()->stuck()) {
    held.push_back({stuck.worker, stuck.actor.value, core.name_of(stuck.actor), stuck.type,
                    std::chrono::duration_cast<std::chrono::milliseconds>(stuck.duration).count()});
  }
  return held;
}

std::vector<control::LostMessage> lost_messages(NodeCore& core, base::ActorId target) {
  std::vector<control::LostMessage> lost;
  for (const actors::DeadLetter& letter : core.system().recent_dead_letters()) {
    if (letter.target == target) {
      lost.push_back({letter.message, letter.sender.value,
                      std::string{base::to_string(letter.reason)}, letter.cause});
    }
  }
  if (lost.size() > dead_letters_max) {
    lost.erase(lost.begin(), lost.end() - dead_letters_max);
  }
  return lost;
}

std::string messages(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " message" : " messages");
}

}  // namespace

void detail::conclude(control::WhyReply& reply) {
  const auto is = [&](const char* state, std::string verdict) {
    reply.state = state;
    reply.verdict = std::move(verdict);
  };
  const std::string& node = reply.where.node;
  if (reply.where.actor == 0) {
    is("starting", node.empty() ? "nobody holds the name yet" : "it is being started on " + node);
  } else if (reply.type.empty()) {
    is("ended", "its actor has ended; the name will be free, or held by a successor");
  } else if (reply.held_ms >= 0) {
    is("stuck", "its handler has not returned for " + std::to_string(reply.held_ms) + " ms");
  } else if (reply.own_thread_ms >= 0) {
    is("blocking", "its handler has been running for " + std::to_string(reply.own_thread_ms) +
                       " ms, on a thread of its own");
  } else if (!reply.waits_for.empty()) {
    is("waiting", "its handler waits for a reply of '" + reply.waits_for + "'");
  } else if (reply.mailbox_messages > 0 && reply.workers > 0 &&
             reply.held_workers.size() >= reply.workers) {
    is("starved", "handlers that do not return keep every worker of " + node);
  } else if (reply.mailbox_messages >= reply.mailbox_messages_max) {
    is("full", "its mailbox is full: " + messages(reply.mailbox_messages));
  } else if (reply.mailbox_messages > 0) {
    is("busy", "it has " + messages(reply.mailbox_messages) + " to handle");
  } else {
    is("idle", "it has no messages to handle");
  }
}

control::WhyReply explain(NodeCore& core, const control::NameRow& where) {
  control::WhyReply reply;
  reply.where = where;
  const base::ActorId actor{where.actor};
  if (actor) {
    reply.dead_letters = lost_messages(core, actor);
    if (const actors::ActorCell* cell = living(core, actor)) {
      reply.type = cell->type_name();
      reply.mailbox_messages = cell->queued();
      reply.mailbox_messages_max = cell->queued_max();
      if (const base::ActorId awaited = core.system().ask_chains().awaited_by(actor)) {
        reply.waits_for = label_of(core, awaited);
      }
    }
    if (const actors::Watchdog* watchdog = core.watchdog()) {
      reply.workers = watchdog->workers();
      reply.held_workers = held_workers(core);
      for (const actors::BlockedActor& blocked : watchdog->blocked()) {
        if (blocked.actor == actor) {
          reply.own_thread_ms =
              std::chrono::duration_cast<std::chrono::milliseconds>(blocked.duration).count();
        }
      }
    }
    for (const control::HeldWorker& held : reply.held_workers) {
      if (held.actor == actor.value) {
        reply.held_ms = held.held_ms;
      }
    }
  }
  detail::conclude(reply);
  return reply;
}

}  // namespace troupe::node
