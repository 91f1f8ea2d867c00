#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "actors/actor_ref.hpp"
#include "actors/ask.hpp"
#include "actors/task.hpp"

namespace troupe::actors {

namespace detail {

struct OneReady {
  OpenAsk& ask;
  [[nodiscard]] bool await_ready() const { return ask.is_ready(); }
  bool await_suspend(std::coroutine_handle<> waiting) { return ask.suspend(waiting); }
  void await_resume() { ask.end_wait(); }
};

/// Waits until one of several asks is ready; fails the first if none of them can be, because all
/// whom they ask wait for this actor.
template <class T>
struct AnyReady {
  std::vector<Ask<T>*>& asks;
  [[nodiscard]] bool await_ready() const {
    return std::any_of(asks.begin(), asks.end(), [](const auto* ask) { return ask->is_ready(); });
  }
  bool await_suspend(std::coroutine_handle<> waiting) {
    const bool can_be_answered =
        asks.size() > 1 && std::any_of(asks.begin(), asks.end(),
                                       [](const auto* ask) { return !ask->would_close_ring(); });
    if (!can_be_answered) {
      return asks.front()->suspend(waiting);
    }
    const Suspension suspension = Suspension::of_current_actor(waiting);
    for (Ask<T>* ask : asks) {
      ask->resume_when_ready(suspension);
    }
    return true;
  }
  void await_resume() const {}
};

template <class... Ts>
Task<std::tuple<AskResult<Ts>...>> gather_tuple(std::tuple<Ask<Ts>...> asks) {
  std::vector<OpenAsk*> open =
      std::apply([](auto&... ask) { return std::vector<OpenAsk*>{&ask...}; }, asks);
  for (OpenAsk* ask : open) {
    OneReady ready{*ask};
    co_await ready;
  }
  co_return std::apply([](auto&... ask) { return std::tuple<AskResult<Ts>...>{ask.take()...}; },
                       asks);
}

}  // namespace detail

/// Scatter and gather: `auto results = co_await gather(std::move(asks))` gives all results, in the
/// order of the asks, when the last one has ended. Together they take as long as the slowest.
/// Dropped while it waits, it cancels them. Holds as many replies as there are asks: ask_all()
/// bounds them.
template <class T>
[[nodiscard]] Task<std::vector<AskResult<T>>> gather(std::vector<Ask<T>> asks) {
  std::vector<AskResult<T>> results;
  results.reserve(asks.size());
  for (Ask<T>& ask : asks) {
    results.push_back(co_await ask);
  }
  co_return results;
}

/// The same for asks of different replies: `auto [price, stock] = co_await gather(…, …)`.
template <class... Ts>
[[nodiscard]] Task<std::tuple<AskResult<Ts>...>> gather(Ask<Ts>... asks) {
  return detail::gather_tuple(std::tuple<Ask<Ts>...>{std::move(asks)...});
}

/// The first answer of several asks.
template <class T>
struct FirstReply {
  std::size_t index = 0;  ///< of the ask
  AskResult<T> result;
};

/// Hedging: `auto first = co_await first_of(std::move(asks))` ends with the first value or refusal
/// and cancels the other asks. An ask that ends otherwise is passed over, unless it is the last.
/// There must be at least one.
template <class T>
[[nodiscard]] Task<FirstReply<T>> first_of(std::vector<Ask<T>> asks) {
  TROUPE_CHECK(!asks.empty(), "first_of() nothing would wait for ever");
  std::vector<Ask<T>*> open;
  for (Ask<T>& ask : asks) {
    open.push_back(&ask);
  }
  for (;;) {
    detail::AnyReady<T> any{open};
    co_await any;
    for (std::size_t i = 0; i < open.size();) {
      if (!open[i]->is_ready()) {
        ++i;
        continue;
      }
      const auto index = static_cast<std::size_t>(open[i] - asks.data());
      AskResult<T> result = open[i]->take();
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
      if (open.empty() || result.ok() || result.error().kind == AskError::Kind::refusal) {
        co_return FirstReply<T>{index, std::move(result)};
      }
    }
  }
}

struct AskAllOptions {
  base::Duration timeout = ask_timeout_default;
  /// How many asks are open together; more are sent as others end.
  std::size_t at_once_max = 256;
};

/// Asks many actors the same, a bounded number at a time; the results in the order of the actors.
template <class A, base::Message M>
[[nodiscard]] Task<std::vector<AskResult<ReplyOf<M>>>> ask_all(std::vector<ActorRef<A>> actors,
                                                               M message,
                                                               AskAllOptions options = {}) {
  std::vector<AskResult<ReplyOf<M>>> results;
  std::vector<Ask<ReplyOf<M>>> open;
  const std::size_t window = std::max<std::size_t>(options.at_once_max, 1);
  for (std::size_t begun = 0; results.size() < actors.size();) {
    for (; begun < actors.size() && begun - results.size() < window; ++begun) {
      Ask<ReplyOf<M>> next = actors[begun].ask(M{message}, options.timeout);
      if (open.size() < window) {
        open.push_back(std::move(next));
      } else {
        open[begun % window] = std::move(next);
      }
    }
    Ask<ReplyOf<M>>& oldest = open[results.size() % window];
    results.push_back(co_await oldest);
  }
  co_return results;
}

}  // namespace troupe::actors
