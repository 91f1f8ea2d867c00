#pragma once

#include <memory>

namespace troupe::node {

/// Waits for SIGTERM or SIGINT. From construction to destruction these two are caught, whichever
/// thread they reach and whenever it was started; the first makes wait() return, a second one ends
/// the program at once with 128 + its number (143, 130), as a shell reports it.
///
/// One at a time in a process. wait() belongs to one thread; wake() is thread-safe and sticks.
class SignalWait {
 public:
  SignalWait();
  /// Puts back what handled the signals before.
  ~SignalWait();
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;

  /// Blocks until a signal came or wake() was called; the signal's number, or 0.
  int wait();
  /// Lets wait() return, now or when it is called.
  void wake();

 private:
  struct Previous;
  int event_ = -1;
  std::unique_ptr<Previous> previous_;
};

}  // namespace troupe::node
