#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "base/mutex.hpp"

namespace troupe::transport {

/// All IPv4 addresses of a host's name ("tasks.worker", "localhost", "10.0.0.7"), sorted. Blocks
/// as long as the system's resolver does. not_found names the host and the resolver's reason.
[[nodiscard]] base::Result<std::vector<std::string>> resolve(const std::string& host);

/// Whether it is an IPv4 address that needs no resolving.
[[nodiscard]] bool is_numeric(const std::string& host);

/// The first IPv4 address of this machine that is not loopback, if there is one.
[[nodiscard]] std::optional<std::string> first_interface_address();

/// Resolves names on a thread of its own, which the first name starts, because the system's
/// resolver may take seconds.
///
/// Thread-safe. One request at a time; the others wait in order. The destructor waits for the
/// request that is being answered.
class Resolver {
 public:
  struct Answer {
    std::uint64_t request = 0;
    base::Result<std::vector<std::string>> addresses;
  };

  /// `ring` is called on the resolver's thread when answers lie ready.
  explicit Resolver(std::function<void()> ring) : ring_(std::move(ring)) {}
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  void ask(std::uint64_t request, std::string host) TROUPE_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Answer> take_answers() TROUPE_EXCLUDES(mutex_);

 private:
  void run();

  const std::function<void()> ring_;
  base::Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<std::uint64_t, std::string>> requests_ TROUPE_GUARDED_BY(mutex_);
  std::vector<Answer> answers_ TROUPE_GUARDED_BY(mutex_);
  bool stopping_ TROUPE_GUARDED_BY(mutex_) = false;
  std::thread thread_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::transport
