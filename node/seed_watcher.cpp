#include "node/seed_watcher.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/log.hpp"

namespace troupe::node {

namespace {

constexpr std::string_view dns_scheme = "dns://";
constexpr std::string_view file_scheme = "file://";

struct DnsSeed {
  std::string host;
  std::string port;
};

DnsSeed split_dns(std::string_view seed) {
  seed.remove_prefix(dns_scheme.size());
  const std::size_t colon = seed.rfind(':');
  return {std::string{seed.substr(0, colon)},
          colon == std::string_view::npos ? "7400" : std::string{seed.substr(colon + 1)}};
}

}  // namespace

SeedWatcher::SeedWatcher(std::vector<std::string> seeds, actors::Timers& timers,
                         const base::Clock& clock, Found found)
    : seeds_(std::move(seeds)),
      timers_(timers),
      clock_(clock),
      found_(std::move(found)),
      resolver_([this] { take_answers(); }) {}

std::vector<std::string> SeedWatcher::fixed() const {
  std::vector<std::string> addresses;
  for (const std::string& seed : seeds_) {
    if (!seed.starts_with(dns_scheme) && !seed.starts_with(file_scheme)) {
      addresses.push_back(seed);
    }
  }
  return addresses;
}

void SeedWatcher::start() {
  if (fixed().size() != seeds_.size()) {
    look();
  }
}

void SeedWatcher::look() {
  for (std::size_t i = 0; i < seeds_.size(); ++i) {
    if (seeds_[i].starts_with(dns_scheme)) {
      resolver_.ask(i, split_dns(seeds_[i]).host);
    } else if (seeds_[i].starts_with(file_scheme)) {
      auto addresses = read_file(seeds_[i].substr(file_scheme.size()));
      base::MutexLock lock{mutex_};
      resolved_[i] = std::move(addresses);
    }
  }
  publish();
  (void)timers_.add(clock_.now() + interval, [this] { look(); });
}

std::vector<std::string> SeedWatcher::read_file(const std::string& path) const {
  std::vector<std::string> addresses;
  std::ifstream file{path};
  if (!file) {
    base::log(base::LogLevel::warn, "node", "the file of seeds '{}' cannot be read; trying again",
              path);
  }
  for (std::string line; std::getline(file, line);) {
    line.erase(std::remove_if(line.begin(), line.end(),
                              [](char c) { return c == ' ' || c == '\t' || c == '\r'; }),
               line.end());
    if (!line.empty() && line.front() != '#') {
      addresses.push_back(line);
    }
  }
  return addresses;
}

void SeedWatcher::take_answers() {
  for (auto& answer : resolver_.take_answers()) {
    const DnsSeed wanted = split_dns(seeds_[answer.request]);
    if (!answer.addresses.ok()) {
      base::log(base::LogLevel::info, "node", "seed {}: {}; trying again", seeds_[answer.request],
                answer.addresses.error().context);
      continue;  // what was known stays
    }
    std::vector<std::string> addresses;
    for (const std::string& host : answer.addresses.value()) {
      addresses.push_back("tcp://" + host + ":" + wanted.port);
    }
    base::MutexLock lock{mutex_};
    resolved_[answer.request] = std::move(addresses);
  }
  publish();
}

void SeedWatcher::publish() {
  std::vector<std::string> all;
  {
    base::MutexLock lock{mutex_};
    for (std::size_t i = 0; i < seeds_.size(); ++i) {
      const auto found = resolved_.find(i);
      if (found != resolved_.end()) {
        all.insert(all.end(), found->second.begin(), found->second.end());
      } else if (!seeds_[i].starts_with(dns_scheme) && !seeds_[i].starts_with(file_scheme)) {
        all.push_back(seeds_[i]);
      }
    }
    if (all == published_) {
      return;
    }
    published_ = all;
  }
  found_(std::move(all));
}

}  // namespace troupe::node
