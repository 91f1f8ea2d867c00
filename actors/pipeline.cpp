#include "actors/pipeline.hpp"

#include <exception>

namespace troupe::actors {

namespace detail {

void PipelineState::fail(std::string error) {
  std::vector<std::function<void()>> closers;
  {
    base::MutexLock lock{mutex_};
    if (is_failed_.exchange(true, std::memory_order_acq_rel)) {
      return;
    }
    error_ = std::move(error);
    closers.swap(closers_);
  }
  for (const auto& close : closers) {
    close();
  }
}

void PipelineState::fail_by_exception(const std::string& who) {
  try {
    throw;
  } catch (const std::exception& exception) {
    fail(who + ": " + exception.what());
  } catch (...) {
    fail(who + ": it threw something");
  }
}

void PipelineState::on_failure(std::function<void()> close) {
  base::MutexLock lock{mutex_};
  closers_.push_back(std::move(close));
}

std::string PipelineState::error() const {
  base::MutexLock lock{mutex_};
  return error_;
}

base::Result<void> PipelinePlan::start() {
  for (auto starter = starters.rbegin(); starter != starters.rend(); ++starter) {
    auto started = (*starter)();
    if (!started.ok()) {
      return started;
    }
  }
  return {};
}

PipelinePlan plan_in(ActorSystem& system) {
  PipelinePlan plan;
  plan.system = &system;
  return plan;
}

PipelinePlan plan_in(Actor& parent) {
  ActorCell& cell = cell_of(parent);
  PipelinePlan plan = plan_in(cell.system());
  plan.parent = &cell;
  return plan;
}

}  // namespace detail

PipelineEnd PipelineRun::wait() const {
  std::optional<PipelineEnd> end = end_.receive_blocking();
  return end ? std::move(*end) : PipelineEnd{0, "its end was taken already"};
}

}  // namespace troupe::actors
