#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/errors.hpp"
#include "node/control_protocol.hpp"

namespace troupe::node {

/// What a node serves over HTTP, read-only: /livez and /readyz (200, or 503 and why not) and
/// /metrics (Prometheus' text format).
///
/// start() and stop() belong to the owner's thread; the callbacks are called on the server's own
/// thread, which start() creates and stop() joins. At most `connections_max` connections; one
/// that takes longer than `request_time_max` to ask or to read the answer is closed. On loopback
/// only requests whose Host is loopback too are answered, so that no web page can read them through
/// a browser.
class HttpServer {
 public:
  static constexpr std::size_t connections_max = 64;
  static constexpr std::chrono::seconds request_time_max{10};

  struct Callbacks {
    std::function<control::HealthReply()> health;
    std::function<std::string()> metrics;
  };

  /// `address` is HOST:PORT with a numeric host or "localhost"; port 0 takes a free one.
  HttpServer(std::string address, Callbacks callbacks);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// address_in_use, invalid_argument (no such address on this machine), limit_exceeded.
  base::Result<void> start();
  /// May be called again, and without start().
  void stop();
  /// HOST:PORT, with the port that was taken; after start().
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  struct Server;

  std::string address_;
  Callbacks callbacks_;
  std::unique_ptr<Server> server_;
};

}  // namespace troupe::node
