#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace troupe::testing {

/// A function with a stack of its own: runs within resume(), until it pauses or returns.
///
/// Not thread-safe; one thread makes, resumes and destroys it. What is on the stack of a function
/// that never returned is not destroyed. The function may not throw.
class Fiber {
 public:
  static constexpr std::size_t stack_bytes = std::size_t{256} << 10U;

  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// What the next resume() begins. May be repeated once it has finished: the stack is used again.
  void start(std::function<void()> function);
  void resume();
  /// Within the function: returns with the next resume().
  void pause();
  [[nodiscard]] bool is_finished() const { return is_finished_; }

 private:
  static void run();

  ucontext_t context_{};
  ucontext_t resumer_{};
  /// As AddressSanitizer wants to know it.
  [[maybe_unused]] const void* resumer_stack_ = nullptr;
  [[maybe_unused]] std::size_t resumer_stack_bytes_ = 0;
  std::vector<std::byte> stack_ = std::vector<std::byte>(stack_bytes);
  std::function<void()> function_;
  bool is_finished_ = true;
};

}  // namespace troupe::testing
