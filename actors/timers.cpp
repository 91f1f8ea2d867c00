#include "actors/timers.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

constexpr std::uint32_t heap_children = 4;

constexpr Timers::Id make_id(std::uint32_t slot, std::uint32_t generation) {
  return (static_cast<Timers::Id>(generation) << 32U) | slot;
}

}  // namespace

Timers::Id Timers::add(base::TimePoint due, Action action) {
  std::shared_ptr<const Waker> waker;
  Id id = 0;
  {
    base::MutexLock lock(mutex_);
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(timers_.size());
      timers_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    timers_[slot].action = std::move(action);
    id = make_id(slot, timers_[slot].generation);
    heap_.push_back({due, ++added_, slot});
    move_up(static_cast<std::uint32_t>(heap_.size() - 1));
    if (due < told_) {
      told_ = due;
      waker = waker_;
    }
  }
  if (waker) {
    (*waker)(due);
  }
  return id;
}

bool Timers::cancel(Id id) {
  Action dropped;  // destroyed after the lock: what it captured may be anything
  base::MutexLock lock(mutex_);
  const auto slot = static_cast<std::uint32_t>(id);
  if (slot >= timers_.size() || timers_[slot].generation != id >> 32U) {
    return false;
  }
  dropped = remove(slot);
  return true;
}

std::size_t Timers::run_due(base::TimePoint now) {
  const std::size_t count_max = size();
  std::size_t count = 0;
  for (; count < count_max; ++count) {
    Action action;
    {
      base::MutexLock lock(mutex_);
      if (heap_.empty() || heap_.front().due > now) {
        break;
      }
      action = remove(heap_.front().slot);
    }
    action();
  }
  return count;
}

base::TimePoint Timers::next_due() const {
  base::MutexLock lock(mutex_);
  told_ = earliest();
  return told_;
}

void Timers::set_waker(Waker waker) {
  auto shared = waker ? std::make_shared<const Waker>(std::move(waker)) : nullptr;
  base::MutexLock lock(mutex_);
  waker_.swap(shared);
}

std::size_t Timers::size() const {
  base::MutexLock lock(mutex_);
  return heap_.size();
}

void Timers::put(std::uint32_t place, const Entry& entry) {
  heap_[place] = entry;
  timers_[entry.slot].place = place;
}

void Timers::move_up(std::uint32_t place) {
  const Entry entry = heap_[place];
  while (place > 0) {
    const std::uint32_t parent = (place - 1) / heap_children;
    if (!entry.is_before(heap_[parent])) {
      break;
    }
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void Timers::move_down(std::uint32_t place) {
  const Entry entry = heap_[place];
  for (;;) {
    const std::size_t first = static_cast<std::size_t>(place) * heap_children + 1;
    if (first >= heap_.size()) {
      break;
    }
    const std::size_t last = std::min(first + heap_children, heap_.size());
    auto child = static_cast<std::uint32_t>(first);
    for (auto other = child + 1; other < last; ++other) {
      if (heap_[other].is_before(heap_[child])) {
        child = other;
      }
    }
    if (!heap_[child].is_before(entry)) {
      break;
    }
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

Timers::Action Timers::remove(std::uint32_t slot) {
  Timer& timer = timers_[slot];
  const std::uint32_t place = timer.place;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (last.slot != slot) {
    put(place, last);
    move_up(place);
    move_down(timers_[last.slot].place);
  }
  if (++timer.generation == 0) {
    timer.generation = 1;
  }
  free_.push_back(slot);
  return std::exchange(timer.action, nullptr);
}

base::TimePoint Timers::earliest() const {
  return heap_.empty() ? base::time_never : heap_.front().due;
}

}  // namespace troupe::actors
