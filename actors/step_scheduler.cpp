#include "actors/step_scheduler.hpp"

#include <utility>

namespace troupe::actors {

void StepScheduler::schedule(Runnable& runnable) {
  base::MutexLock lock(mutex_);
  runnables_.push_back(&runnable);
}

bool StepScheduler::step() {
  Runnable* runnable = nullptr;
  {
    base::MutexLock lock(mutex_);
    if (runnables_.empty()) {
      return false;
    }
    std::swap(runnables_[random_.below(runnables_.size())], runnables_.back());
    runnable = runnables_.back();
    runnables_.pop_back();
  }
  const auto messages = static_cast<std::uint32_t>(1 + random_.below(turn_messages_max));
  if (runnable->run(Turn{messages}) == Runnable::After::again) {
    schedule(*runnable);
  }
  return true;
}

std::size_t StepScheduler::run_until_idle(std::size_t steps_max) {
  std::size_t steps = 0;
  while (steps < steps_max && step()) {
    ++steps;
  }
  return steps;
}

std::size_t StepScheduler::runnables() const {
  base::MutexLock lock(mutex_);
  return runnables_.size();
}

}  // namespace troupe::actors
