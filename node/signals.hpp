#pragma once

#include <cstddef>

namespace troupe::node {

/// Waits for SIGTERM or SIGINT. From construction to destruction these two are caught, whichever
/// thread they reach and whenever it was started; the first makes wait() return, a second one ends
/// the program at once with 128 + its number (143, 130), as a shell reports it.
///
/// At most waits_max at a time in a process, and a signal ends the waiting of all. wait() belongs to
/// one thread; wake() is thread-safe and sticks.
class SignalWait {
 public:
  static constexpr std::size_t waits_max = 64;

  SignalWait();
  /// The last one puts back what handled the signals before.
  ~SignalWait();
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;

  /// Blocks until a signal came or wake() was called; the signal's number, or 0.
  int wait();
  /// Lets wait() return, now or when it is called.
  void wake();

 private:
  int event_ = -1;
};

}  // namespace troupe::node
