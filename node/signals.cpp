#include "node/signals.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/check.hpp"

namespace troupe::node {

namespace {

// All that the handler touches: lock-free, and write() and _exit() are async-signal-safe.
std::atomic<int> event_of_handler{-1};
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

void ring(int event) {
  const std::uint64_t one = 1;
  // The counter cannot overflow by so few, so there is nothing to do about a failure.
  [[maybe_unused]] const ssize_t written = ::write(event, &one, sizeof one);
}

void on_signal(int number) {
  const int error_before = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) {
    ::_exit(128 + number);
  }
  ring(event_of_handler.load());
  errno = error_before;
}

}  // namespace

struct SignalWait::Previous {
  struct sigaction terminate {};
  struct sigaction interrupt {};
};

SignalWait::SignalWait()
    : event_(::eventfd(0, EFD_CLOEXEC)), previous_(std::make_unique<Previous>()) {
  TROUPE_CHECK(event_ >= 0, "no file descriptor for signals");
  int nobody = -1;
  TROUPE_CHECK(event_of_handler.compare_exchange_strong(nobody, event_),
               "two at a time wait for signals");
  first_signal = 0;
  struct sigaction action {};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, &previous_->terminate);
  ::sigaction(SIGINT, &action, &previous_->interrupt);
}

SignalWait::~SignalWait() {
  ::sigaction(SIGTERM, &previous_->terminate, nullptr);
  ::sigaction(SIGINT, &previous_->interrupt, nullptr);
  event_of_handler = -1;
  ::close(event_);
}

int SignalWait::wait() {
  pollfd waiting{.fd = event_, .events = POLLIN, .revents = 0};
  // The event is never read, so that a wake-up sticks.
  while (::poll(&waiting, 1, -1) < 0) {
    TROUPE_CHECK(errno == EINTR, "waiting for signals failed");
  }
  return first_signal;
}

void SignalWait::wake() {
  ring(event_);
}

}  // namespace troupe::node
