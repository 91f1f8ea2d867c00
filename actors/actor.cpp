#include "actors/actor.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <deque>
#include <exception>
#include <limits>
#include <stdexcept>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"

namespace troupe::actors {

namespace {

/// From here on a hundredth less is no matter.
constexpr base::Duration coarse_timeout_min = std::chrono::seconds{1};

}  // namespace

ActorCell& detail::cell_of(const Actor& actor) {
  return actor.cell();
}

Actor::Actor() : cell_(ActorCell::current()) {
  TROUPE_CHECK(cell_ != nullptr, "an actor is made by spawn(), never directly");
}

ActorSystem& Actor::system() const {
  return cell_->system();
}
AnyRef Actor::self() const {
  return cell_->ref();
}
base::TimePoint Actor::now() const {
  return system().clock().now();
}
base::Random& Actor::random() {
  return cell_->random();
}
void Actor::stop() {
  cell_->request_stop();
}
void Actor::stop(const AnyRef& actor) {
  system().stop(actor);
}
void Actor::watch(const AnyRef& actor) {
  cell_->watch(actor);
}
void Actor::unwatch(const AnyRef& actor) {
  cell_->unwatch(actor);
}
void Actor::link(const AnyRef& actor) {
  cell_->link(actor);
}
void Actor::unlink(const AnyRef& actor) {
  cell_->unlink(actor);
}
void Actor::cancel(TimerId timer) {
  cell_->cancel_timer(timer);
}

void Actor::unbecome() {
  cell_->become(nullptr);
}
void Actor::set_stash_max(std::uint32_t messages_max, std::size_t bytes_max) {
  cell_->set_stash_max(messages_max, bytes_max);
}
void Actor::unstash_all() {
  cell_->unstash_all();
}
void Actor::set_receive_timeout(base::Duration idle_max) {
  cell_->set_receive_timeout(idle_max);
}
base::Outcome Actor::stash_any(Envelope message) {
  return cell_->stash(std::move(message), cell_->take_reply_right());
}
base::Outcome Actor::stash_any(Envelope message, ReplyRight asker) {
  return cell_->stash(std::move(message), std::move(asker));
}
void Actor::pipe_any(OpenAsk& ask, std::function<void(Envelope&&)> handler) {
  cell_->pipe(ask, std::move(handler));
}

Actor::TimerId Actor::add_timer(base::Duration delay, MessageMaker maker) {
  return cell_->add_timer(delay, base::Duration{0}, std::move(maker));
}

Actor::TimerId Actor::add_repeated_timer(base::Duration interval, MessageMaker maker) {
  if (interval <= base::Duration{0}) {
    throw std::invalid_argument{"every() needs an interval longer than 0"};
  }
  return cell_->add_timer(interval, interval, std::move(maker));
}

base::TimePoint detail::current_time() {
  return ActorCell::current()->system().clock().now();
}

void detail::Pause::await_suspend(std::coroutine_handle<> waiting) {
  const Suspension suspension = Suspension::of_current_actor(waiting);
  ActorSystem& system = ActorCell::current()->system();
  timers_ = &system.timers();
  timer_ = timers_->add(base::later(system.clock().now(), duration_),
                        [suspension] { suspension.resume(); });
}

void detail::Pause::cancel() {
  (void)timers_->cancel(std::exchange(timer_, 0));
}

ReplyRight& ReplyRight::operator=(ReplyRight&& other) noexcept {
  if (this != &other) {
    if (to_) {
      fail({AskError::Kind::may_have_run, base::Outcome::stopped, "the request was dropped"});
    }
    to_ = std::exchange(other.to_, ReplyAddress{});
    by_name_ = other.by_name_;
    deadline_ = other.deadline_;
    held_ = std::move(other.held_);
  }
  return *this;
}

ReplyRight::~ReplyRight() {
  if (!to_) {
    return;
  }
  // A handler that throws has not let go of the request: what it threw is the answer.
  ActorCell* cell = std::uncaught_exceptions() > 0 ? ActorCell::current() : nullptr;
  if (cell != nullptr && cell->take_back(to_, by_name_, deadline_)) {
    return;
  }
  fail({AskError::Kind::may_have_run, base::Outcome::stopped,
        "the actor let go of the request without an answer"});
}

bool ReplyRight::is_given_up() const {
  if (!to_) {
    return false;
  }
  const PendingRequests& requests = to_.sink->system().requests();
  return to_.sink == &requests && !requests.is_open(to_.request);
}

void ReplyRight::fail(AskError error) {
  if (to_) {
    send(failure_envelope(std::move(error)));
  }
}

void ReplyRight::send(Envelope reply) {
  if (!to_) {
    return;
  }
  const ReplyAddress to = std::exchange(to_, ReplyAddress{});
  const std::shared_ptr<void> held = std::move(held_);
  reply->target = to.request;
  reply->by_name = by_name_;
  if (to.sink->deliver(std::move(reply)) != base::Outcome::accepted) {
    to.sink->system().count_late_reply();
  }
}

void ReplyRight::move_into(MessageBlock& message) {
  message.set_reply(std::exchange(to_, ReplyAddress{}));
  message.by_name = by_name_;
  message.deadline = deadline_;
  held_.reset();
}

base::Outcome ReplyRight::forward(const AnyRef& to, Envelope message) {
  const MessageSink::Reached reached =
      to_ && to ? to.sink()->reached(to.id()) : MessageSink::Reached{};
  ActorSystem* system = to_ ? &to_.sink->system() : nullptr;
  if (reached.sink != nullptr && reached.sink->local_cell() != nullptr &&
      &reached.sink->system() == system && to_.sink == &system->requests()) {
    system->requests().mark_forwarded(to_.request, reached.actor);
    const AskChains::Ring ring = system->ask_chains().find_ring_of(to_.request, system->requests());
    if (!ring.text.empty()) {
      message->target = to.id();
      system->reject(message, base::Outcome::refused);
      fail({AskError::Kind::not_run, base::Outcome::refused, "ask cycle: " + ring.text});
      return base::Outcome::refused;
    }
  }
  move_into(*message);
  return to.post(std::move(message));
}

// References.

ActorAddress AnyRef::address() const {
  return sink_ == nullptr ? ActorAddress{} : sink_->address_of(id_);
}

base::Outcome AnyRef::post(Envelope&& message) const {
  if (const ActorCell* sender = ActorCell::current()) {
    message->sender = sender->id();
  }
  return pass_on(std::move(message));
}

base::Outcome AnyRef::post_within(base::Duration within, Envelope&& message) const {
  if (sink_ != nullptr) {
    message->deadline = base::later(sink_->system().clock().now(), within);
  }
  return post(std::move(message));
}

base::Outcome AnyRef::pass_on(Envelope&& message) const {
  if (sink_ == nullptr) {
    ReplyRight{message->reply(), message->by_name, message->deadline}.fail(
        {AskError::Kind::not_run, base::Outcome::no_such_actor, "the reference is empty"});
    return base::Outcome::no_such_actor;
  }
  message->target = id_;
  const base::Outcome outcome = sink_->deliver(std::move(message));
  if (outcome != base::Outcome::accepted) {
    sink_->system().reject(message, outcome);
    ReplyRight{message->reply(), message->by_name, message->deadline}.fail(
        {AskError::Kind::not_run, outcome, "the message was not accepted"});
  }
  return outcome;
}

base::ActorId AnyRef::request(Envelope&& message, base::Duration timeout) const {
  if (sink_ == nullptr) {
    return {};
  }
  ActorSystem& system = sink_->system();
  const base::Clock& clock = system.clock();
  const base::TimePoint deadline =
      base::later(timeout >= coarse_timeout_min ? clock.coarse_now() : clock.now(), timeout);
  const base::ActorId request = system.requests().open(deadline);
  if (request) {
    message->deadline = deadline;
    message->set_reply({&system.requests(), request});
    (void)post(std::move(message));
  }
  return request;
}

PendingRequests* AnyRef::requests() const {
  return sink_ == nullptr ? nullptr : &sink_->system().requests();
}

namespace detail {

AskError error_of(const Envelope& reply) {
  if (reply->kind == BlockKind::failure) {
    if (reply->type == &message_type<AskError>) {
      return reply->as<AskError>();
    }
    auto decoded = base::from_wire<AskError>(reply->body());
    if (decoded.ok()) {
      return std::move(decoded).value();
    }
  }
  return undecodable_reply("it is not of the wire format");
}

base::Outcome read_receipt(const Envelope& receipt) {
  if (receipt->type == &message_type<Receipt>) {
    return receipt->as<Receipt>().outcome;
  }
  const auto decoded = base::from_wire<Receipt>(receipt->body());
  return decoded.ok() ? decoded->outcome : base::Outcome::undecodable;
}

AskError undecodable_reply(const std::string& why) {
  return {AskError::Kind::may_have_run, base::Outcome::undecodable,
          "the reply cannot be read: " + why};
}

const void* decode_context(PendingRequests* requests) {
  return requests == nullptr ? nullptr : requests->system().resolver();
}

std::string_view readable_name(const std::type_info& type) {
  static base::Mutex mutex;
  static std::deque<std::string> names;
  int status = 0;
  char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? demangled : type.name();
  std::free(demangled);
  const std::size_t arguments = name.find('<');
  const std::size_t scope = name.rfind("::", arguments);
  base::MutexLock lock{mutex};
  return names.emplace_back(scope == std::string::npos ? name : name.substr(scope + 2));
}

void throw_refusal(const base::Error& error) {
  throw Refusal{error.context};
}
void throw_refusal(const AskError& error) {
  throw Refusal{error.text()};
}

void encode_ref(base::WireWriter& out, const AnyRef& ref) {
  if (!ref) {
    out.nil();
    return;
  }
  const ActorAddress address = ref.address();
  out.array(4);
  out.text(address.node.name);
  out.unsigned_integer(address.node.incarnation);
  out.unsigned_integer(address.actor.value);
  out.text(address.name);
}

bool decode_ref(base::WireReader& in, AnyRef& ref) {
  if (in.peek() == base::WireReader::Kind::nil) {
    ref = {};
    return in.nil();
  }
  std::uint32_t count = 0;
  std::string_view node;
  std::string_view name;
  ActorAddress address;
  if (!in.enter_array(count)) {
    return false;
  }
  if (count != 4) {
    return in.fail("a reference of four values");
  }
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  if (!in.text(node) || !in.unsigned_integer(address.node.incarnation, any) ||
      !in.unsigned_integer(address.actor.value, any) || !in.text(name)) {
    return false;
  }
  in.leave();
  address.node.name.assign(node);
  address.name.assign(name);
  // The context of every reader in the actor system is its RefResolver.
  const auto* resolver = static_cast<const RefResolver*>(in.context());
  if (resolver == nullptr) {
    return in.fail("no reference outside of a node");
  }
  ref = {*const_cast<RefResolver*>(resolver)->sink_for(address), address.actor};
  return true;
}

}  // namespace detail

}  // namespace troupe::actors
