#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "actors/scheduler.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// The scheduler of one actor that blocks: a thread of its own.
///
/// Thread-safe; begin() and join() belong to OwnThreads. The object outlives its thread, because
/// references to the actor may still lead here: what is scheduled without a thread goes to `rest`.
class OwnThread final : public Scheduler {
 public:
  explicit OwnThread(Scheduler& rest) : rest_(rest) {}

  void schedule(Runnable& runnable) override;

  /// What the thread runs now, for whoever looks from outside: one message, or what came before
  /// it. Each has a number of its own; no runnable: it waits for work.
  struct CurrentTurn {
    std::uint64_t number = 0;
    const Runnable* runnable = nullptr;
    bool operator==(const CurrentTurn&) const = default;
  };
  [[nodiscard]] CurrentTurn current_turn() const;

  /// False if the system has no thread to give.
  [[nodiscard]] bool begin();
  /// The thread ends after the turn that it runs now.
  void end();
  /// True once end() took effect; then join() does not block.
  [[nodiscard]] bool is_over() const;
  void join();

 private:
  void work();

  Scheduler& rest_;
  std::thread thread_;
  mutable base::Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Runnable*> runnables_ TROUPE_GUARDED_BY(mutex_);
  CurrentTurn current_ TROUPE_GUARDED_BY(mutex_);
  bool is_ending_ TROUPE_GUARDED_BY(mutex_) = false;
  bool has_thread_ TROUPE_GUARDED_BY(mutex_) = false;
};

/// The threads of one actor system's actors with SpawnOptions::own_thread. An ended thread's place
/// is used again, so that there are never more places than there were such actors at once.
///
/// Thread-safe. stop(), which the destructor calls, joins all threads: it waits for handlers that
/// block.
class OwnThreads {
 public:
  explicit OwnThreads(Scheduler& rest) : rest_(rest) {}
  ~OwnThreads() { stop(); }
  OwnThreads(const OwnThreads&) = delete;
  OwnThreads& operator=(const OwnThreads&) = delete;

  /// A scheduler with a thread, until its end(); null if there is no thread to be had
  /// or after stop().
  [[nodiscard]] OwnThread* take();
  /// Of every place, which keeps its index.
  [[nodiscard]] std::vector<OwnThread::CurrentTurn> current_turns() const;
  void stop();

 private:
  Scheduler& rest_;
  mutable base::Mutex mutex_;
  std::vector<std::unique_ptr<OwnThread>> threads_ TROUPE_GUARDED_BY(mutex_);
  bool is_stopped_ TROUPE_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe::actors
