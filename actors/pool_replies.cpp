#include <algorithm>
#include <utility>

#include "actors/detail/pool_actor.hpp"

// Where the pool answers in a worker's place: work that several may have begun, or one more than
// once.

namespace troupe::actors::detail {

/// Its asker, in this process, waits no longer.
bool PoolActor::is_given_up(const Waiting& waiting) {
  if (waiting.broadcast) {
    return waiting.broadcast->is_given_up();
  }
  if (waiting.job) {
    return waiting.job->asker.is_given_up();
  }
  const PendingRequests& requests = system().requests();
  const ReplyAddress asker = waiting.message->reply();
  return asker.sink == &requests && !requests.is_open(asker.request);
}

// Idempotent work.

/// How an attempt ended, on its way to the pool: the asker's answer if the pool is gone.
struct PoolActor::AttemptEnd {
  AttemptEnd(std::shared_ptr<Job> of, Envelope content)
      : job(std::move(of)), reply(std::move(content)) {}
  AttemptEnd(const AttemptEnd&) = delete;
  AttemptEnd& operator=(const AttemptEnd&) = delete;
  ~AttemptEnd() {
    if (reply) {
      job->end(std::move(reply));
    }
  }
  std::shared_ptr<Job> job;
  Envelope reply;
};

void PoolActor::Job::end(Envelope reply) {
  if (may_have_run && reply->kind == BlockKind::failure) {
    AskError error = error_of(reply);
    if (error.kind == AskError::Kind::not_run) {
      error.kind = AskError::Kind::may_have_run;
      reply = failure_envelope(std::move(error));
    }
  }
  asker.send(std::move(reply));
}

const PoolMessage* PoolActor::find(std::uint32_t type_id) const {
  const auto found =
      std::find_if(setup_->messages.begin(), setup_->messages.end(),
                   [&](const PoolMessage& message) { return message.type_id == type_id; });
  return found == setup_->messages.end() ? nullptr : &*found;
}

/// False: it has ended.
bool PoolActor::begin_job(Waiting& waiting) {
  const PoolMessage* type = find(waiting.message->type_id);
  if (type == nullptr || !type->is_idempotent) {
    return true;
  }
  const auto job = std::make_shared<Job>();
  MessageBlock& message = *waiting.message;
  job->asker = {message.take_reply(), message.by_name, message.deadline};
  job->message = std::move(waiting.message);
  return begin_attempt(job, waiting);
}

bool PoolActor::begin_attempt(const std::shared_ptr<Job>& job, Waiting& waiting) {
  PendingRequests& requests = system().requests();
  const base::ActorId request = requests.open(job->message->deadline);
  if (!request) {
    job->asker.fail({AskError::Kind::not_run, base::Outcome::mailbox_full,
                     "too many asks are open in this process"});
    refuse(std::move(job->message), base::Outcome::mailbox_full, "");
    return false;
  }
  ++job->attempts;
  job->attempt = request;
  attempts_[request.value] = job;
  requests.call_when_ready(request, [job, shared = shared_](Envelope&& reply) {
    const auto ended = std::make_shared<AttemptEnd>(job, std::move(reply));
    (void)shared->system->call(shared->pool, [shared, ended] {
      if (shared->actor != nullptr) {
        shared->actor->end_attempt(*ended);
      }
    });
  });
  waiting.message = copy(*find(job->message->type_id), *job->message);
  waiting.message->set_reply({&requests, request});
  waiting.job = job;
  return true;
}

void PoolActor::end_attempt(AttemptEnd& ended) {
  const std::shared_ptr<Job> job = ended.job;
  attempts_.erase(job->attempt.value);
  Envelope reply = std::move(ended.reply);
  const bool is_in_time =
      job->message->deadline == base::time_never || now() < job->message->deadline;
  if (reply->kind == BlockKind::failure) {
    const AskError error = error_of(reply);
    job->may_have_run = job->may_have_run || error.kind == AskError::Kind::may_have_run;
    if (is_in_time && !job->asker.is_given_up() && job->attempts < setup_->options.attempts_max &&
        error.kind != AskError::Kind::refusal && error.outcome == base::Outcome::stopped) {
      Waiting again;
      if (begin_attempt(job, again)) {
        returned_.push_back(std::move(again));
        drain();
        hold();
      }
      return;
    }
  }
  job->end(std::move(reply));
}

/// To be given out again: an attempt that was not begun stays the same attempt.
void PoolActor::give_again(Envelope message) {
  std::shared_ptr<Job> job;
  if (message->reply().sink == &system().requests()) {
    const auto found = attempts_.find(message->reply().request.value);
    job = found != attempts_.end() ? found->second.lock() : nullptr;
  }
  returned_.push_back({std::move(message), std::move(job)});
}

// Broadcast.

PoolActor::Broadcast::~Broadcast() {
  asker_.fail(failure_.value_or(
      AskError{AskError::Kind::may_have_run, base::Outcome::stopped, "no worker answered"}));
}

bool PoolActor::Broadcast::is_given_up() const {
  base::MutexLock lock{mutex_};
  return asker_.is_given_up();
}

void PoolActor::Broadcast::end(Envelope reply) {
  if (reply->kind == BlockKind::failure) {
    AskError error = error_of(reply);
    if (error.kind != AskError::Kind::refusal) {
      fail(std::move(error));
      return;
    }
  }
  ReplyRight asker;
  {
    base::MutexLock lock{mutex_};
    if (asker_.is_given_up()) {
      return;  // and stays so: it goes to no more workers
    }
    asker = std::move(asker_);
  }
  asker.send(std::move(reply));
}

void PoolActor::Broadcast::fail(AskError error) {
  base::MutexLock lock{mutex_};
  if (!failure_ || failure_->kind == AskError::Kind::not_run) {
    failure_ = std::move(error);
  }
}

/// One more worker's answer; 0: too many asks are open.
base::ActorId PoolActor::open_copy(const std::shared_ptr<Broadcast>& broadcast,
                                   base::TimePoint deadline) {
  PendingRequests& requests = system().requests();
  const base::ActorId request = requests.open(deadline);
  if (request) {
    requests.call_when_ready(request,
                             [broadcast](Envelope&& reply) { broadcast->end(std::move(reply)); });
  }
  return request;
}

/// The same message for somebody else; nobody to answer yet.
Envelope PoolActor::copy(const PoolMessage& type, const MessageBlock& message) {
  Envelope copy = type.copy(message, Answerable::yes);
  copy->sender = message.sender;
  copy->deadline = message.deadline;
  copy->by_name = message.by_name;
  return copy;
}

}  // namespace troupe::actors::detail
