#include "node/node_core.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "node/control_actor.hpp"
#include "node/version.hpp"
#include "registry/placement.hpp"

namespace troupe::node {

using base::Errc;
using base::Error;
using base::LogLevel;

namespace {

constexpr std::uint32_t linger_ms = 1000;
/// How long a node that has left may take to send its last answers and say goodbye.
constexpr base::Duration goodbye_wait_max = std::chrono::seconds{2};
/// What it sent last may come after the end of another of its connections.
constexpr base::Duration last_words_wait = std::chrono::milliseconds{100};
/// The others learn the new holders within a round trip; what they had sent here by then has come,
/// been passed on and been acknowledged after this.
constexpr base::Duration arrivals_wait = std::chrono::milliseconds{100};
/// How long a leaving node waits for answers to what it passed on.
constexpr base::Duration answers_wait_max = std::chrono::seconds{5};
constexpr base::Duration answers_poll = std::chrono::milliseconds{5};
constexpr base::Duration rate_interval = std::chrono::seconds{1};

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

// Names.

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

// Leaving and ending.

void NodeCore::leave(Left done) {
  loop_.post([=, this] {
    left_.push_back(done);
    if (has_left_) {
      finish_leave(0);
      return;
    }
    if (left_.size() > 1) {
      return;
    }
    {
      base::MutexLock lock{mutex_};
      leaving_ = true;
    }
    leave_since_ = clock_.now();
    const auto records = cluster_->names();
    held_at_leave_ = static_cast<std::size_t>(
        std::count_if(records.begin(), records.end(), [&](const registry::Record& record) {
          return record.holder == id_ && record.respawn;
        }));
    base::log(LogLevel::info, "node", "leaving; {} names to hand over", held_at_leave_);
    (void)system_.timers().add(leave_since_ + config_.drain_timeout, [this] { finish_leave(0); });
    apply(cluster_->leave(leave_since_));
  });
}

void NodeCore::on_drained(std::uint64_t moved) {
  (void)system_.timers().add(clock_.now() + (moved > 0 ? arrivals_wait : base::Duration{0}),
                             [this, moved] { await_answers(moved); });
}

/// What was passed on to where the names are now is answered through here: not before that is done.
void NodeCore::await_answers(std::uint64_t moved) {
  const base::Duration wait_max = std::min(answers_wait_max, config_.drain_timeout / 2);
  const bool is_done = router_.open_requests() == 0 && names_.parked() == 0;
  if (is_done || clock_.now() >= leave_since_ + wait_max) {
    finish_leave(static_cast<std::uint32_t>(moved));
    return;
  }
  (void)system_.timers().add(clock_.now() + answers_poll, [this, moved] { await_answers(moved); });
}

void NodeCore::finish_leave(std::uint32_t moved) {
  if (left_.empty()) {
    return;
  }
  const base::TimePoint now = clock_.now();
  const auto members = cluster_->members();
  const bool is_last = std::none_of(members.begin(), members.end(), [&](const auto& member) {
    return member.id != id_ && registry::is_live(member);
  });
  control::DrainReply reply;
  reply.node = id_.name;
  reply.moved = is_last ? 0 : moved;
  reply.lost = static_cast<std::uint32_t>(
      !is_last && held_at_leave_ > moved && !has_left_ ? held_at_leave_ - moved : 0);
  reply.duration_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now - leave_since_).count());
  base::log(LogLevel::info, "node", "left: {} names moved, {} left behind", reply.moved,
            reply.lost);
  if (!has_left_) {
    apply(cluster_->depart(now));
    has_left_ = true;
  }
  const std::vector<Left> waiting = std::exchange(left_, {});
  for (const Left& done : waiting) {
    done(reply);
  }
}

void NodeCore::stop_actors(std::function<void()> done) {
  loop_.post([this, done = std::move(done)] {
    ending_ = true;
    while (!releasing_.empty()) {
      proceed(std::string{releasing_.begin()->first});
    }
    system_.stop_all(done);
  });
}

void NodeCore::stop_transport() { transport_.stop(linger_ms); }

void NodeCore::set_end_request(std::function<void(const std::string&)> end) {
  base::MutexLock lock{mutex_};
  end_request_ = std::move(end);
}

void NodeCore::request_end(const std::string& reason) {
  std::function<void(const std::string&)> end;
  {
    base::MutexLock lock{mutex_};
    end = end_request_;
  }
  if (end) {
    end(reason);
  }
}

void NodeCore::set_seeds(std::vector<std::string> seeds) {
  loop_.post([this, seeds = std::move(seeds)] {
    apply(cluster_->set_seeds(seeds, clock_.now()));
  });
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
