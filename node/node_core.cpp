#include "node/node_core.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "node/control_actor.hpp"
#include "node/version.hpp"

namespace troupe::node {

using base::Errc;
using base::Error;
using base::LogLevel;

namespace {

/// How long a node that has left may take to send its last answers and say goodbye.
constexpr base::Duration goodbye_wait_max = std::chrono::seconds{2};
/// What it sent last may come after the end of another of its connections.
constexpr base::Duration last_words_wait = std::chrono::milliseconds{100};
constexpr base::Duration rate_interval = std::chrono::seconds{1};

/// Whether a peer's refusal says that this life was declared down or replaced.
bool tells_of_death(const std::string& refusal, const base::NodeId& self) {
  const std::string id = self.text();
  return refusal.starts_with(id) && refusal.size() > id.size() &&
         (refusal[id.size()] == ' ' || refusal[id.size()] == ':');
}

std::vector<std::uint64_t> known_types(const Kinds& kinds) {
  std::vector<std::uint64_t> types;
  for (const auto& kind : kinds.all()) {
    types.insert(types.end(), kind->types.begin(), kind->types.end());
  }
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

}  // namespace

NodeCore::NodeCore(Config config, NodeParts parts)
    : config_(std::move(config)),
      clock_(parts.clock),
      transport_(parts.transport),
      system_({{config_.name, parts.incarnation}, parts.seed}, parts.clock, parts.scheduler),
      names_(system_),
      router_(system_, names_, *this),
      cluster_options_(std::move(parts.cluster)),
      id_{config_.name, parts.incarnation},
      started_at_(parts.clock.now()) {
  system_.set_resolver(&router_);
  // The first actor after the root, so that its number is control_actor_id.
  const auto control = system_.spawn<ControlActor>(
      {.name = control::actor_name, .scheduler = &loop_}, this);
  TROUPE_CHECK(control.value().id() == control_actor_id, "the control service has its number");
  names_.sink(control::actor_name).bind(control.value());
}

NodeCore::~NodeCore() {
  // What holds a right to reply goes before the sinks that it would write to.
  loop_.clear();
  system_.abandon();
  loop_.clear();
}

base::Result<void> NodeCore::start() {
  std::vector<std::uint64_t> types = known_types(kinds_);
  const auto control_types = detail::wire_types(actors::protocol_info<ControlActor>());
  types.insert(types.end(), control_types.begin(), control_types.end());
  auto started = transport_.start({config_.cluster, id_, config_.advertise, std::move(types),
                                   config_.labels},
                                  router_);
  if (!started.ok()) {
    return started;
  }
  cluster_.emplace(registry::Self{id_, transport_.address(), config_.labels}, cluster_options_,
                   base::Random{system_.seed() ^ 0x5EED});
  loop_.post([this] {
    apply(cluster_->start(clock_.now()));
    sample_rate();
  });
  return {};
}

base::TimePoint NodeCore::step() {
  const base::TimePoint now = clock_.now();
  const bool more = loop_.run();
  system_.timers().run_due(now);
  const bool ticks = cluster_ && !has_left_ && !ending_;
  if (ticks && cluster_->next_tick() <= now) {
    apply(cluster_->tick(now));
  }
  if (more) {
    return now;
  }
  const base::TimePoint tick = ticks ? cluster_->next_tick() : base::time_never;
  return std::min(tick, system_.timers().next_due());
}

void NodeCore::set_seeds(std::vector<std::string> seeds) {
  loop_.post([this, seeds = std::move(seeds)] {
    apply(cluster_->set_seeds(seeds, clock_.now()));
  });
}

// What the transport tells.

void NodeCore::on_link_up(const base::NodeId& peer, const std::string& address) {
  loop_.post([=, this] { apply(cluster_->on_link_up(peer, address, clock_.now())); });
}

void NodeCore::on_link_lost(const base::NodeId& peer, const std::string& reason) {
  loop_.post([=, this] {
    if (tells_of_death(reason, id_)) {
      apply(cluster_->on_refused_as_dead(reason, clock_.now()));
      return;
    }
    if (departed_.contains(peer)) {
      (void)system_.timers().add(clock_.now() + last_words_wait,
                                 [this, peer] { cut_departed(peer); });
    }
    apply(cluster_->on_link_lost(peer, clock_.now()));
  });
}

void NodeCore::on_link_down(const base::NodeId& peer) {
  loop_.post([=, this] { apply(cluster_->on_link_down(peer, clock_.now())); });
}

void NodeCore::on_cluster_message(const base::NodeId& from, base::Bytes body) {
  loop_.post([this, from, body = std::move(body)] {
    apply(cluster_->on_message(from, body, clock_.now()));
  });
}

void NodeCore::on_unreachable(const std::string& address, const Error& error) {
  loop_.post([=, this] {
    if (error.code == Errc::refused && tells_of_death(error.context, id_)) {
      apply(cluster_->on_refused_as_dead(error.context, clock_.now()));
      return;
    }
    base::log(LogLevel::warn, "node", "{} cannot be reached, trying again: {}", address,
              error.text());
    base::MutexLock lock{mutex_};
    if (!ready_) {
      not_ready_because_ = "it has not joined a cluster yet; " + address +
                           " cannot be reached: " + error.text();
    }
  });
}

// Carrying out what the registry decides.

void NodeCore::apply(registry::Effects effects) {
  effects_.push_back(std::move(effects));
  if (std::exchange(applying_, true)) {
    return;  // the call that is on its way goes on with it
  }
  while (!effects_.empty()) {
    const registry::Effects next = std::move(effects_.front());
    effects_.pop_front();
    for (const registry::Send& send : next.sends) {
      if (RemoteSink* sink = router_.remote(send.to)) {
        (void)sink->send_cluster(send.body);  // the registry repeats what matters
      }
    }
    for (const std::string& address : next.connects) {
      transport_.connect(address);
    }
    for (const registry::Event& event : next.events) {
      carry_out(event);
    }
  }
  applying_ = false;
  // Until the table is here, messages by name wait: an unknown name may well be somebody's.
  if (has_joined_ && cluster_->has_table()) {
    names_.set_ready();
  }
}

void NodeCore::carry_out(const registry::Event& event) {
  struct Visitor {
    NodeCore& core;
    void operator()(const registry::MemberUp& e) const {
      base::log(LogLevel::info, "node", "{} is up at {}", e.member.id.text(), e.member.address);
      core.publish_view();
    }
    void operator()(const registry::MemberSuspect& e) const {
      base::log(LogLevel::warn, "node", "{} does not answer", e.member.id.text());
      core.publish_view();
    }
    void operator()(const registry::MemberAlive& e) const {
      base::log(LogLevel::info, "node", "{} answers again", e.member.id.text());
      core.publish_view();
    }
    void operator()(const registry::MemberLeaving& e) const {
      base::log(LogLevel::info, "node", "{} is leaving", e.member.id.text());
      core.publish_view();
    }
    void operator()(const registry::MemberLeft& e) const { core.on_member_left(e); }
    void operator()(const registry::MemberDown& e) const { core.on_member_down(e); }
    void operator()(const registry::Ready&) const {
      {
        base::MutexLock lock{core.mutex_};
        core.ready_ = true;
        core.became_ready_.notify_all();
      }
      core.publish_view();
      core.has_joined_ = true;
      base::log(LogLevel::info, "node", "ready: {} in cluster '{}'", core.id_.text(),
                core.config_.cluster);
      if (core.ready_hook_) {
        core.ready_hook_();
      }
    }
    void operator()(const registry::SelfDown& e) const {
      base::log(LogLevel::error, "node", "the others have declared this node down: {}", e.reason);
      core.request_end("declared down by the cluster: " + e.reason);
    }
    void operator()(const registry::SelfPaused& e) const {
      base::log(LogLevel::warn, "node", "this node stood still for {} ms",
                std::chrono::duration_cast<std::chrono::milliseconds>(e.gap).count());
    }
    void operator()(const registry::LeaderChanged& e) const {
      base::log(LogLevel::debug, "node", "names are granted by {}", e.leader.text());
    }
    void operator()(const registry::StartHere& e) const { core.on_start_here(e.record); }
    void operator()(const registry::StopHere& e) const { core.on_stop_here(e); }
    void operator()(const registry::NameBound& e) const { core.on_name_bound(e.record); }
    void operator()(const registry::NameReleased& e) const { core.on_name_released(e.record); }
    void operator()(const registry::ClaimDone& e) const { core.on_claim_done(e); }
    void operator()(const registry::Drained& e) const { core.on_drained(e.moved); }
    void operator()(const registry::GroupChanged&) const {}
  };
  std::visit(Visitor{*this}, event);
}

void NodeCore::publish_view() {
  ++view_version_;
  base::MutexLock lock{mutex_};
  members_ = cluster_->members();
}

/// Cuts the link and ends all that waited on it, before anything is started in its place.
void NodeCore::cut(const base::NodeId& peer, const std::string& reason) {
  transport_.disconnect(peer, reason);
  if (RemoteSink* sink = router_.remote(peer)) {
    sink->lose(reason);
  }
  publish_view();
}

void NodeCore::on_member_down(const registry::MemberDown& down) {
  base::log(LogLevel::warn, "node", "{} is down: {}", down.member.id.text(), down.reason);
  cut(down.member.id, down.reason);
}

void NodeCore::on_member_left(const registry::MemberLeft& left) {
  base::log(LogLevel::info, "node", "{} has left", left.member.id.text());
  const base::NodeId peer = left.member.id;
  if (peer == id_) {
    return;
  }
  publish_view();
  departed_.insert(peer);
  (void)system_.timers().add(clock_.now() + goodbye_wait_max, [this, peer] { cut_departed(peer); });
}

void NodeCore::cut_departed(const base::NodeId& peer) {
  if (departed_.erase(peer) > 0) {
    cut(peer, "it has left the cluster");
  }
}

// What is seen from outside.

control::HealthReply NodeCore::health() const {
  base::MutexLock lock{mutex_};
  control::HealthReply reply{true, ready_ && !leaving_, {}};
  if (leaving_) {
    reply.reason = "it is leaving the cluster";
  } else if (!ready_) {
    reply.reason = not_ready_because_;
  }
  return reply;
}

bool NodeCore::wait_ready(base::Duration timeout) {
  base::MutexLock lock{mutex_};
  return became_ready_.wait_for(mutex_, timeout,
                                [this]() TROUPE_REQUIRES(mutex_) { return ready_; });
}

std::vector<registry::Member> NodeCore::members() const {
  base::MutexLock lock{mutex_};
  return members_;
}

control::NameRow NodeCore::row_of(const registry::Record& record) const {
  const bool is_bound = record.state == registry::NameState::bound;
  return {record.name,  record.kind,         record.holder.name,
          record.epoch, record.actor.value, is_bound ? "running" : "starting"};
}

std::vector<control::NameRow> NodeCore::name_rows() const {
  std::vector<control::NameRow> rows;
  for (const registry::Record& record : cluster_->names()) {
    rows.push_back(row_of(record));
  }
  return rows;
}

const control::KindRow* NodeCore::description_of(const std::string& name) const {
  const auto found = descriptions_.find(name);
  return found == descriptions_.end() ? nullptr : &found->second;
}

std::string NodeCore::name_of(base::ActorId actor) const {
  const auto found = std::find_if(held_.begin(), held_.end(), [&](const auto& entry) {
    return entry.second.actor == actor;
  });
  if (found != held_.end()) {
    return found->first;
  }
  return actor == control_actor_id ? control::actor_name : "";
}

actors::AnyRef NodeCore::control_of(const base::NodeId& node) {
  actors::MessageSink* sink = router_.sink_for({node, control_actor_id, {}});
  return {*sink, control_actor_id};
}

control::LedgerRow NodeCore::ledger() const {
  actors::LedgerSnapshot snapshot = system_.ledger();
  snapshot.in_flight += names_.parked();
  control::LedgerRow row;
  row.node = id_.name;
  row.sent = snapshot.sent;
  row.delivered = snapshot.delivered;
  row.in_flight = snapshot.in_flight;
  for (std::uint8_t reason = 0; reason < base::outcome_count; ++reason) {
    if (snapshot.dead[reason] > 0) {
      row.dead.push_back(
          {std::string{base::to_string(static_cast<base::Outcome>(reason))},
           snapshot.dead[reason]});
    }
  }
  row.balanced = snapshot.is_balanced();
  return row;
}

void NodeCore::sample_rate() {
  const std::uint64_t delivered = system_.ledger().delivered;
  messages_per_second_.store(static_cast<std::int64_t>(delivered - delivered_before_),
                             std::memory_order_relaxed);
  delivered_before_ = delivered;
  {
    base::MutexLock lock{mutex_};
    names_held_ = static_cast<std::uint32_t>(held_.size());
  }
  if (!ending_) {
    (void)system_.timers().add(clock_.now() + rate_interval, [this] { sample_rate(); });
  }
}

MetricsSnapshot NodeCore::metrics_snapshot() const {
  MetricsSnapshot snapshot;
  snapshot.version = version;
  snapshot.cluster = config_.cluster;
  snapshot.node = id_.name;
  snapshot.uptime = clock_.now() - started_at_;
  snapshot.is_ready = health().ready;
  snapshot.actors = system_.actor_count();
  snapshot.open_asks = system_.requests().open_count();
  snapshot.ledger = system_.ledger();
  snapshot.ledger.in_flight += names_.parked();
  snapshot.transport = transport_.counters();
  base::MutexLock lock{mutex_};
  snapshot.names_held = names_held_;
  for (const registry::Member& member : members_) {
    ++snapshot.members[std::string{registry::to_string(member.state)}];
  }
  return snapshot;
}

control::MemberRow NodeCore::own_row() const {
  control::MemberRow row;
  row.name = id_.name;
  row.incarnation = id_.incarnation;
  row.address = transport_.address();
  row.actors = system_.actor_count();
  row.messages_per_second = messages_per_second_.load(std::memory_order_relaxed);
  row.mailbox_messages = static_cast<std::int64_t>(system_.ledger().in_flight + names_.parked());
  row.uptime_ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - started_at_)
                      .count();
  return row;
}

}  // namespace troupe::node
