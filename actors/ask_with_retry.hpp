#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "actors/actor_cell.hpp"
#include "actors/actor_ref.hpp"
#include "actors/detail/pause.hpp"
#include "actors/idempotent.hpp"
#include "actors/retry.hpp"
#include "actors/task.hpp"

namespace troupe::actors {

/// Whether an ask that ended so may be asked again: what certainly did not run, unless the receiver
/// cannot do it at all; what may have run, if the message is idempotent. Never a refusal, which is
/// an answer.
[[nodiscard]] constexpr bool may_repeat(const AskError& error, bool is_idempotent_message) {
  switch (error.kind) {
    case AskError::Kind::not_run:
      return error.outcome != base::Outcome::refused && error.outcome != base::Outcome::undecodable;
    case AskError::Kind::may_have_run:
      return is_idempotent_message && error.outcome != base::Outcome::undecodable;
    case AskError::Kind::refusal: return false;
  }
  return false;
}

/// An ask that is repeated, with the policy's backoff and jitter, while may_repeat() allows it:
/// `co_await ask_with_retry(ref, message, policy, timeout)` in an actor. `timeout` is for all
/// attempts and waits together. The result is the first reply or refusal, or the last error; if any
/// attempt may have run, the error says so too, so that its asker does not take it for not_run.
///
/// Attempts that wait spread by jitter after M. Brooker, "Exponential Backoff and Jitter" (2015).
template <class T, base::Message M>
Task<AskResult<ReplyOf<M>>> ask_with_retry(ActorRef<T> ref, M message, RetryPolicy policy,
                                           base::Duration timeout = ask_timeout_default) {
  const base::TimePoint deadline = base::later(detail::current_time(), timeout);
  bool may_have_run = false;
  for (std::uint32_t attempt = 1;; ++attempt) {
    const base::Duration left = deadline - detail::current_time();
    auto asked = ref.ask(M{message}, std::min(left, policy.attempt_timeout));
    AskResult<ReplyOf<M>> result = co_await asked;
    if (result.ok()) {
      co_return result;
    }
    AskError error = result.error();
    may_have_run = may_have_run || error.kind == AskError::Kind::may_have_run;
    const base::Duration wait = policy.delay(attempt, ActorCell::current()->random());
    if (!may_repeat(error, is_idempotent<M>) || !policy.retries_after(attempt) ||
        wait >= deadline - detail::current_time()) {
      if (may_have_run && error.kind == AskError::Kind::not_run) {
        error.kind = AskError::Kind::may_have_run;
      }
      co_return error;
    }
    detail::Pause pause{wait};
    co_await pause;
  }
}

}  // namespace troupe::actors
