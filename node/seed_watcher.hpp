#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "actors/timers.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "transport/resolve.hpp"

namespace troupe::node {

/// Turns the configured seeds into addresses: tcp:// as they are, dns:// by all addresses of the
/// host, file:// by the file's lines; names and files are looked at again every `interval`.
///
/// Thread-safe. `found` is called whenever the list has changed, on the resolver's thread or the
/// one that runs the timers.
class SeedWatcher {
 public:
  using Found = std::function<void(std::vector<std::string> addresses)>;
  static constexpr base::Duration interval = std::chrono::seconds{2};

  SeedWatcher(std::vector<std::string> seeds, actors::Timers& timers, const base::Clock& clock,
              Found found);

  /// Looks for the first time and begins to watch, if there is anything to watch.
  void start();
  /// What needs no looking up: the list to begin with.
  [[nodiscard]] std::vector<std::string> fixed() const;

 private:
  void look();
  void take_answers();
  void publish();
  std::vector<std::string> read_file(const std::string& path) const;

  const std::vector<std::string> seeds_;
  actors::Timers& timers_;
  const base::Clock& clock_;
  const Found found_;
  base::Mutex mutex_;
  std::map<std::size_t, std::vector<std::string>> resolved_ TROUPE_GUARDED_BY(mutex_);
  std::vector<std::string> published_ TROUPE_GUARDED_BY(mutex_);
  transport::Resolver resolver_;
};

}  // namespace troupe::node
