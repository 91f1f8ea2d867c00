#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/channel.hpp"
#include "base/errors.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// One stage of a pipeline.
struct StageOptions {
  std::string name = "stage";
  /// Actors that do the stage's work, each with its own copy of the function.
  std::uint32_t workers = 1;
  /// With several workers: results leave in the order in which their values came, and a slow one
  /// holds up those behind it. Without, whatever is ready leaves.
  bool keeps_order = true;
  /// Results that wait for the next stage; 0: each waits in its worker until the next stage takes
  /// it. Nothing to a sink.
  std::uint32_t buffer = 16;
  Scheduler* scheduler = nullptr;  ///< the system's if null
};

/// How a pipeline ended.
struct PipelineEnd {
  std::uint64_t count = 0;  ///< values that the sink handled
  std::string error;        ///< what a stage threw, first of all; empty if the source was drained

  [[nodiscard]] bool ok() const { return error.empty(); }
};

namespace detail {

/// Shared among a pipeline's stages and its PipelineRun. Thread-safe.
class PipelineState {
 public:
  /// Only the first failure counts; it closes all channels, which ends all stages.
  void fail(std::string error);
  /// The same by the exception that is being handled, which `who` threw.
  void fail_by_exception(const std::string& who);
  void on_failure(std::function<void()> close);
  [[nodiscard]] bool is_failed() const { return is_failed_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string error() const;

 private:
  std::atomic<bool> is_failed_{false};
  mutable base::Mutex mutex_;
  std::string error_ TROUPE_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> closers_ TROUPE_GUARDED_BY(mutex_);
};

struct RunStage {
  TROUPE_MESSAGE(RunStage)
};

template <class T>
struct OptionalTrait {
  using Value = T;
};
template <class T>
struct OptionalTrait<std::optional<T>> {
  using Value = T;
};
template <class T>
struct TaskTrait {
  using Value = T;
};
template <class T>
struct TaskTrait<Task<T>> {
  using Value = T;
};
/// What a stage's function gives, without Task and optional.
template <class F, class... In>
using StageValue =
    typename OptionalTrait<typename TaskTrait<std::invoke_result_t<F&, In...>>::Value>::Value;

/// Calls a stage's function, which may be a coroutine.
template <class F, class... In>
Task<typename TaskTrait<std::invoke_result_t<F&, In...>>::Value> call_stage(F& function, In... in) {
  using Returned = std::invoke_result_t<F&, In...>;
  if constexpr (IsTask<Returned>::value) {
    Returned task = function(std::move(in)...);
    if constexpr (std::is_void_v<typename Returned::Value>) {
      co_await std::move(task);
    } else {
      auto value = co_await std::move(task);
      co_return value;
    }
  } else if constexpr (std::is_void_v<Returned>) {
    function(std::move(in)...);
    co_return;
  } else {
    co_return function(std::move(in)...);
  }
}

/// What the workers of one stage share.
template <class In, class Out, class F>
struct Stage {
  Stage(F stage_function, StageOptions stage_options, Channel<In> from, Channel<Out> to,
        std::shared_ptr<PipelineState> pipeline)
      : function(std::move(stage_function)),
        options(std::move(stage_options)),
        in(std::move(from)),
        out(std::move(to)),
        state(std::move(pipeline)),
        running(options.workers),
        is_ordered(options.workers > 1 && options.keeps_order) {
    if (is_ordered) {
      (void)next_number.try_send(0);
      for (std::uint32_t i = 0; i < options.workers; ++i) {
        turns.emplace_back(1);
      }
      (void)turns.front().try_send(true);
    }
  }

  F function;
  StageOptions options;
  Channel<In> in;
  Channel<Out> out;
  std::shared_ptr<PipelineState> state;
  std::atomic<std::uint32_t> running;
  const bool is_ordered;
  /// Of the next value; who has it may take that value.
  Channel<std::uint64_t> next_number{1};
  /// By number modulo workers, since at most so many consecutive values are in hand: whose result
  /// leaves next.
  std::vector<Channel<bool>> turns;
};

/// A worker's presence in its stage. Made before the worker's actor and gone with it at the latest,
/// so that the pipeline also ends if that actor is stopped, or never begins. Used by one thread at
/// a time; shared by the actor and its maker.
template <class AStage>
class StagePresence {
 public:
  explicit StagePresence(std::shared_ptr<AStage> stage) : stage_(std::move(stage)) {}
  StagePresence(const StagePresence&) = delete;
  StagePresence& operator=(const StagePresence&) = delete;
  ~StagePresence() {
    if (!is_over_) {
      stage_->state->fail(stage_->options.name + ": it was stopped");
      end();
    }
  }

  /// There is nothing left to do, or the pipeline has failed.
  void end() {
    is_over_ = true;
    if (stage_->running.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      stage_->out.close();
    }
  }
  [[nodiscard]] const std::shared_ptr<AStage>& stage() const { return stage_; }

 private:
  std::shared_ptr<AStage> stage_;
  bool is_over_ = false;
};

/// Does a stage's work until what is before it is closed and drained.
template <class In, class Out, class F>
class StageActor final : public Actor {
 public:
  using Protocol = actors::Protocol<RunStage>;
  using Presence = StagePresence<Stage<In, Out, F>>;
  explicit StageActor(std::shared_ptr<Presence> presence)
      : presence_(std::move(presence)), stage_(presence_->stage()) {}

  Task<> on(RunStage) {
    try {
      F function{stage_->function};
      bool goes_on = true;
      while (goes_on && !stage_->state->is_failed()) {
        Task<bool> step = stage_->is_ordered ? ordered_step(function) : plain_step(function);
        goes_on = co_await std::move(step);
      }
    } catch (...) {
      stage_->state->fail_by_exception(stage_->options.name);
    }
    presence_->end();
    stop();
  }

 private:
  Task<bool> plain_step(F& function) {
    auto receiving = stage_->in.receive();
    std::optional<In> value = co_await receiving;
    if (!value) {
      co_return false;
    }
    auto calling = call_stage(function, std::move(*value));
    std::optional<Out> result = co_await std::move(calling);
    Task<bool> sending = send(std::move(result));
    co_return co_await std::move(sending);
  }

  Task<bool> ordered_step(F& function) {
    auto numbering = stage_->next_number.receive();
    const std::optional<std::uint64_t> number = co_await numbering;
    if (!number) {
      co_return false;
    }
    auto receiving = stage_->in.receive();
    std::optional<In> value = co_await receiving;
    if (!value) {
      stage_->next_number.close();
      co_return false;
    }
    (void)stage_->next_number.try_send(*number + 1);
    auto calling = call_stage(function, std::move(*value));
    std::optional<Out> result = co_await std::move(calling);
    auto waiting = stage_->turns[*number % stage_->options.workers].receive();
    const std::optional<bool> turn = co_await waiting;
    if (!turn) {
      co_return false;
    }
    Task<bool> sending = send(std::move(result));
    const bool is_sent = co_await std::move(sending);
    (void)stage_->turns[(*number + 1) % stage_->options.workers].try_send(true);
    co_return is_sent;
  }

  Task<bool> send(std::optional<Out> result) {
    if (!result) {
      co_return true;
    }
    auto sending = stage_->out.send(std::move(*result));
    co_return co_await sending;
  }

  std::shared_ptr<Presence> presence_;
  std::shared_ptr<Stage<In, Out, F>> stage_;
};

/// Calls its function until that gives nothing.
template <class T, class F>
class SourceActor final : public Actor {
 public:
  using Protocol = actors::Protocol<RunStage>;
  using Presence = StagePresence<Stage<T, T, F>>;
  explicit SourceActor(std::shared_ptr<Presence> presence)
      : presence_(std::move(presence)), stage_(presence_->stage()) {}

  Task<> on(RunStage) {
    try {
      bool goes_on = true;
      while (goes_on && !stage_->state->is_failed()) {
        auto calling = call_stage(stage_->function);
        std::optional<T> value = co_await std::move(calling);
        if (!value) {
          break;
        }
        auto sending = stage_->out.send(std::move(*value));
        goes_on = co_await sending;
      }
    } catch (...) {
      stage_->state->fail_by_exception(stage_->options.name);
    }
    presence_->end();
    stop();
  }

 private:
  std::shared_ptr<Presence> presence_;
  std::shared_ptr<Stage<T, T, F>> stage_;
};

/// Tells how the pipeline ended. Made before the sink's actor and gone with it at the latest, so
/// that it also tells if that is stopped, or never begins. Used by one thread at a time; shared by
/// the actor and its maker.
class SinkEnd {
 public:
  SinkEnd(std::shared_ptr<PipelineState> pipeline, Channel<PipelineEnd> end)
      : state(std::move(pipeline)), end_(std::move(end)) {}
  SinkEnd(const SinkEnd&) = delete;
  SinkEnd& operator=(const SinkEnd&) = delete;
  ~SinkEnd() {
    if (!is_told_) {
      state->fail("the sink was stopped");
      tell();
    }
  }
  void tell() {
    is_told_ = true;
    (void)end_.try_send(PipelineEnd{count, state->error()});
  }

  const std::shared_ptr<PipelineState> state;
  std::uint64_t count = 0;

 private:
  Channel<PipelineEnd> end_;
  bool is_told_ = false;
};

template <class T, class F>
class SinkActor final : public Actor {
 public:
  using Protocol = actors::Protocol<RunStage>;
  SinkActor(std::shared_ptr<SinkEnd> end, std::shared_ptr<F> function, Channel<T> in)
      : end_(std::move(end)), function_(std::move(function)), in_(std::move(in)) {}

  Task<> on(RunStage) {
    PipelineState& state = *end_->state;
    try {
      while (!state.is_failed()) {
        auto receiving = in_.receive();
        std::optional<T> value = co_await receiving;
        if (!value) {
          break;
        }
        auto calling = call_stage(*function_, std::move(*value));
        co_await std::move(calling);
        ++end_->count;
      }
    } catch (...) {
      state.fail_by_exception("the sink");
    }
    end_->tell();
    stop();
  }

 private:
  std::shared_ptr<SinkEnd> end_;
  std::shared_ptr<F> function_;
  Channel<T> in_;
};

/// What a pipeline consists of while it is being described; runs nothing yet.
struct PipelinePlan {
  ActorSystem* system = nullptr;
  ActorCell* parent = nullptr;  ///< of all its actors; the root if null
  std::shared_ptr<PipelineState> state = std::make_shared<PipelineState>();
  /// One a worker, from the source on.
  std::vector<std::function<base::Result<void>()>> starters;

  /// `make_guard` gives the actor's first argument: what ends the pipeline if the actor ends before
  /// its work, from before the spawn on.
  template <class A, class MakeGuard, class... Args>
  void add(const StageOptions& options, MakeGuard make_guard, Args... args) {
    starters.push_back([this_system = system, this_parent = parent, this_state = state, options,
                        make_guard, args...]() -> base::Result<void> {
      // Outlives a failed spawn: that is the pipeline's error, not that its actor went away.
      const auto guard = make_guard();
      auto maker = make_maker<A>(guard, args...);
      SpawnOptions spawn{.name = options.name,
                         .restart = {.restart = Restart::temporary},
                         .scheduler = options.scheduler};
      const auto spawned =
          this_system->spawn_any(actor_type<A>(), std::move(maker), std::move(spawn), this_parent);
      if (!spawned.ok()) {
        this_state->fail("it could not be started: " + spawned.error().text());
        return spawned.error();
      }
      // Or it has ended, and its guard has told.
      (void)ActorRef<A>{spawned.value()}.tell(RunStage{});
      return {};
    });
  }
  template <class A, class AStage>
  void add_worker(const std::shared_ptr<AStage>& stage) {
    add<A>(stage->options, [stage] { return std::make_shared<StagePresence<AStage>>(stage); });
  }
  /// Starts the sink first. After an error all that had started ends.
  [[nodiscard]] base::Result<void> start();
};

}  // namespace detail

/// A pipeline that runs. A handle; thread-safe. Dropping it leaves the pipeline running.
class PipelineRun {
 public:
  PipelineRun(std::shared_ptr<detail::PipelineState> state, Channel<PipelineEnd> end)
      : state_(std::move(state)), end_(std::move(end)) {}

  /// `co_await run.end()`: std::optional<PipelineEnd>, to be taken once.
  [[nodiscard]] auto end() const { return end_.receive(); }
  /// The same for a plain thread, which it blocks; see Channel::receive_blocking().
  [[nodiscard]] PipelineEnd wait() const;
  /// Ends all stages at their next value; what is between them is dropped.
  void cancel() const { state_->fail("it was cancelled"); }

 private:
  std::shared_ptr<detail::PipelineState> state_;
  Channel<PipelineEnd> end_;
};

/// A pipeline as it is described: source, stages, sink. Each stage runs in actors of its own;
/// bounded channels join them, and each waits (co_await send) for room in the next, so that the
/// slowest sets the pace: back-pressure from end to end. Between two stages there are at most
/// `buffer` values, and each worker holds at most two.
///
/// Values are of any movable type. A stage's function takes one and gives its result, or an
/// std::optional to drop some, or a Task of either, which may co_await; the source takes nothing
/// and gives std::optional, empty at the end. What any throws ends the whole pipeline with that
/// error. Used by one thread, once; into() starts it.
template <class T>
class Pipeline {
 public:
  Pipeline(detail::PipelinePlan plan, Channel<T> out)
      : plan_(std::move(plan)), out_(std::move(out)) {}

  template <class F>
  [[nodiscard]] auto then(F function, StageOptions options = {}) && {
    using Out = detail::StageValue<F, T>;
    using AStage = detail::Stage<T, Out, F>;
    options.workers = std::max(options.workers, 1U);
    Channel<Out> next{options.buffer};
    const auto stage =
        std::make_shared<AStage>(std::move(function), options, out_, next, plan_.state);
    // Weak, since the stage holds the state. A stage that is gone has closed its channels.
    plan_.state->on_failure([failing = std::weak_ptr<AStage>{stage}] {
      if (const auto open = failing.lock()) {
        open->out.close();
        open->next_number.close();
        for (const auto& turn : open->turns) {
          turn.close();
        }
      }
    });
    for (std::uint32_t i = 0; i < options.workers; ++i) {
      plan_.add_worker<detail::StageActor<T, Out, F>>(stage);
    }
    return Pipeline<Out>{std::move(plan_), next};
  }

  /// Starts all. `function` takes a value and gives nothing, or a Task<>. Errors as of
  /// ActorSystem::spawn().
  template <class F>
  [[nodiscard]] base::Result<PipelineRun> into(F function,
                                               StageOptions options = {.name = "sink"}) && {
    const Channel<PipelineEnd> end{1};
    plan_.add<detail::SinkActor<T, F>>(
        options,
        [state = plan_.state, end] { return std::make_shared<detail::SinkEnd>(state, end); },
        std::make_shared<F>(std::move(function)), out_);
    const auto started = plan_.start();
    if (!started.ok()) {
      return started.error();
    }
    return PipelineRun{plan_.state, end};
  }

 private:
  detail::PipelinePlan plan_;
  Channel<T> out_;
};

namespace detail {

template <class F>
[[nodiscard]] auto pipeline_from(PipelinePlan plan, F source, StageOptions options) {
  using T = StageValue<F>;
  options.workers = 1;
  Channel<T> out{options.buffer};
  const auto stage =
      std::make_shared<Stage<T, T, F>>(std::move(source), options, out, out, plan.state);
  plan.state->on_failure([out] { out.close(); });
  plan.add_worker<SourceActor<T, F>>(stage);
  return Pipeline<T>{std::move(plan), out};
}
template <class T>
[[nodiscard]] Pipeline<T> pipeline_from(PipelinePlan plan, Channel<T> source) {
  plan.state->on_failure([source] { source.close(); });
  return {std::move(plan), std::move(source)};
}
/// Of the root's children, or of an actor's.
[[nodiscard]] PipelinePlan plan_in(ActorSystem& system);
[[nodiscard]] PipelinePlan plan_in(Actor& parent);

}  // namespace detail

/// Begins with a function that gives std::optional<T>, or a Task of it: empty is the end. `parent`:
/// an ActorSystem, or the actor (`*this`) with which the pipeline ends at the latest; it calls this
/// and into() in one of its turns.
template <class Parent, class F>
[[nodiscard]] auto pipeline_from(Parent& parent, F source,
                                 StageOptions options = {.name = "source"}) {
  return detail::pipeline_from(detail::plan_in(parent), std::move(source), std::move(options));
}
/// Begins with what comes through a channel, until that is closed.
template <class Parent, class T>
[[nodiscard]] Pipeline<T> pipeline_from(Parent& parent, Channel<T> source) {
  return detail::pipeline_from(detail::plan_in(parent), std::move(source));
}

}  // namespace troupe::actors
