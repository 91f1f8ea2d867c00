#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::testing {

class Fiber;

struct ExplorerOptions {
  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();
  /// How often a schedule may take the processor from a thread that could go on (Musuvathi and
  /// Qadeer, PLDI 2007). Unlimited: all schedules that differ, by partial-order reduction.
  std::uint32_t preemptions_max = unlimited;
  /// Then the exploration ends, incomplete.
  std::uint64_t schedules_max = 5'000'000;
  /// Steps of one schedule: more is a failure, threads that keep each other busy.
  std::uint32_t steps_max = 5'000;
};

/// Drives a small case of a lock-free part through every interleaving of its atomic operations,
/// under sequential consistency. Its threads are fibers that hand over before each operation of a
/// ModelAtomic; of schedules that only swap independent operations one is run (dynamic
/// partial-order reduction with sleep sets: Flanagan and Godefroid, POPL 2005; Godefroid 1996).
///
/// Finds wrong results, threads that wait for ever, and operations on what was freed. It does not
/// see weaker memory orders, nor races on plain data: the stress tests under ThreadSanitizer do.
/// Not thread-safe; at most threads_max fibers.
class Explorer {
 public:
  static constexpr std::size_t threads_max = 8;

  /// One run of the case: what its threads do, and what must hold when all have ended.
  class Case {
   public:
    void thread(std::string name, std::function<void()> body);
    void at_end(std::function<void()> check);

   private:
    friend class Explorer;
    std::vector<std::string> names_;
    std::vector<std::function<void()>> bodies_;
    std::vector<std::function<void()>> checks_;
  };
  /// Makes a fresh case, the same each time; what its threads share lives in their functions.
  using Setup = std::function<void(Case&)>;

  struct Result {
    std::uint64_t schedules = 0;
    /// All schedules were run, or those within preemptions_max.
    bool is_complete = false;
    /// Empty if all went well; else what went wrong.
    std::string failure;
    /// The steps that led there, one a line: "producer: exchange #3".
    std::string trace;
  };

  explicit Explorer(ExplorerOptions options = {});
  ~Explorer();
  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;

  /// Runs the case until a schedule fails or all are done.
  [[nodiscard]] Result explore(const Setup& setup);

  // For the threads of the case.

  /// Fails the schedule unless it holds.
  static void expect(bool holds, std::string_view otherwise);
  /// Ends an attempt that found nothing to do: goes on when another thread has written something
  /// that this one read since its last attempt. Stands for spinning.
  static void await_change();
  /// Operations on this memory are failures from now on.
  static void free_memory(const void* memory, std::size_t bytes);

  // For ModelAtomic.

  /// Hands over, and returns when the operation is to be done. Nothing outside of a case's threads.
  static void before(const void* address, bool is_write, const char* name,
                     const std::function<bool()>* is_enabled = nullptr);

 private:
  struct Run;
  struct Thread;
  struct Step;

  void run_schedule(const Setup& setup, Result& result);
  bool next_schedule();

  ExplorerOptions options_;
  /// Of the threads; kept from schedule to schedule.
  std::vector<std::unique_ptr<Fiber>> fibers_;
  /// The decisions of the running schedule, and what is still to be tried at each.
  std::vector<Step> steps_;
};

/// An atomic whose operations are the explorer's steps. Orders are taken for sequentially
/// consistent.
template <class T>
class ModelAtomic {
 public:
  ModelAtomic() = default;
  ModelAtomic(T value) : value_(value) {}
  ModelAtomic(const ModelAtomic&) = delete;
  ModelAtomic& operator=(const ModelAtomic&) = delete;

  T load(std::memory_order = std::memory_order_seq_cst) const {
    Explorer::before(this, false, "load");
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    Explorer::before(this, true, "store");
    value_ = value;
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    Explorer::before(this, true, "exchange");
    return std::exchange(value_, value);
  }
  T fetch_add(T value, std::memory_order = std::memory_order_seq_cst) {
    Explorer::before(this, true, "fetch_add");
    return std::exchange(value_, static_cast<T>(value_ + value));
  }
  T fetch_sub(T value, std::memory_order = std::memory_order_seq_cst) {
    Explorer::before(this, true, "fetch_sub");
    return std::exchange(value_, static_cast<T>(value_ - value));
  }
  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
    Explorer::before(this, true, "compare_exchange");
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    value_ = desired;
    return true;
  }
  /// Does not fail without a reason.
  bool compare_exchange_weak(T& expected, T desired,
                             std::memory_order success = std::memory_order_seq_cst,
                             std::memory_order failure = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, desired, success, failure);
  }

  /// For a case: waits until the value is as wished, and returns it.
  template <class Predicate>
  T wait_until(Predicate is_as_wished) const {
    const std::function<bool()> is_enabled = [&] { return is_as_wished(value_); };
    Explorer::before(this, false, "wait", &is_enabled);
    return value_;
  }

 private:
  T value_{};
};

/// The policy that gives a lock-free part its model.
struct ModelAtomics {
  template <class T>
  using Atomic = ModelAtomic<T>;

  // Here every operation is a fence.
  static void light_fence() {}
  static void heavy_fence() {}
  static bool has_heavy_fence() { return true; }
};

/// A planted bug that a model must find: exchanges and compare-and-swaps in two steps.
template <class T>
class TornAtomic : public ModelAtomic<T> {
 public:
  using ModelAtomic<T>::ModelAtomic;

  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    const T before = this->load();
    this->store(value);
    return before;
  }
  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
    const T found = this->load();
    if (found != expected) {
      expected = found;
      return false;
    }
    this->store(desired);
    return true;
  }
  bool compare_exchange_weak(T& expected, T desired,
                             std::memory_order success = std::memory_order_seq_cst,
                             std::memory_order failure = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, desired, success, failure);
  }
};
struct TornAtomics {
  template <class T>
  using Atomic = TornAtomic<T>;

  static void light_fence() {}
  static void heavy_fence() {}
  static bool has_heavy_fence() { return true; }
};

}  // namespace troupe::testing
