#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace troupe::cluster_tests {

/// A plain connection, to say what no library would. Owned by one thread; closed at the end.
class Tcp {
 public:
  Tcp(const std::string& host, std::uint16_t port);
  ~Tcp();
  Tcp(Tcp&& other) noexcept;
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;

  [[nodiscard]] bool is_open() const { return socket_ >= 0; }
  /// False once the other side has closed.
  bool send(const std::string& bytes);
  /// At least `count` bytes, fewer if the other side closes before or `timeout` passes.
  std::string receive(std::size_t count, base::Duration timeout = std::chrono::seconds{10});
  /// Whether the other side closes within `timeout`; what it sends before is dropped.
  bool wait_for_close(base::Duration timeout = std::chrono::seconds{10});
  /// Says that nothing more comes, and goes on receiving.
  void shut();

 private:
  int socket_ = -1;
};

/// ZMTP 3.1 with the mechanism NULL, by hand.
namespace zmtp {

[[nodiscard]] std::string greeting();
[[nodiscard]] std::string ready();                           ///< as a DEALER
[[nodiscard]] std::string message(const std::string& body);  ///< one part
[[nodiscard]] std::string long_header(std::uint64_t length);

/// A connection that has shaken hands: what comes next are messages.
[[nodiscard]] Tcp connect(const std::string& host, std::uint16_t port);
/// The body of the next message, or "" if none comes.
[[nodiscard]] std::string receive(Tcp& connection);

}  // namespace zmtp

struct HttpReply {
  int status = 0;
  std::string body;
};
/// One GET; status 0 if no answer came.
[[nodiscard]] HttpReply http_get(const std::string& host, std::uint16_t port,
                                 const std::string& path, const std::string& host_header);

}  // namespace troupe::cluster_tests
