#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "node/node_core.hpp"
#include "registry/placement.hpp"

// The named actors of this node: started, stopped and bound as the registry decides.

namespace troupe::node {

using base::Errc;
using base::Error;
using base::LogLevel;

namespace {

bool is_actor_name(const std::string& name) {
  return !name.empty() && name.size() <= base::record_name_bytes_max &&
         !name.starts_with("system/") &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c <= ' ' || c == 0x7F; });
}

/// A policy's text; anything else is a node's name.
bool is_policy(const std::string& placement) {
  return registry::parse_placement(placement).ok();
}

}  // namespace

void NodeCore::on_start_here(const registry::Record& record) {
  auto spawned = spawn_kind(record.kind, record.args,
                            {.name = record.name, .on_exit = exit_hook(record.name)});
  if (!spawned.ok()) {
    base::log(LogLevel::error, "node", "'{}' could not be started: {}", record.name,
              spawned.error().text());
    apply(cluster_->failed(record.name, record.epoch, spawned.error().text(), clock_.now()));
    return;
  }
  base::log(LogLevel::info, "node", "started '{}' of kind {}, epoch {}", record.name, record.kind,
            record.epoch);
  held_[record.name] = {record.epoch, spawned->id()};
  apply(cluster_->bound(record.name, record.epoch, spawned->id(), clock_.now()));
}

void NodeCore::on_stop_here(const registry::StopHere& stop) {
  const auto held = held_.find(stop.name);
  if (held == held_.end() || (stop.actor && held->second.actor != stop.actor)) {
    apply(cluster_->stopped(stop.name, stop.epoch, clock_.now()));
    return;
  }
  base::log(LogLevel::info, "node", "stopping '{}': {}", stop.name, stop.reason);
  const base::ActorId actor = held->second.actor;
  NameSink& sink = names_.sink(stop.name);
  sink.expect();
  router_.remember_moved(actor, stop.name);
  system_.hand_over({*system_.sink_of(actor), actor}, sink.handed_over());
}

actors::ExitHook NodeCore::exit_hook(const std::string& name) {
  return [this, name](actors::ExitReason, std::function<void()> proceed) {
    const base::ActorId actor = actors::ActorCell::current()->id();
    loop_.post([this, name, actor, proceed = std::move(proceed)] {
      on_exit(name, actor, proceed);
    });
  };
}

/// A named actor has ended: its watchers are told when the name is free, or after a while.
void NodeCore::on_exit(const std::string& name, base::ActorId actor,
                       std::function<void()> proceed) {
  constexpr base::Duration release_wait_max = std::chrono::seconds{5};
  const auto held = held_.find(name);
  if (ending_ || has_left_ || held == held_.end() || held->second.actor != actor) {
    proceed();
    return;
  }
  const std::uint64_t epoch = held->second.epoch;
  held_.erase(held);
  descriptions_.erase(name);
  releasing_[name].push_back(std::move(proceed));
  (void)system_.timers().add(clock_.now() + release_wait_max, [this, name] { this->proceed(name); });
  apply(cluster_->stopped(name, epoch, clock_.now()));
}

void NodeCore::proceed(const std::string& name) {
  const auto found = releasing_.find(name);
  if (found == releasing_.end()) {
    return;
  }
  const auto waiting = std::move(found->second);
  releasing_.erase(found);
  for (const auto& next : waiting) {
    next();
  }
}

actors::AnyRef NodeCore::ref_of(const registry::Record& record) {
  if (record.holder == id_) {
    return {*system_.sink_of(record.actor), record.actor};
  }
  RemoteSink* sink = router_.remote(record.holder);
  return sink == nullptr ? actors::AnyRef{} : actors::AnyRef{*sink, record.actor};
}

void NodeCore::on_name_bound(const registry::Record& record) {
  const actors::AnyRef holder = ref_of(record);
  if (holder) {
    names_.sink(record.name).bind(holder);
  }
  proceed(record.name);
}

void NodeCore::on_name_released(const registry::Record& record) {
  if (record.state == registry::NameState::released) {
    names_.sink(record.name).release();
    proceed(record.name);
  } else {
    names_.sink(record.name).expect();
  }
}

void NodeCore::on_claim_done(const registry::ClaimDone& done) {
  const auto found = starts_.find(done.token);
  if (found == starts_.end()) {
    return;
  }
  const Started callback = std::move(found->second);
  starts_.erase(found);
  if (done.result.ok()) {
    callback(row_of(done.result.value()));
  } else {
    callback(done.result.error());
  }
}

void NodeCore::submit(registry::Claim claim, Started done) {
  claim.token = ++last_token_;
  starts_.emplace(claim.token, std::move(done));
  apply(cluster_->claim(std::move(claim), clock_.now()));
}

void NodeCore::claim_running(registry::Claim claim, const control::KindRow& description,
                             Started done) {
  loop_.post([=, this] {
    const base::ActorId actor = claim.actor;
    const std::string name = claim.name;
    submit(claim, [=, this](base::Result<control::NameRow> result) {
      if (result.ok()) {
        held_[name] = {result->epoch, actor};
        descriptions_[name] = description;
      }
      done(std::move(result));
    });
  });
}

void NodeCore::start_actor(const std::string& kind, NameOptions options, Started done) {
  loop_.post([=, this] {
    const auto problem = [&](Errc code, const std::string& text) { done(Error{code, text}); };
    if (!is_actor_name(options.name)) {
      problem(Errc::invalid_argument,
              "a name has 1 to 255 bytes without blanks and does not begin with 'system/'");
      return;
    }
    std::string placement = options.placement;
    if (!placement.empty() && !is_policy(placement)) {
      const auto known = cluster_->members();
      if (std::none_of(known.begin(), known.end(), [&](const registry::Member& member) {
            return member.id.name == placement && registry::is_live(member);
          })) {
        problem(Errc::not_found, "no node '" + placement + "' in the cluster");
        return;
      }
      placement = "node:" + placement;
    }
    if (kinds_.find(kind) == nullptr && !placement.starts_with("node:")) {
      problem(Errc::not_found, "no kind '" + kind + "' is registered on " + id_.name);
      return;
    }
    submit({.name = options.name,
            .kind = kind,
            .args = options.args,
            .respawn = options.respawn,
            .placement = placement},
           done);
  });
}

void NodeCore::stop_actor(const std::string& name, Started done) {
  loop_.post([=, this] {
    starts_.emplace(++last_token_, done);
    apply(cluster_->withdraw(last_token_, name, clock_.now()));
  });
}

base::Result<actors::AnyRef> NodeCore::spawn_kind(const std::string& kind, base::ByteView args,
                                                  actors::SpawnOptions options) {
  const auto entry = kinds_.find(kind);
  if (entry == nullptr) {
    return Error{Errc::not_found, "no kind '" + kind + "' is registered on " + id_.name};
  }
  auto factory = entry->prepare(args);
  if (!factory.ok()) {
    return Error{Errc::invalid_argument,
                 "arguments of kind '" + kind + "': " + factory.error().context};
  }
  options.mailbox_messages_max = entry->mailbox_messages_max;
  return system_.spawn_any(*entry->type, std::move(factory).value(), std::move(options), nullptr);
}

}  // namespace troupe::node
