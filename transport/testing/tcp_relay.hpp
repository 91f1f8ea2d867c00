#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.hpp"

namespace troupe::transport::testing {

/// A TCP relay on loopback that a test cuts: whoever connects to it is connected to its target.
///
/// Thread-safe. Runs a thread of its own until its end.
class TcpRelay {
 public:
  TcpRelay();
  ~TcpRelay();
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  /// "tcp://127.0.0.1:port".
  [[nodiscard]] std::string address() const;
  /// Where connections lead from now on: a port of 127.0.0.1.
  void set_target(std::uint16_t port) TROUPE_EXCLUDES(mutex_);
  /// Resets all connections; what the relay holds of them is lost.
  void cut() TROUPE_EXCLUDES(mutex_);
  /// While muted, bytes are read and thrown away: a half-open connection.
  void set_muted(bool muted) TROUPE_EXCLUDES(mutex_);
  [[nodiscard]] std::uint64_t connections_accepted() const TROUPE_EXCLUDES(mutex_);

 private:
  struct Pair {
    int near = -1;
    int far = -1;
    bool broken = false;
  };
  void run();
  void accept_one() TROUPE_REQUIRES(mutex_);
  bool forward(int from, int to) TROUPE_REQUIRES(mutex_);
  void wake();

  int listener_ = -1;
  int bell_ = -1;
  std::uint16_t port_ = 0;
  mutable base::Mutex mutex_;
  std::uint16_t target_ TROUPE_GUARDED_BY(mutex_) = 0;
  bool stopping_ TROUPE_GUARDED_BY(mutex_) = false;
  bool muted_ TROUPE_GUARDED_BY(mutex_) = false;
  std::uint64_t accepted_ TROUPE_GUARDED_BY(mutex_) = 0;
  std::vector<Pair> pairs_ TROUPE_GUARDED_BY(mutex_);
  std::thread thread_;
};

/// A port of 127.0.0.1 that nobody listens on just now.
[[nodiscard]] std::uint16_t free_port();
/// A plain TCP connection to a port of 127.0.0.1 that sends bytes; for garbage.
void send_raw_bytes(std::uint16_t port, const std::string& bytes);

}  // namespace troupe::transport::testing
