#include "node/control_actor.hpp"

#include <algorithm>
#include <utility>

#include "actors/actor_system.hpp"
#include "base/suggest.hpp"
#include "node/node_core.hpp"
#include "node/why.hpp"

namespace troupe::node {

using actors::Refusal;
using actors::Task;
using base::Errc;

namespace {

/// How long another node may take to tell its figures.
constexpr base::Duration figures_timeout = std::chrono::milliseconds{800};

[[noreturn]] void refuse(Errc code, const std::string& text) {
  throw Refusal{std::string{base::to_string(code)} + ": " + text};
}

std::string shown_state(const registry::Member& member) {
  return std::string{registry::to_string(member.leaving ? registry::MemberState::leaving
                                                        : member.state)};
}

std::vector<registry::Member> live_members(const NodeCore& core) {
  auto members = core.cluster().members();
  std::erase_if(members, [](const registry::Member& m) { return !registry::is_live(m); });
  return members;
}

template <class Reply>
void answer(actors::ReplyTo<Reply>& reply, base::Result<Reply> result) {
  if (result.ok()) {
    reply.send(std::move(result).value());
  } else {
    reply.refuse(result.error().text());
  }
}

}  // namespace

control::NameRow ControlActor::own_row() const {
  return {control::actor_name,    "control", core_->system().node().name, 0,
          control_actor_id.value, "running"};
}

control::NameRow ControlActor::find_name(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& row : core_->name_rows()) {
    if (row.name == name) {
      return row;
    }
    names.push_back(row.name);
  }
  const std::string hint = base::did_you_mean(name, names);
  refuse(Errc::not_found, "no actor '" + name + "' in the cluster (" +
                              std::to_string(live_members(*core_).size()) + " nodes asked)" +
                              (hint.empty() ? "" : "; " + hint));
}

actors::ActorRef<ControlActor> ControlActor::peer(const std::string& node) const {
  for (const auto& member : live_members(*core_)) {
    if (member.id.name == node) {
      return actors::ActorRef<ControlActor>{core_->control_of(member.id)};
    }
  }
  refuse(Errc::not_found, "no node '" + node + "' in the cluster");
}

Task<control::StatusReply> ControlActor::on(control::Status) {
  control::StatusReply reply;
  reply.cluster = core_->config().cluster;
  reply.node = system().node().name;
  reply.ready = core_->health().ready;
  reply.epoch = core_->view_version();
  const auto members = live_members(*core_);
  std::vector<actors::Ask<control::MemberRow>> asked;
  for (const auto& member : members) {
    asked.push_back(actors::ActorRef<ControlActor>{core_->control_of(member.id)}.ask(
        control::NodeStats{}, figures_timeout));
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto figures = co_await std::move(asked[i]);
    control::MemberRow row = figures.value_or(control::MemberRow{});
    row.name = members[i].id.name;
    row.incarnation = members[i].id.incarnation;
    row.state = shown_state(members[i]);
    row.address = members[i].address;
    reply.members.push_back(std::move(row));
  }
  co_return reply;
}

control::MemberRow ControlActor::on(const control::NodeStats&) { return core_->own_row(); }

control::ListReply ControlActor::on(const control::List&) { return {core_->name_rows()}; }

control::TypesReply ControlActor::on(const control::Types&) {
  control::TypesReply reply;
  for (const auto& kind : core_->kinds().all()) {
    reply.kinds.push_back(kind->description);
  }
  return reply;
}

Task<control::DescribeReply> ControlActor::on(control::Describe message) {
  control::DescribeReply reply;
  if (message.name == control::actor_name) {
    reply.where = own_row();
    reply.kind = detail::describe("control", actors::protocol_info<ControlActor>());
    co_return reply;
  }
  reply.where = find_name(message.name);
  if (const auto* own = core_->description_of(message.name)) {
    reply.kind = *own;
    co_return reply;
  }
  if (const auto kind = core_->kinds().find(reply.where.kind)) {
    reply.kind = kind->description;
    co_return reply;
  }
  if (reply.where.node != system().node().name && !reply.where.node.empty()) {
    auto told = co_await peer(reply.where.node).ask(message, figures_timeout);
    if (told.ok()) {
      reply.kind = told.value().kind;
    }
  }
  co_return reply;
}

void ControlActor::on(const control::Spawn& message, actors::ReplyTo<control::NameRow> reply) {
  auto shared = std::make_shared<actors::ReplyTo<control::NameRow>>(std::move(reply));
  core_->start_actor(message.kind,
                     {.name = message.name,
                      .placement = message.node,
                      .respawn = message.respawn,
                      .args = message.args},
                     [shared](base::Result<control::NameRow> result) {
                       answer(*shared, std::move(result));
                     });
}

void ControlActor::on(const control::Stop& message, actors::ReplyTo<control::NameRow> reply) {
  try {
    (void)find_name(message.name);
  } catch (const Refusal& refusal) {
    reply.refuse(refusal.what());  // the right to answer is ours, so throwing would not reach it
    return;
  }
  auto shared = std::make_shared<actors::ReplyTo<control::NameRow>>(std::move(reply));
  core_->stop_actor(message.name, [shared](base::Result<control::NameRow> result) {
    answer(*shared, std::move(result));
  });
}

void ControlActor::on(const control::Drain& message, actors::ReplyTo<control::DrainReply> reply) {
  if (message.node != system().node().name && !message.node.empty()) {
    try {
      (void)reply.forward(peer(message.node), message);
    } catch (const Refusal& refusal) {
      reply.refuse(refusal.what());
    }
    return;
  }
  auto shared = std::make_shared<actors::ReplyTo<control::DrainReply>>(std::move(reply));
  core_->leave([shared, core = core_](control::DrainReply left) {
    shared->send(std::move(left));
    core->request_end("drained");
  });
}

Task<control::LedgerReply> ControlActor::on(control::Ledger message) {
  control::LedgerReply reply;
  std::vector<actors::Ask<control::LedgerReply>> asked;
  std::vector<std::string> names;
  if (message.cluster_wide) {
    for (const auto& member : live_members(*core_)) {
      if (member.id != system().node()) {
        names.push_back(member.id.name);
        asked.push_back(actors::ActorRef<ControlActor>{core_->control_of(member.id)}.ask(
            control::Ledger{.cluster_wide = false}, figures_timeout));
      }
    }
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto told = co_await std::move(asked[i]);
    if (told.ok() && told.value().nodes.size() == 1) {
      reply.nodes.push_back(told.value().nodes.front());
    } else {
      reply.nodes.push_back({.node = names[i]});
    }
  }
  reply.nodes.push_back(core_->ledger());
  std::sort(reply.nodes.begin(), reply.nodes.end(),
            [](const auto& a, const auto& b) { return a.node < b.node; });
  co_return reply;
}

control::HealthReply ControlActor::on(const control::Health&) { return core_->health(); }

Task<control::WhyReply> ControlActor::on(control::Why message) {
  const bool is_passed_on = message.where.actor != 0;
  if (!is_passed_on) {
    message.where = message.name == control::actor_name ? own_row() : find_name(message.name);
  }
  const std::string holder = message.where.node;
  if (is_passed_on || message.where.actor == 0 || holder == system().node().name) {
    co_return explain(*core_, message.where);
  }
  auto asked = peer(holder).ask(message, figures_timeout);
  auto told = co_await std::move(asked);
  if (told.ok()) {
    co_return std::move(told).value();
  }
  if (told.error().kind == actors::AskError::Kind::refusal) {
    throw Refusal{told.error().reason};
  }
  refuse(Errc::timed_out, "node '" + holder + "', which holds '" + message.name +
                              "', does not answer: " + told.error().reason);
}

WorkerStarted ControlActor::on(const StartWorker& message) {
  auto worker = core_->spawn_kind(message.kind, {}, {.name = message.kind + " (worker)"});
  if (!worker.ok()) {
    throw Refusal{worker.error().text()};
  }
  workers_.push_back({message.pool, worker.value()});
  watch(message.pool);
  watch(worker.value());
  return {worker.value()};
}

void ControlActor::on(const StopWorker& message) { stop(message.worker); }

void ControlActor::on(const actors::Terminated& notice) {
  std::erase_if(workers_, [&](const Worker& entry) {
    if (entry.pool == notice.actor) {
      stop(entry.worker);
    }
    return entry.worker == notice.actor;
  });
}

}  // namespace troupe::node
