#include "actors/testing/fiber.hpp"

#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace troupe::testing {

namespace {

thread_local Fiber* begun = nullptr;

}  // namespace

void Fiber::start(std::function<void()> function) {
  function_ = std::move(function);
  is_finished_ = false;
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_.data();
  context_.uc_stack.ss_size = stack_.size();
  context_.uc_link = nullptr;
  makecontext(&context_, &Fiber::run, 0);
}

void Fiber::run() {
  Fiber& self = *begun;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &self.resumer_stack_, &self.resumer_stack_bytes_);
#endif
  self.function_();
  self.function_ = nullptr;
  self.is_finished_ = true;
  self.pause();
}

void Fiber::resume() {
  begun = this;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, stack_.data(), stack_.size());
  swapcontext(&resumer_, &context_);
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
  swapcontext(&resumer_, &context_);
#endif
}

void Fiber::pause() {
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(is_finished_ ? nullptr : &fake, resumer_stack_,
                                 resumer_stack_bytes_);
  swapcontext(&context_, &resumer_);
  __sanitizer_finish_switch_fiber(fake, &resumer_stack_, &resumer_stack_bytes_);
#else
  swapcontext(&context_, &resumer_);
#endif
}

}  // namespace troupe::testing
