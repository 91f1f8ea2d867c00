#include "transport/testing/tcp_relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.hpp"

namespace troupe::transport::testing {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

void reset(int fd) {
  if (fd >= 0) {
    const linger at_once{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(fd);
  }
}

}  // namespace

TcpRelay::TcpRelay() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  TROUPE_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                   ::listen(listener_, 64) == 0 &&
                   ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0,
               "the relay cannot listen");
  port_ = ntohs(address.sin_port);
  bell_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  thread_ = std::thread{[this] { run(); }};
}

TcpRelay::~TcpRelay() {
  {
    const base::MutexLock lock{mutex_};
    stopping_ = true;
  }
  wake();
  thread_.join();
  cut();
  ::close(listener_);
  ::close(bell_);
}

std::string TcpRelay::address() const {
  return "tcp://127.0.0.1:" + std::to_string(port_);
}

void TcpRelay::set_target(std::uint16_t port) {
  const base::MutexLock lock{mutex_};
  target_ = port;
}

void TcpRelay::cut() {
  {
    const base::MutexLock lock{mutex_};
    for (const Pair& pair : pairs_) {
      reset(pair.near);
      reset(pair.far);
    }
    pairs_.clear();
  }
  wake();
}

void TcpRelay::set_muted(bool muted) {
  const base::MutexLock lock{mutex_};
  muted_ = muted;
}

std::uint64_t TcpRelay::connections_accepted() const {
  const base::MutexLock lock{mutex_};
  return accepted_;
}

void TcpRelay::wake() {
  const std::uint64_t one = 1;
  (void)!::write(bell_, &one, sizeof one);
}

void TcpRelay::accept_one() {
  Pair pair;
  pair.near = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (pair.near < 0) {
    return;
  }
  ++accepted_;
  pair.far = connect_to(target_);
  if (pair.far < 0) {
    reset(pair.near);
    return;
  }
  pairs_.push_back(pair);
}

bool TcpRelay::forward(int from, int to) {
  std::array<char, 65536> buffer;
  const ssize_t count = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count <= 0) {
    return count < 0 && errno == EAGAIN;
  }
  for (ssize_t sent = 0; sent < count && !muted_;) {
    const ssize_t now =
        ::send(to, buffer.data() + sent, static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
    if (now <= 0) {
      return false;
    }
    sent += now;
  }
  return true;
}

void TcpRelay::run() {
  std::vector<pollfd> polled;
  for (;;) {
    polled = {{listener_, POLLIN, 0}, {bell_, POLLIN, 0}};
    {
      const base::MutexLock lock{mutex_};
      if (stopping_) {
        return;
      }
      for (const Pair& pair : pairs_) {
        polled.push_back({pair.near, POLLIN, 0});
        polled.push_back({pair.far, POLLIN, 0});
      }
    }
    ::poll(polled.data(), polled.size(), -1);
    const base::MutexLock lock{mutex_};
    std::uint64_t rung = 0;
    (void)!::read(bell_, &rung, sizeof rung);
    if ((polled[0].revents & POLLIN) != 0) {
      accept_one();
    }
    // What cut() closed meanwhile is gone from pairs_; descriptors are matched by number.
    for (std::size_t i = 2; i < polled.size(); ++i) {
      for (Pair& pair : pairs_) {
        if (polled[i].revents != 0 && (pair.near == polled[i].fd || pair.far == polled[i].fd)) {
          const int to = pair.near == polled[i].fd ? pair.far : pair.near;
          pair.broken = pair.broken || !forward(polled[i].fd, to);
        }
      }
    }
    std::erase_if(pairs_, [](const Pair& pair) {
      if (pair.broken) {
        reset(pair.near);
        reset(pair.far);
      }
      return pair.broken;
    });
  }
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  TROUPE_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                   ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0,
               "no free port");
  ::close(fd);
  return ntohs(address.sin_port);
}

void send_raw_bytes(std::uint16_t port, const std::string& bytes) {
  const int fd = connect_to(port);
  TROUPE_CHECK(fd >= 0, "cannot connect to a port that should be open");
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  std::array<char, 4096> answer;
  while (::recv(fd, answer.data(), answer.size(), 0) > 0) {
  }
  ::close(fd);
}

}  // namespace troupe::transport::testing
