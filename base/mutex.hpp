#pragma once

#include <mutex>

// Clang's thread-safety analysis (-Wthread-safety) needs annotations that std::mutex lacks.
#if defined(__clang__)
#define TROUPE_ANNOTATION(x) __attribute__((x))
#else
#define TROUPE_ANNOTATION(x)
#endif
#define TROUPE_CAPABILITY(x) TROUPE_ANNOTATION(capability(x))
#define TROUPE_SCOPED_CAPABILITY TROUPE_ANNOTATION(scoped_lockable)
#define TROUPE_GUARDED_BY(x) TROUPE_ANNOTATION(guarded_by(x))
#define TROUPE_REQUIRES(...) TROUPE_ANNOTATION(requires_capability(__VA_ARGS__))
#define TROUPE_ACQUIRE(...) TROUPE_ANNOTATION(acquire_capability(__VA_ARGS__))
#define TROUPE_RELEASE(...) TROUPE_ANNOTATION(release_capability(__VA_ARGS__))
#define TROUPE_EXCLUDES(...) TROUPE_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace troupe::base {

/// std::mutex that Clang's analysis understands.
class TROUPE_CAPABILITY("mutex") Mutex {
 public:
  void lock() TROUPE_ACQUIRE() { mutex_.lock(); }
  void unlock() TROUPE_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Holds a Mutex for a scope. Also a BasicLockable, for std::condition_variable_any.
class TROUPE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TROUPE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() TROUPE_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void lock() TROUPE_ACQUIRE() { mutex_.lock(); }
  void unlock() TROUPE_RELEASE() { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

}  // namespace troupe::base
