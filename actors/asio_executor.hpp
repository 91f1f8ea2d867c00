#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/error.hpp>
#include <asio/execution.hpp>
#include <asio/query.hpp>
#include <asio/system_executor.hpp>
#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "actors/actor_cell.hpp"
#include "actors/suspension.hpp"

namespace troupe::actors {

/// An Asio executor (asio::execution) that runs functions in an actor, between its messages and
/// never concurrently with its handlers; also while a coroutine handler waits. What was given for
/// an object that crashed or ended is dropped. For handlers that are bound to an actor:
/// `asio::bind_executor(executor, handler)`, `asio::post(executor, function)`.
///
/// Thread-safe; cheap to copy. Outlives its actor, not the actor system: an io_context whose
/// handlers hold one stops before the system is destroyed. Posts are bounded by whoever makes them,
/// and share the actor's turns with its messages.
class ActorExecutor {
 public:
  /// Of the actor whose handler runs now; aborts outside of an actor.
  [[nodiscard]] static ActorExecutor of_current_actor() {
    ActorCell* cell = ActorCell::current();
    TROUPE_CHECK(cell != nullptr, "there is no actor here");
    ActorExecutor executor;
    executor.cell_ = cell;
    executor.actor_ = cell->id();
    executor.object_ = cell->object_number();
    return executor;
  }

  template <class Function>
  void execute(Function&& function) const {
    const auto held = std::make_shared<std::decay_t<Function>>(std::forward<Function>(function));
    cell_->push_control(
        control_envelope(Control::call, actor_, Call{[cell = cell_, object = object_, held] {
                           if (cell->object_number() == object) {
                             std::move (*held)();
                           }
                         }}));
  }

  bool operator==(const ActorExecutor&) const = default;

  // What Asio asks of an executor.
  [[nodiscard]] static constexpr asio::execution::blocking_t query(
      asio::execution::blocking_t) noexcept {
    return asio::execution::blocking_t{asio::execution::blocking.never};
  }
  [[nodiscard]] static asio::execution_context& query(asio::execution::context_t) noexcept {
    return asio::query(asio::system_executor{}, asio::execution::context);
  }

 private:
  ActorExecutor() = default;

  ActorCell* cell_ = nullptr;
  base::ActorId actor_;
  std::uint64_t object_ = 0;
};

/// The completion token with which a handler awaits any Asio operation and goes on in its actor:
///   auto reading = asio::async_read(socket, asio::buffer(*bytes), use_troupe.keeping(bytes));
///   const auto [error, count] = co_await reading;
/// Gives what the operation completes with: nothing, one value, or a tuple; never throws. The
/// operation begins when it is awaited. It completes as operation_aborted if its io_context ends.
///
/// The operation goes on when the actor ends: the I/O object and the memory that it uses must live
/// as long as it does. keeping() holds them until then. No operation may complete while the actor
/// system is being destroyed; afterwards it may.
class UseTroupe {
 public:
  [[nodiscard]] UseTroupe keeping(std::shared_ptr<const void> object) const {
    UseTroupe token;
    token.kept_ = std::move(object);
    return token;
  }
  [[nodiscard]] const std::shared_ptr<const void>& kept() const { return kept_; }

 private:
  std::shared_ptr<const void> kept_;
};
inline const UseTroupe use_troupe{};

namespace detail {

template <class... Args>
struct AsioResult {
  std::optional<std::tuple<std::decay_t<Args>...>> values;
  Suspension waiting;
  /// Reset by the completion or by the end of the coroutine: after it there may be no actor system.
  std::atomic<bool> is_awaited{true};
};

/// Completes an operation whose handler is never called.
template <class... Args>
struct AsioCompletion {
  std::shared_ptr<AsioResult<Args...>> result;
  std::shared_ptr<const void> kept;

  AsioCompletion(std::shared_ptr<AsioResult<Args...>> to, std::shared_ptr<const void> keep)
      : result(std::move(to)), kept(std::move(keep)) {}
  AsioCompletion(const AsioCompletion&) = delete;
  AsioCompletion& operator=(const AsioCompletion&) = delete;
  ~AsioCompletion() {
    if (!result->values) {
      std::tuple<std::decay_t<Args>...> aborted;
      if constexpr (sizeof...(Args) > 0) {
        if constexpr (std::is_same_v<std::decay_t<std::tuple_element_t<0, std::tuple<Args...>>>,
                                     asio::error_code>) {
          std::get<0>(aborted) = asio::error::operation_aborted;
        }
      }
      result->values.emplace(std::move(aborted));
    }
    kept.reset();
    if (result->is_awaited.exchange(false, std::memory_order_acq_rel)) {
      result->waiting.resume();
    }
  }
};

template <class... Args>
struct AsioHandler {
  std::shared_ptr<AsioCompletion<Args...>> completion;

  void operator()(Args... args) {
    completion->result->values.emplace(std::move(args)...);
    completion.reset();
  }
};

/// An operation that has not begun. Awaited once, in an actor.
template <class Launch, class... Args>
class [[nodiscard]] AsioOperation {
 public:
  AsioOperation(Launch launch, std::shared_ptr<const void> kept)
      : launch_(std::move(launch)), kept_(std::move(kept)) {}
  AsioOperation(AsioOperation&&) noexcept = default;
  AsioOperation& operator=(AsioOperation&&) = delete;
  ~AsioOperation() {
    if (result_) {
      result_->is_awaited.store(false, std::memory_order_release);
    }
  }

  [[nodiscard]] bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    result_ = std::make_shared<AsioResult<Args...>>();
    result_->waiting = Suspension::of_current_actor(waiting);
    launch_(
        AsioHandler<Args...>{std::make_shared<AsioCompletion<Args...>>(result_, std::move(kept_))});
  }
  [[nodiscard]] auto await_resume() {
    auto values = std::move(*result_->values);
    if constexpr (sizeof...(Args) == 1) {
      return std::get<0>(std::move(values));
    } else if constexpr (sizeof...(Args) > 1) {
      return values;
    }
  }

 private:
  Launch launch_;
  std::shared_ptr<const void> kept_;
  std::shared_ptr<AsioResult<Args...>> result_;
};

}  // namespace detail

}  // namespace troupe::actors

template <class... Args>
class asio::async_result<troupe::actors::UseTroupe, void(Args...)> {
 public:
  template <class Initiation, class... InitArgs>
  static auto initiate(Initiation&& initiation, const troupe::actors::UseTroupe& token,
                       InitArgs&&... init_args) {
    auto launch = [initiation = std::decay_t<Initiation>(std::forward<Initiation>(initiation)),
                   arguments = std::make_tuple(std::forward<InitArgs>(init_args)...)](
                      troupe::actors::detail::AsioHandler<Args...> handler) mutable {
      std::apply(
          [&](auto&... argument) {
            std::move(initiation)(std::move(handler), std::move(argument)...);
          },
          arguments);
    };
    return troupe::actors::detail::AsioOperation<decltype(launch), Args...>{std::move(launch),
                                                                            token.kept()};
  }
};
