#include "node/signals.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/check.hpp"
#include "base/mutex.hpp"

namespace troupe::node {

namespace {

// All that the handler touches: lock-free, and write() and _exit() are async-signal-safe.
std::array<std::atomic<int>, SignalWait::waits_max> events_of_handler{};  // and 1; 0: nobody
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
  for (const std::atomic<int>& event : events_of_handler) {
    if (const int waiting = event.load(); waiting != 0) {
      ring(waiting - 1);
    }
  }
  errno = error_before;
}

/// What handled the signals before the first wait, whose end puts it back.
struct Handlers {
  base::Mutex mutex;
  std::uint32_t waits TROUPE_GUARDED_BY(mutex) = 0;
  struct sigaction terminate TROUPE_GUARDED_BY(mutex) {};
  struct sigaction interrupt TROUPE_GUARDED_BY(mutex) {};
};

Handlers& handlers() {
  static Handlers all;
  return all;
}

}  // namespace

SignalWait::SignalWait() : event_(::eventfd(0, EFD_CLOEXEC)) {
  TROUPE_CHECK(event_ >= 0, "no file descriptor for signals");
  Handlers& all = handlers();
  base::MutexLock lock{all.mutex};
  bool has_place = false;
  for (std::atomic<int>& event : events_of_handler) {
    int nobody = 0;
    if (event.compare_exchange_strong(nobody, event_ + 1)) {
      has_place = true;
      break;
    }
  }
  TROUPE_CHECK(has_place, "too many wait for signals at a time");
  if (all.waits++ != 0) {
    return;
  }
  first_signal = 0;
  struct sigaction action {};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, &all.terminate);
  ::sigaction(SIGINT, &action, &all.interrupt);
}

SignalWait::~SignalWait() {
  Handlers& all = handlers();
  base::MutexLock lock{all.mutex};
  if (--all.waits == 0) {
    ::sigaction(SIGTERM, &all.terminate, nullptr);
    ::sigaction(SIGINT, &all.interrupt, nullptr);
  }
  for (std::atomic<int>& event : events_of_handler) {
    int mine = event_ + 1;
    event.compare_exchange_strong(mine, 0);
  }
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
