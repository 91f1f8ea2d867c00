#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "actors/ask_error.hpp"
#include "actors/pending_requests.hpp"
#include "actors/protocol.hpp"
#include "actors/suspension.hpp"
#include "base/errors.hpp"

namespace troupe::actors {

/// What an ask ends with.
template <class T>
using AskResult = base::Result<T, AskError>;

namespace detail {

/// Reads a reply block of the expected type; anything else is an AskError.
[[nodiscard]] AskError error_of(const Envelope& reply);
[[nodiscard]] base::Outcome read_receipt(const Envelope& receipt);
[[nodiscard]] AskError undecodable_reply(const std::string& why);
[[nodiscard]] const void* decode_context(PendingRequests* requests);

template <class Value>
AskResult<Value> read_reply(Envelope reply, const void* context) {
  if (reply->kind != BlockKind::reply) {
    return error_of(reply);
  }
  if (reply->type == &message_type<Value>) {
    return std::move(reply->as<Value>());
  }
  base::Bytes encoded;
  if (reply->type != nullptr) {
    encode_body(*reply, encoded, true);
  }
  if (reply->type == nullptr && reply->shape() != 0 &&
      reply->shape() != base::fingerprint_of<Value>() &&
      base::WireReader{reply->body()}.peek() != base::WireReader::Kind::map) {
    return undecodable_reply("its fields differ from those expected here");
  }
  auto decoded =
      base::from_wire<Value>(reply->type != nullptr ? encoded : reply->body(), context);
  if (!decoded.ok()) {
    return undecodable_reply(decoded.error().context);
  }
  return std::move(decoded).value();
}

}  // namespace detail

/// A request on its way. Ends in a reply, a refusal, not_run or may_have_run, at the latest at its
/// deadline. T is the message's Reply or void. Use exactly one of: co_await in an actor, get() in a
/// plain thread, then(). Move-only; dropping it gives the reply up.
template <class T>
class [[nodiscard]] Ask {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, Done, T>;
  using Result = AskResult<T>;

  /// A request of 0 was never sent; without `requests` because the reference is empty.
  Ask(PendingRequests* requests, base::ActorId request) : requests_(requests), request_(request) {}
  Ask(Ask&& other) noexcept
      : requests_(other.requests_), request_(std::exchange(other.request_, base::ActorId{})) {}
  Ask& operator=(Ask&&) = delete;
  ~Ask() {
    if (request_) {
      requests_->close(request_);
    }
  }

  /// True once get() would not block.
  [[nodiscard]] bool is_ready() const { return !request_ || requests_->is_ready(request_); }

  /// Blocks until the end of the request. Never from an actor: it would hold up a worker.
  Result get() {
    if (request_) {
      requests_->wait(request_);
    }
    return take();
  }

  /// Calls back on the thread that brings the reply, at once if it is there.
  void then(std::function<void(Result)> callback) {
    const auto call = [context = detail::decode_context(requests_),
                       callback = std::move(callback)](Envelope&& reply) {
      callback(to_result(std::move(reply), context));
    };
    if (request_) {
      requests_->call_when_ready(std::exchange(request_, base::ActorId{}), call);
    } else {
      call(not_sent());
    }
  }

  bool await_ready() const { return is_ready(); }
  bool await_suspend(std::coroutine_handle<> waiting) {
    return requests_->resume_when_ready(request_, Suspension::of_current_actor(waiting));
  }
  Result await_resume() { return take(); }

 private:
  Envelope not_sent() const {
    return requests_ == nullptr
               ? failure_envelope({AskError::Kind::not_run, base::Outcome::no_such_actor,
                                   "the reference is empty"})
               : failure_envelope({AskError::Kind::not_run, base::Outcome::mailbox_full,
                                   "too many asks are open in this process"});
  }
  static Result to_result(Envelope reply, const void* context) {
    auto value = detail::read_reply<Value>(std::move(reply), context);
    if constexpr (std::is_void_v<T>) {
      return value.ok() ? Result{} : Result{value.error()};
    } else {
      return value;
    }
  }
  Result take() {
    Envelope reply = request_ ? requests_->take(std::exchange(request_, base::ActorId{}))
                              : not_sent();
    return to_result(std::move(reply), detail::decode_context(requests_));
  }

  PendingRequests* requests_;
  base::ActorId request_;
};

}  // namespace troupe::actors
