#include "actors/detail/intake.hpp"

#include <algorithm>
#include <utility>

#include "actors/actor_cell.hpp"
#include "actors/actor_system.hpp"
#include "actors/detail/cell_parts.hpp"

// What happens to a message that the plain mailbox has no room for, or that comes to a mailbox with
// a policy; senders that wait for room.

namespace troupe::actors {

namespace {

/// Places beyond the bound for those who do not crowd.
constexpr std::uint32_t reserve_of(std::uint32_t messages_max) {
  return messages_max / 16 + 1;
}

constexpr std::uint32_t let_in_a_turn_max = 256;

}  // namespace

base::Outcome ActorCell::deliver_to_full(Envelope&& envelope) {
  Intake& in = intake();
  if (!is_pressed_.load(std::memory_order_relaxed)) {
    is_pressed_.store(true, std::memory_order_relaxed);
  }
  const std::uint64_t dominant = in.dominant.load(std::memory_order_relaxed);
  if (dominant == Intake::nobody || dominant == envelope->sender.value) {
    return base::Outcome::mailbox_full;
  }
  return push_into_reserve(std::move(envelope));
}

base::Outcome ActorCell::push_into_reserve(Envelope&& envelope) {
  MessageBlock* block = envelope.release();
  system().count_sent();
  switch (mailbox_.push(block, reserve_of(mailbox_.messages_max()))) {
    case Mailbox::Push::queued: return base::Outcome::accepted;
    case Mailbox::Push::wake:
      scheduler_.load(std::memory_order_acquire)->schedule(*this);
      return base::Outcome::accepted;
    case Mailbox::Push::full: break;
  }
  system().uncount_sent();
  envelope = Envelope{block};
  return base::Outcome::mailbox_full;
}

/// `has_waited`: for this one newcomers are refused.
base::Outcome ActorCell::deliver_by_policy(Envelope&& envelope, bool has_waited) {
  Intake& in = intake();
  PolicyLane& lane = in.lane;
  std::vector<MessageBlock*> dropped;
  const std::uint64_t sender = envelope->sender.value;
  MessageBlock* block = envelope.release();
  system().count_sent();
  const bool may_enter = has_waited || !in.has_waiting.load(std::memory_order_relaxed);
  const std::uint64_t dominant = in.dominant.load(std::memory_order_relaxed);
  bool is_taken = may_enter && lane.push(block, dropped, {.crowder = dominant});
  if (!dropped.empty()) {
    is_pressed_.store(true, std::memory_order_relaxed);
  }
  if (!is_taken && !has_waited && !lane.is_divided()) {
    is_pressed_.store(true, std::memory_order_relaxed);
    is_taken = dominant != Intake::nobody && dominant != sender &&
               lane.push(block, dropped, {.into_reserve = true});
  }
  for (MessageBlock* unlucky : dropped) {
    if (unlucky->sender.value == dominant) {
      in.dropped.fetch_add(1, std::memory_order_relaxed);
    }
    system().dead_letter(Envelope{unlucky}, {AskError::Kind::not_run, base::Outcome::mailbox_full,
                                             "it made room for another in a full mailbox"});
  }
  if (is_taken) {
    if (mailbox_.wake()) {
      scheduler_.load(std::memory_order_acquire)->schedule(*this);
    }
    return base::Outcome::accepted;
  }
  system().uncount_sent();
  envelope = Envelope{block};
  const AnyRef fallback = lane.fallback();
  if (!fallback || envelope->is_rerouted) {
    return base::Outcome::mailbox_full;
  }
  const base::ActorId target = std::exchange(envelope->target, fallback.id());
  envelope->is_rerouted = true;
  const base::Outcome outcome = fallback.sink()->deliver(std::move(envelope));
  if (outcome != base::Outcome::accepted) {
    envelope->target = target;
  }
  return outcome;
}

void ActorCell::set_policy(const SpawnOptions& options) {
  mailbox_.set_messages_max(std::clamp(options.mailbox_messages_max, 1U, Mailbox::messages_limit));
  if (Intake* in = intake_.load(std::memory_order_acquire)) {
    in->forget_vote();  // about who lived here before
  }
  if (!options.has_plain_mailbox()) {
    intake().lane.configure(options.mailbox_policy(), type_->priority_of);
  }
}

void ActorCell::divide_mailbox(const SpawnOptions& options, std::shared_ptr<MailboxShares> shares) {
  PolicyLane& lane = intake().lane;
  lane.configure(options.mailbox_policy(), type_->priority_of);
  lane.divide(std::move(shares));
  takes_.store(Takes::by_policy, std::memory_order_release);
}

/// What the actor handles next; null if there is nothing now. Ends with drop_message() or
/// take_message().
MessageBlock* ActorCell::next_message() {
  MessageBlock* message = mailbox_.front();
  if (message == nullptr) [[unlikely]] {
    if (Intake* in = intake_.load(std::memory_order_acquire)) {
      message = parts_ && parts_->retry && parts_->retry->in_hand ? parts_->retry->in_hand.release()
                                                                  : in->lane.pop();
      source_ = message != nullptr ? Source::lane : Source::mailbox;
    }
  }
  return message;
}

void ActorCell::drop_message(MessageBlock& block) {
  if (source_ == Source::mailbox) [[likely]] {
    mailbox_.done();
    return;
  }
  destroy_block(take_message(block).release());
}

Envelope ActorCell::take_message(MessageBlock& block) {
  if (source_ == Source::mailbox) [[likely]] {
    return Envelope{mailbox_.detach()};
  }
  if (std::exchange(source_, Source::mailbox) == Source::lane) {
    intake().lane.done();
  }
  return Envelope{&block};
}

/// Whether something waits that is not in the mailbox; atomic.
bool ActorCell::has_more() const {
  if (is_pressed_.load(std::memory_order_seq_cst)) {
    const Intake* in = intake_.load(std::memory_order_acquire);
    return in == nullptr || !in->waits_for_shares.load(std::memory_order_relaxed) ||
           in->lane.has_messages();
  }
  const Intake* in = intake_.load(std::memory_order_acquire);
  return in != nullptr && in->lane.has_messages();
}

std::uint32_t ActorCell::queued() const {
  const Intake* in = intake_.load(std::memory_order_acquire);
  return mailbox_.size() + (in != nullptr ? in->lane.size() : 0);
}

std::uint32_t ActorCell::queued_max() const {
  if (takes_.load(std::memory_order_acquire) == Takes::by_policy) {
    if (const Intake* in = intake_.load(std::memory_order_acquire)) {
      return in->lane.messages_max();
    }
  }
  return mailbox_.messages_max();
}

bool ActorCell::is_crowded() {
  return takes_.load(std::memory_order_relaxed) == Takes::by_policy
             ? intake().lane.is_crowded()
             : mailbox_.size() > mailbox_.messages_max() / 2;
}

/// Of the message that was just handled, while the mailbox is pressed.
void ActorCell::count_vote(std::uint64_t sender) {
  // Bytes may fill a lane with few messages.
  const std::uint32_t messages_max = takes_.load(std::memory_order_relaxed) == Takes::by_policy
                                         ? std::min(queued(), mailbox_.messages_max())
                                         : mailbox_.messages_max();
  intake().vote(sender, messages_max);
}

/// Twice as many as after the last turn, unless those have filled the mailbox again.
void ActorCell::relieve_after_full_turn(std::uint32_t handled) {
  if (!is_pressed_.load(std::memory_order_relaxed)) {
    return;
  }
  Intake& in = intake();
  const bool was_filled = queued() + handled >= mailbox_.messages_max();
  in.let_in_a_turn = was_filled ? 1 : std::min(2 * in.let_in_a_turn, let_in_a_turn_max);
  admit_or_relax(in.let_in_a_turn);
}

/// In the turn of a mailbox that is or was full: lets in who waits, and sees when that is over.
/// Always true: who begins to wait after this finds the places that were free before.
bool ActorCell::admit_or_relax(std::uint32_t count_max) {
  if (!admit_waiting_senders(count_max) && !is_crowded()) {
    Intake& in = intake();
    in.age_vote();
    base::MutexLock lock{in.mutex};
    if (in.waiting.empty()) {
      in.waits_for_shares.store(false, std::memory_order_relaxed);
      is_pressed_.store(false, std::memory_order_relaxed);
    }
  }
  return true;
}

/// mailbox_full: it waits now.
base::Outcome ActorCell::offer_waiting(const std::shared_ptr<Send::State>& waiting) {
  Intake& in = intake();
  if (takes_.load(std::memory_order_acquire) == Takes::by_policy && !in.lane.lets_senders_wait()) {
    waiting->finish(base::Outcome::mailbox_full);
    return base::Outcome::mailbox_full;
  }
  bool is_earliest = false;
  {
    base::MutexLock lock{in.mutex};
    // Before the look at the mailbox: see run().
    is_pressed_.store(true, std::memory_order_seq_cst);
    const base::Outcome outcome = waiting->try_deliver();
    if (outcome != base::Outcome::mailbox_full) {
      return outcome;
    }
    in.waiting.push_back(waiting);
    in.note_waiting();
    is_earliest = waiting->deadline < in.armed_for;
    if (is_earliest) {
      in.armed_for = waiting->deadline;
    }
  }
  if (is_earliest) {
    (void)system().timers().add(waiting->deadline, [this] { expire_waiting_senders(); });
  }
  // An idle actor would not look: what it took for full is empty, and perhaps always too small.
  if (mailbox_.wake()) {
    scheduler_.load(std::memory_order_acquire)->schedule(*this);
  }
  return base::Outcome::mailbox_full;
}

void ActorCell::expire_waiting_senders() {
  Intake& in = intake();
  const base::TimePoint now = system().clock().now();
  std::vector<std::shared_ptr<Send::State>> expired;
  base::TimePoint next = base::time_never;
  {
    base::MutexLock lock{in.mutex};
    if (now < in.armed_for) {
      return;  // an earlier timer has done it; another is set
    }
    std::erase_if(in.waiting, [&](const std::shared_ptr<Send::State>& sender) {
      if (sender->deadline <= now) {
        expired.push_back(sender);
        return true;
      }
      next = std::min(next, sender->deadline);
      return false;
    });
    in.armed_for = next;
    in.note_waiting();
  }
  for (const auto& sender : expired) {
    sender->finish(base::Outcome::expired);
  }
  if (next != base::time_never) {
    (void)system().timers().add(next, [this] { expire_waiting_senders(); });
  }
}

/// For a message that waited: newcomers cannot use the reserve, so it gets its place.
base::Outcome ActorCell::admit(Envelope&& envelope) {
  const Takes takes = takes_.load(std::memory_order_relaxed);
  if (envelope->target != id() || takes == Takes::nothing) {
    return deliver(std::move(envelope));
  }
  return takes == Takes::plain ? push_into_reserve(std::move(envelope))
                               : deliver_by_policy(std::move(envelope), true);
}

/// As the first of those who wait; a timer may have looked for it meanwhile.
void ActorCell::wait_again(std::shared_ptr<Send::State> sender) {
  const base::TimePoint deadline = sender->deadline;
  bool is_earliest = false;
  {
    Intake& in = intake();
    base::MutexLock lock{in.mutex};
    in.waiting.push_front(std::move(sender));
    in.note_waiting();
    is_earliest = deadline < in.armed_for;
    if (is_earliest) {
      in.armed_for = deadline;
    }
  }
  if (is_earliest) {
    (void)system().timers().add(deadline, [this] { expire_waiting_senders(); });
  }
}

/// After a refusal: not even an empty mailbox has room for it.
bool ActorCell::can_never_fit() const {
  return takes_.load(std::memory_order_relaxed) == Takes::by_policy && queued() == 0 &&
         !intake_.load(std::memory_order_relaxed)->lane.is_divided();
}

/// The first ones, in the order of coming. False: nobody waits any more.
bool ActorCell::admit_waiting_senders(std::uint32_t count_max) {
  Intake& in = intake();
  if (in.lane.is_divided()) {
    return admit_where_room_is();
  }
  for (std::uint32_t count = 0; count < count_max; ++count) {
    std::shared_ptr<Send::State> next;
    {
      base::MutexLock lock{in.mutex};
      if (in.waiting.empty()) {
        in.note_waiting();
        return false;
      }
      next = std::move(in.waiting.front());
      in.waiting.pop_front();
    }
    const base::Outcome outcome = next->try_admit(*this);
    if (outcome == base::Outcome::mailbox_full && !can_never_fit()) {
      wait_again(std::move(next));
      return true;
    }
    next->finish(outcome);
  }
  base::MutexLock lock{in.mutex};
  in.note_waiting();
  return true;
}

/// Of a divided mailbox: who waits for a share that is full holds up nobody behind it. Whoever
/// comes to wait after this finds the places that were free now.
bool ActorCell::admit_where_room_is() {
  Intake& in = intake();
  std::vector<std::pair<std::shared_ptr<Send::State>, base::Outcome>> ended;
  bool waits = false;
  {
    base::MutexLock lock{in.mutex};
    std::erase_if(in.waiting, [&](const std::shared_ptr<Send::State>& sender) {
      const base::Outcome outcome = sender->try_admit(*this);
      if (outcome == base::Outcome::mailbox_full) {
        return false;
      }
      ended.emplace_back(sender, outcome);
      return true;
    });
    waits = !in.waiting.empty();
    in.waits_for_shares.store(waits, std::memory_order_relaxed);
  }
  for (const auto& [sender, outcome] : ended) {
    sender->finish(outcome);
  }
  return waits;
}

void ActorCell::refuse_waiting_senders() {
  Intake* in = nullptr;
  // Writes even where there is none, so that who builds it after this sees that takes_ is
  // `nothing`.
  if (intake_.compare_exchange_strong(in, nullptr, std::memory_order_acq_rel)) {
    return;
  }
  std::deque<std::shared_ptr<Send::State>> waiting;
  {
    base::MutexLock lock{in->mutex};
    waiting.swap(in->waiting);
    in->note_waiting();
  }
  in->lane.divide(nullptr);  // the next life's is its own
  for (const auto& sender : waiting) {
    sender->finish(base::Outcome::stopped);
  }
}

ActorCell::Intake& ActorCell::intake() {
  Intake* in = intake_.load(std::memory_order_acquire);
  if (in == nullptr) {
    auto built = std::make_unique<Intake>();
    // pairs with refuse_waiting_senders()
    if (intake_.compare_exchange_strong(in, built.get(), std::memory_order_acq_rel)) {
      in = built.release();
    }
  }
  return *in;
}

}  // namespace troupe::actors
