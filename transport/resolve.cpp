#include "transport/resolve.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace troupe::transport {

namespace {

std::string to_text(const sockaddr* address) {
  sockaddr_in ipv4{};
  std::copy_n(reinterpret_cast<const char*>(address), sizeof ipv4, reinterpret_cast<char*>(&ipv4));
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
  return text.data();
}

}  // namespace

base::Result<std::vector<std::string>> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failure != 0) {
    return base::Error{base::Errc::not_found,
                       "host '" + host + "': " + std::string{::gai_strerror(failure)}};
  }
  std::vector<std::string> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    addresses.push_back(to_text(at->ai_addr));
  }
  ::freeaddrinfo(found);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

bool is_numeric(const std::string& host) {
  in_addr parsed{};
  return ::inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

std::optional<std::string> first_interface_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) {
    return std::nullopt;
  }
  std::optional<std::string> first;
  for (const ifaddrs* at = all; at != nullptr && !first; at = at->ifa_next) {
    const bool is_usable = at->ifa_addr != nullptr && at->ifa_addr->sa_family == AF_INET &&
                           (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
    if (is_usable) {
      first = to_text(at->ifa_addr);
    }
  }
  ::freeifaddrs(all);
  return first;
}

Resolver::~Resolver() {
  std::thread thread;
  {
    const base::MutexLock lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
    thread = std::move(thread_);
  }
  if (thread.joinable()) {
    thread.join();
  }
}

void Resolver::ask(std::uint64_t request, std::string host) {
  const base::MutexLock lock{mutex_};
  requests_.emplace_back(request, std::move(host));
  if (!thread_.joinable()) {
    thread_ = std::thread{[this] { run(); }};
  }
  changed_.notify_all();
}

std::vector<Resolver::Answer> Resolver::take_answers() {
  const base::MutexLock lock{mutex_};
  return std::exchange(answers_, {});
}

void Resolver::run() {
  for (;;) {
    std::pair<std::uint64_t, std::string> next;
    {
      base::MutexLock lock{mutex_};
      while (!stopping_ && requests_.empty()) {
        changed_.wait(lock);
      }
      if (stopping_) {
        return;
      }
      next = std::move(requests_.front());
      requests_.pop_front();
    }
    auto addresses = resolve(next.second);
    {
      const base::MutexLock lock{mutex_};
      answers_.push_back({next.first, std::move(addresses)});
    }
    ring_();
  }
}

}  // namespace troupe::transport
