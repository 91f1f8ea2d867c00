#include "actors/testing/explorer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "actors/testing/fiber.hpp"

namespace troupe::testing {

namespace {

/// Reading the same value at the same place so often in a row is spinning.
constexpr std::uint32_t equal_loads_max = 3;

/// Ends a fiber whose schedule is over.
struct Ended {};
/// What Explorer::expect() throws.
struct Mismatch {
  std::string text;
};

using Clock = std::array<std::uint32_t, Explorer::threads_max>;
using ThreadSet = std::uint32_t;

constexpr ThreadSet only(std::size_t thread) {
  return ThreadSet{1} << thread;
}
std::size_t first_of(ThreadSet threads) {
  return static_cast<std::size_t>(std::countr_zero(threads));
}

struct Memory {
  const std::byte* begin = nullptr;
  std::size_t bytes = 1;

  Memory(const void* address, std::size_t bytes_of)
      : begin(static_cast<const std::byte*>(address)), bytes(bytes_of) {}
  [[nodiscard]] bool overlaps(const Memory& other) const {
    return begin < other.begin + other.bytes && other.begin < begin + bytes;
  }
};

/// What a thread does next, or did.
struct Operation {
  /// More than one for await_change(): what it has read.
  std::vector<Memory> places;
  bool is_write = false;
  const char* name = "";

  [[nodiscard]] bool depends_on(const Operation& other) const {
    return (is_write || other.is_write) &&
           std::any_of(places.begin(), places.end(), [&](const Memory& mine) {
             return std::any_of(other.places.begin(), other.places.end(),
                                [&](const Memory& its) { return mine.overlaps(its); });
           });
  }
};

}  // namespace

void Explorer::Case::thread(std::string name, std::function<void()> body) {
  names_.push_back(std::move(name));
  bodies_.push_back(std::move(body));
}

void Explorer::Case::at_end(std::function<void()> check) {
  checks_.push_back(std::move(check));
}

/// A decision: who makes the next step. Kept from schedule to schedule as long as it is a prefix.
struct Explorer::Step {
  std::size_t chosen = 0;
  ThreadSet enabled = 0;
  ThreadSet backtrack = 0;  ///< to be tried here
  ThreadSet done = 0;       ///< tried
  ThreadSet sleep = 0;      ///< need not be tried: it would repeat another schedule
  std::uint32_t preemptions = 0;
  // Of the running schedule.
  Operation operation;
  Clock clock{};
};

/// Where one thread of the running schedule stands.
struct Explorer::Thread {
  Operation next;
  const std::function<bool()>* is_enabled = nullptr;
  bool awaits_change = false;
  /// The last step that happened before this thread's next one, by thread.
  Clock clock{};
  /// What it read since its last attempt, with the number of the first step.
  std::map<const void*, std::uint32_t> reads;
  /// Its last step, if that was a load, and how many in a row brought nothing new.
  const void* loaded = nullptr;
  std::uint32_t loaded_at = 0;
  std::uint32_t equal_loads = 0;
};

/// The schedule that is being run.
struct Explorer::Run {
  Explorer* explorer = nullptr;
  std::vector<Thread> threads;
  std::optional<std::size_t> current;
  std::uint32_t step = 0;
  bool is_over = false;
  std::string failure;
  /// The last write to an address, by thread.
  std::map<const void*, Clock> writes;
  std::vector<Memory> freed;

  void fail(std::string text) {
    if (failure.empty()) {
      failure = std::move(text);
    }
  }
  [[nodiscard]] bool is_freed(const void* address) const {
    return std::any_of(freed.begin(), freed.end(), [&](const Memory& memory) {
      return memory.overlaps({address, 1});
    });
  }
  [[nodiscard]] bool is_finished(std::size_t thread) const {
    return explorer->fibers_[thread]->is_finished();
  }
  void run_body(const std::function<void()>& body);
  void resume(std::size_t thread);
  void to_main();
  [[nodiscard]] bool changed_since_read(std::size_t thread, const void* address,
                                        std::uint32_t read_at) const;
  [[nodiscard]] bool is_enabled(std::size_t thread);
  [[nodiscard]] ThreadSet enabled();
  void find_races(std::size_t thread);
  void execute(Step& taken);
  std::optional<ThreadSet> decide(std::size_t depth, ThreadSet enabled_now, ThreadSet sleep);
  void drive();
};

namespace {

thread_local void* active_run = nullptr;

}  // namespace

Explorer::Explorer(ExplorerOptions options) : options_(options) {}
Explorer::~Explorer() = default;

// Within the threads.

void Explorer::Run::resume(std::size_t thread) {
  current = thread;
  explorer->fibers_[thread]->resume();
  current.reset();
}

void Explorer::Run::to_main() {
  explorer->fibers_[*current]->pause();
}

void Explorer::Run::run_body(const std::function<void()>& body) {
  try {
    body();
  } catch (const Ended&) {
  } catch (const Mismatch& mismatch) {
    fail(mismatch.text);
  } catch (const std::exception& exception) {
    fail(std::string{"a thread threw: "} + exception.what());
  }
}

void Explorer::before(const void* address, bool is_write, const char* name,
                      const std::function<bool()>* is_enabled) {
  auto* run = static_cast<Run*>(active_run);
  if (run == nullptr || !run->current || std::uncaught_exceptions() > 0) {
    return;
  }
  Thread& self = run->threads[*run->current];
  self.next = {{{address, 1}}, is_write, name};
  self.is_enabled = is_enabled;
  run->to_main();
  self.is_enabled = nullptr;
  if (run->is_over) {
    throw Ended{};
  }
  if (run->is_freed(address)) {
    throw Mismatch{std::string{name} + " of freed memory"};
  }
}

void Explorer::await_change() {
  auto* run = static_cast<Run*>(active_run);
  Thread& self = run->threads[*run->current];
  self.next = {{}, false, "await change"};
  for (const auto& [address, step] : self.reads) {
    self.next.places.emplace_back(address, 1);
  }
  self.awaits_change = true;
  run->to_main();
  self.awaits_change = false;
  self.reads.clear();
  if (run->is_over) {
    throw Ended{};
  }
}

void Explorer::expect(bool holds, std::string_view otherwise) {
  if (!holds) {
    throw Mismatch{std::string{otherwise}};
  }
}

void Explorer::free_memory(const void* memory, std::size_t bytes) {
  auto* run = static_cast<Run*>(active_run);
  if (run == nullptr || !run->current || std::uncaught_exceptions() > 0) {
    return;
  }
  Thread& self = run->threads[*run->current];
  self.next = {{{memory, bytes}}, true, "free"};
  run->to_main();
  if (run->is_over) {
    throw Ended{};
  }
  expect(!run->is_freed(memory), "memory is freed twice");
  run->freed.emplace_back(memory, bytes);
}

// One schedule.

bool Explorer::Run::changed_since_read(std::size_t thread, const void* address,
                                       std::uint32_t read_at) const {
  const auto written = writes.find(address);
  if (written == writes.end()) {
    return false;
  }
  for (std::size_t other = 0; other < threads.size(); ++other) {
    if (other != thread && written->second[other] > read_at) {
      return true;
    }
  }
  return false;
}

bool Explorer::Run::is_enabled(std::size_t thread) {
  if (is_finished(thread)) {
    return false;
  }
  const Thread& state = threads[thread];
  if (state.is_enabled != nullptr) {
    return (*state.is_enabled)();
  }
  if (state.awaits_change) {
    return std::any_of(state.reads.begin(), state.reads.end(), [&](const auto& read) {
      return changed_since_read(thread, read.first, read.second);
    });
  }
  const bool spins = state.equal_loads >= equal_loads_max && !state.next.is_write &&
                     state.next.places.front().begin == state.loaded;
  return !spins || changed_since_read(thread, state.loaded, state.loaded_at);
}

ThreadSet Explorer::Run::enabled() {
  ThreadSet threads_enabled = 0;
  for (std::size_t thread = 0; thread < threads.size(); ++thread) {
    threads_enabled |= is_enabled(thread) ? only(thread) : 0;
  }
  return threads_enabled;
}

/// Where the thread's next operation races with an earlier step, the other order is tried, too.
void Explorer::Run::find_races(std::size_t thread) {
  Thread& self = threads[thread];
  auto& steps = explorer->steps_;
  for (std::uint32_t at = step; at > 0; --at) {
    Step& earlier = steps[at - 1];
    if (earlier.chosen == thread || !self.next.depends_on(earlier.operation)) {
      continue;
    }
    if (at <= self.clock[earlier.chosen]) {
      continue;  // ordered anyway
    }
    ThreadSet candidates = earlier.enabled & only(thread);
    for (std::uint32_t later = at + 1; later <= step; ++later) {
      const std::size_t other = steps[later - 1].chosen;
      if (later <= self.clock[other]) {
        candidates |= earlier.enabled & only(other);
      }
    }
    if (candidates == 0) {
      earlier.backtrack |= earlier.enabled;
    } else if ((candidates & earlier.backtrack) == 0) {
      earlier.backtrack |=
          (candidates & only(thread)) != 0 ? only(thread) : only(first_of(candidates));
    }
    return;
  }
}

/// Does the chosen thread's operation, and all that it does up to its next one.
void Explorer::Run::execute(Step& taken) {
  Thread& self = threads[taken.chosen];
  taken.operation = self.next;
  ++step;
  Clock clock = self.clock;
  for (std::uint32_t at = 1; at < step; ++at) {
    const Step& earlier = explorer->steps_[at - 1];
    if (taken.operation.depends_on(earlier.operation)) {
      for (std::size_t i = 0; i < threads.size(); ++i) {
        clock[i] = std::max(clock[i], earlier.clock[i]);
      }
    }
  }
  clock[taken.chosen] = step;
  taken.clock = clock;
  self.clock = clock;
  if (!self.awaits_change) {
    const void* address = taken.operation.places.front().begin;
    const bool is_equal_load = !taken.operation.is_write && address == self.loaded &&
                               !changed_since_read(taken.chosen, address, self.loaded_at);
    self.equal_loads = is_equal_load ? self.equal_loads + 1 : 0;
    self.loaded = taken.operation.is_write ? nullptr : address;
    self.loaded_at = step;
    self.reads.try_emplace(address, step);
    if (taken.operation.is_write) {
      writes[address][taken.chosen] = step;
    }
  }
  resume(taken.chosen);
}

/// The step at this depth: as in the schedule before, or a new one. Nothing: this schedule would
/// repeat another one.
std::optional<ThreadSet> Explorer::Run::decide(std::size_t depth, ThreadSet enabled_now,
                                               ThreadSet sleep) {
  auto& steps = explorer->steps_;
  const bool is_bounded = explorer->options_.preemptions_max != ExplorerOptions::unlimited;
  if (depth == steps.size()) {
    const ThreadSet awake = enabled_now & ~sleep;
    if (awake == 0) {
      return std::nullopt;
    }
    Step next;
    const Step* last = depth > 0 ? &steps[depth - 1] : nullptr;
    const bool can_go_on = last != nullptr && (awake & only(last->chosen)) != 0;
    next.chosen = can_go_on ? last->chosen : first_of(awake);
    next.enabled = enabled_now;
    next.sleep = sleep;
    next.backtrack = only(next.chosen);
    if (is_bounded) {
      next.preemptions = last == nullptr ? 0 : last->preemptions;
      if (!can_go_on || next.preemptions < explorer->options_.preemptions_max) {
        next.backtrack = awake;
      }
    }
    steps.push_back(std::move(next));
  }
  Step& taken = steps[depth];
  if (is_bounded && depth > 0) {
    const Step& last = steps[depth - 1];
    const bool preempts = taken.chosen != last.chosen && (enabled_now & only(last.chosen)) != 0;
    taken.preemptions = last.preemptions + (preempts ? 1 : 0);
  }
  ThreadSet asleep = 0;
  for (std::size_t thread = 0; thread < threads.size() && !is_bounded; ++thread) {
    if (((taken.sleep | taken.done) & only(thread)) != 0 && thread != taken.chosen &&
        !threads[thread].next.depends_on(threads[taken.chosen].next)) {
      asleep |= only(thread);
    }
  }
  return asleep;
}

void Explorer::Run::drive() {
  ThreadSet sleep = 0;
  const bool is_bounded = explorer->options_.preemptions_max != ExplorerOptions::unlimited;
  for (std::size_t depth = 0; failure.empty(); ++depth) {
    bool all_finished = true;
    for (std::size_t thread = 0; thread < threads.size(); ++thread) {
      all_finished = all_finished && is_finished(thread);
      if (!is_bounded && !is_finished(thread)) {
        find_races(thread);
      }
    }
    if (all_finished) {
      return;
    }
    const ThreadSet enabled_now = enabled();
    if (enabled_now == 0) {
      fail("all threads that have not ended wait for ever");
      return;
    }
    if (depth == explorer->options_.steps_max) {
      fail("too many steps: threads keep each other busy");
      return;
    }
    const std::optional<ThreadSet> asleep = decide(depth, enabled_now, sleep);
    if (!asleep) {
      break;
    }
    Step& taken = explorer->steps_[depth];
    if ((enabled_now & only(taken.chosen)) == 0) {
      fail("the case is not the same each time");
      return;
    }
    execute(taken);
    sleep = *asleep;
  }
  is_over = true;
}

void Explorer::run_schedule(const Setup& setup, Result& result) {
  Run run;
  run.explorer = this;
  Case made;
  setup(made);
  run.threads.resize(made.bodies_.size());
  while (fibers_.size() < run.threads.size()) {
    fibers_.push_back(std::make_unique<Fiber>());
  }
  active_run = &run;
  for (std::size_t thread = 0; thread < run.threads.size(); ++thread) {
    fibers_[thread]->start([&run, body = made.bodies_[thread]] { run.run_body(body); });
    run.resume(thread);
  }
  run.drive();
  const bool was_cut_short = run.is_over || !run.failure.empty();
  run.is_over = true;
  for (std::size_t thread = 0; thread < run.threads.size(); ++thread) {
    while (!run.is_finished(thread)) {
      run.resume(thread);
    }
  }
  if (!was_cut_short) {
    try {
      for (const auto& check : made.checks_) {
        check();
      }
    } catch (const Mismatch& mismatch) {
      run.fail(mismatch.text);
    }
  }
  active_run = nullptr;
  result.failure = run.failure;
  if (!run.failure.empty()) {
    std::map<const void*, std::size_t> numbers;
    for (std::size_t at = 0; at < run.step; ++at) {
      const Step& taken = steps_[at];
      result.trace += made.names_[taken.chosen] + ": " + taken.operation.name;
      for (const Memory& place : taken.operation.places) {
        result.trace +=
            " #" +
            std::to_string(numbers.try_emplace(place.begin, numbers.size() + 1).first->second);
      }
      result.trace += '\n';
    }
  }
}

/// Goes back to the last decision that has another choice; false if none is left.
bool Explorer::next_schedule() {
  while (!steps_.empty()) {
    Step& last = steps_.back();
    last.done |= only(last.chosen);
    const ThreadSet left = last.backtrack & last.enabled & ~last.done & ~last.sleep;
    if (left != 0) {
      last.chosen = first_of(left);
      return true;
    }
    steps_.pop_back();
  }
  return false;
}

Explorer::Result Explorer::explore(const Setup& setup) {
  Result result;
  steps_.clear();
  do {
    ++result.schedules;
    run_schedule(setup, result);
    if (!result.failure.empty()) {
      return result;
    }
  } while (next_schedule() && result.schedules < options_.schedules_max);
  result.is_complete = steps_.empty();
  return result;
}

}  // namespace troupe::testing
