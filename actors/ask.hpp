#pragma once

#include <coroutine>
#include <functional>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "actors/ask_chain.hpp"
#include "actors/ask_error.hpp"
#include "actors/pending_requests.hpp"
#include "actors/protocol.hpp"
#include "actors/suspension.hpp"
#include "base/errors.hpp"

namespace troupe::actors {

/// What an ask ends with.
template <class T>
using AskResult = base::Result<T, AskError>;

class ActorCell;

namespace detail {

struct OneReady;
template <class T>
struct AnyReady;

/// Reads a reply block of the expected type; anything else is an AskError.
[[nodiscard]] AskError error_of(const Envelope& reply);
[[nodiscard]] base::Outcome read_receipt(const Envelope& receipt);
[[nodiscard]] AskError undecodable_reply(const std::string& why);
[[nodiscard]] const void* decode_context(PendingRequests* requests);
/// See ActorCell::call_outside().
void call_outside_actors(const std::function<void()>& function);

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
  auto decoded = base::from_wire<Value>(reply->type != nullptr ? encoded : reply->body(), context);
  if (!decoded.ok()) {
    return undecodable_reply(decoded.error().context);
  }
  return std::move(decoded).value();
}

}  // namespace detail

/// What every Ask has, whatever its reply. Not thread-safe; move-only.
class OpenAsk {
 public:
  /// A request of 0 was never sent; without `to` because the reference is empty.
  OpenAsk(MessageSink* to, base::ActorId target, PendingRequests* requests, base::ActorId request)
      : to_(to), target_(target), requests_(requests), request_(request) {}
  OpenAsk(OpenAsk&& other) noexcept
      : to_(other.to_),
        target_(other.target_),
        requests_(other.requests_),
        request_(std::exchange(other.request_, base::ActorId{})),
        failure_(std::move(other.failure_)),
        edge_(std::exchange(other.edge_, nullptr)) {}
  OpenAsk& operator=(OpenAsk&& other) noexcept;
  ~OpenAsk() {
    if (request_) {
      give_up();
    }
  }

  /// True once get() would not block.
  [[nodiscard]] bool is_ready() const { return !request_ || requests_->is_ready(request_); }

  /// Gives the reply up: a request that still waits in a local mailbox is dropped there before it
  /// is handled. The ask then ends as may_have_run (cancelled). Dropping the ask does the same.
  void cancel();

  /// Wakes the coroutine once the result is there. Any number of asks may share a suspension: the
  /// first result wakes it.
  void resume_when_ready(Suspension waiting);

  /// Whether whom it asks waits, in the end, for the actor that runs now, which would wait with a
  /// held mailbox: suspend() would fail it.
  [[nodiscard]] bool would_close_ring() const;

 protected:
  void give_up();
  /// False: the result is there and the coroutine goes on.
  bool suspend(std::coroutine_handle<> waiting);
  /// The end of the request, once it is ready.
  [[nodiscard]] Envelope take_reply();
  [[nodiscard]] const void* decode_context() const { return detail::decode_context(requests_); }
  void call_when_ready(PendingRequests::Callback callback);
  void wait();

 private:
  friend struct detail::OneReady;
  template <class T>
  friend struct detail::AnyReady;
  friend class Actor;
  friend class ActorCell;
  bool closes_ring(ActorCell& cell);
  void end_wait();

  MessageSink* to_;
  base::ActorId target_;
  PendingRequests* requests_;
  base::ActorId request_;
  /// Why there is no request any more.
  std::unique_ptr<AskError> failure_;
  /// While a non-reentrant actor awaits it.
  AskChains::Entry* edge_ = nullptr;
};

/// A request on its way. Ends in a reply, a refusal, not_run or may_have_run, at the latest at its
/// deadline. T is the message's Reply or void. Use exactly one of: co_await in an actor,
/// Actor::pipe() in an actor, get() or to_future() in a plain thread, then(). Move-only; dropping
/// it cancels it.
template <class T>
class [[nodiscard]] Ask : public OpenAsk {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, Done, T>;
  using Result = AskResult<T>;

  using OpenAsk::OpenAsk;

  /// Blocks until the end of the request. Not from an actor, whose worker it would hold up: there
  /// it fails at once, unless the reply is there or the actor has a scheduler or thread of its own.
  [[nodiscard]] Result get() {
    wait();
    return take();
  }

  /// For a plain thread that does something else meanwhile. A future of an actor system that is
  /// destroyed first is broken (std::future_error).
  [[nodiscard]] std::future<Result> to_future() {
    const auto promise = std::make_shared<std::promise<Result>>();
    std::future<Result> future = promise->get_future();
    then([promise](Result result) { promise->set_value(std::move(result)); });
    return future;
  }

  /// Calls back on the thread that brings the reply, at once if it is there, and as part of no
  /// actor: what it sends has no sender, what it throws is logged. Not cancelled by dropping the
  /// ask.
  void then(std::function<void(Result)> callback) {
    call_when_ready([context = decode_context(), callback = std::move(callback)](Envelope&& reply) {
      detail::call_outside_actors([&] { callback(to_result(std::move(reply), context)); });
    });
  }

  [[nodiscard]] bool await_ready() const { return is_ready(); }
  bool await_suspend(std::coroutine_handle<> waiting) { return suspend(waiting); }
  [[nodiscard]] Result await_resume() { return take(); }

  /// The result of an ask that is ready.
  [[nodiscard]] Result take() { return to_result(take_reply(), decode_context()); }

 private:
  friend class Actor;
  static Result to_result(Envelope reply, const void* context) {
    auto value = detail::read_reply<Value>(std::move(reply), context);
    if constexpr (std::is_void_v<T>) {
      return value.ok() ? Result{} : Result{value.error()};
    } else {
      return value;
    }
  }
};

}  // namespace troupe::actors
