#include "cluster-tests/process/tcp.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "cluster-tests/process/process.hpp"

namespace troupe::cluster_tests {

namespace {

constexpr std::size_t greeting_bytes = 64;

/// Bytes of a big-endian number.
std::string big_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int at = bytes - 1; at >= 0; --at) {
    text += static_cast<char>(number >> (8 * at));
  }
  return text;
}

}  // namespace

Tcp::Tcp(const std::string& host, std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(std::exchange(socket_, -1));
  }
}

Tcp::~Tcp() {
  if (is_open()) {
    ::close(socket_);
  }
}

Tcp::Tcp(Tcp&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

bool Tcp::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t now = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) {
      return false;
    }
    sent += static_cast<std::size_t>(now);
  }
  return true;
}

std::string Tcp::receive(std::size_t count, base::Duration timeout) {
  const base::TimePoint deadline = now() + timeout;
  std::string bytes;
  char buffer[4096];
  while (bytes.size() < count) {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, poll_timeout(deadline)) <= 0) {
      break;
    }
    const ssize_t got = ::recv(socket_, buffer, std::min(sizeof buffer, count - bytes.size()), 0);
    if (got <= 0) {
      break;
    }
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  return bytes;
}

bool Tcp::wait_for_close(base::Duration timeout) {
  const base::TimePoint deadline = now() + timeout;
  char buffer[4096];
  while (true) {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, poll_timeout(deadline)) <= 0) {
      return false;
    }
    if (::recv(socket_, buffer, sizeof buffer, 0) <= 0) {
      return true;
    }
  }
}

void Tcp::shut() {
  ::shutdown(socket_, SHUT_WR);
}

namespace zmtp {

std::string greeting() {
  std::string bytes = "\xFF" + std::string(8, '\0') + "\x7F\x03\x01" + "NULL";
  bytes.resize(greeting_bytes, '\0');
  return bytes;
}

std::string ready() {
  const std::string kind = "DEALER";
  const std::string name = "Socket-Type";
  const std::string body = std::string{"\x05READY"} + static_cast<char>(name.size()) + name +
                           big_endian(kind.size(), 4) + kind;
  return std::string{"\x04"} + static_cast<char>(body.size()) + body;
}

std::string message(const std::string& body) {
  return body.size() < 256 ? std::string(1, '\0') + static_cast<char>(body.size()) + body
                           : long_header(body.size()) + body;
}

std::string long_header(std::uint64_t length) {
  return "\x02" + big_endian(length, 8);
}

Tcp connect(const std::string& host, std::uint16_t port) {
  Tcp connection{host, port};
  if (connection.send(greeting() + ready())) {
    (void)connection.receive(greeting_bytes);
    const std::string head = connection.receive(2);  // the other side's READY
    if (head.size() == 2) {
      (void)connection.receive(static_cast<unsigned char>(head[1]));
    }
  }
  return connection;
}

std::string receive(Tcp& connection) {
  constexpr char long_flag = 2;
  const std::string flags = connection.receive(1);
  const std::string length = connection.receive(!flags.empty() && flags[0] == long_flag ? 8 : 1);
  std::size_t count = 0;
  for (const char byte : length) {
    count = count << 8U | static_cast<unsigned char>(byte);
  }
  return connection.receive(count);
}

}  // namespace zmtp

HttpReply http_get(const std::string& host, std::uint16_t port, const std::string& path,
                   const std::string& host_header) {
  Tcp connection{host, port};
  if (!connection.is_open() || !connection.send("GET " + path + " HTTP/1.1\r\nHost: " +
                                                host_header + "\r\nConnection: close\r\n\r\n")) {
    return {};
  }
  const std::string all = connection.receive(1'000'000);
  const std::size_t space = all.find(' ');
  const std::size_t end = all.find("\r\n\r\n");
  if (space == std::string::npos || end == std::string::npos) {
    return {};
  }
  return {std::atoi(all.c_str() + space), all.substr(end + 4)};
}

}  // namespace troupe::cluster_tests
