#include "cli/free_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace troupe::cli {

namespace {

/// Holds a port by being bound to it.
class HeldPort {
 public:
  /// 0 lets the system choose.
  explicit HeldPort(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (socket_ >= 0 && bind(socket_, generic, size) == 0 &&
        getsockname(socket_, generic, &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  ~HeldPort() {
    if (socket_ >= 0) {
      close(socket_);
    }
  }
  HeldPort(HeldPort&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}
  HeldPort& operator=(HeldPort&&) = delete;

  /// 0 if it could not be had.
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

template <class Choose>
std::vector<std::uint16_t> hold(std::size_t count, const Choose& choose) {
  std::vector<HeldPort> held;
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t port = held.emplace_back(choose(i)).port();
    if (port == 0) {
      return {};
    }
    ports.push_back(port);
  }
  return ports;
}

}  // namespace

std::vector<std::uint16_t> ports_from(std::size_t count, std::uint16_t first) {
  if (first + count - 1 > 65535) {
    return {};
  }
  return hold(count, [&](std::size_t i) { return static_cast<std::uint16_t>(first + i); });
}

std::vector<std::uint16_t> free_ports(std::size_t count, std::uint16_t first) {
  auto ports = ports_from(count, first);
  return ports.empty() ? hold(count, [](std::size_t) { return std::uint16_t{0}; }) : ports;
}

}  // namespace troupe::cli
