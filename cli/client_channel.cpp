#include "cli/client_channel.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "cli/record_cluster.hpp"
#include "transport/client.hpp"

namespace troupe::cli {

namespace {

constexpr base::Duration send_max = std::chrono::seconds{5};

class ClientChannel final : public RecordChannel {
 public:
  ClientChannel(std::unique_ptr<transport::Client> client, const base::Clock& clock)
      : client_(std::move(client)), clock_(clock) {}

  base::Result<void> send(base::ByteView record) override {
    return client_->send(record, clock_.now() + send_max);
  }
  base::Result<base::Bytes> receive(base::TimePoint deadline) override {
    return client_->receive(deadline);
  }

 private:
  std::unique_ptr<transport::Client> client_;
  const base::Clock& clock_;
};

/// Differs between programs that run at the same time, and between one's connections.
std::uint64_t seed_of_now(const base::Clock& clock) {
  const auto process = static_cast<std::uint64_t>(getpid());
  return static_cast<std::uint64_t>(clock.now().time_since_epoch().count()) ^ (process << 40U);
}

}  // namespace

std::unique_ptr<Cluster> connect_cluster(const Settings& settings, const base::Clock& clock) {
  auto open = [servers = settings.servers, name = settings.cluster, &clock](
                  base::Duration timeout) mutable -> base::Result<std::unique_ptr<RecordChannel>> {
    const auto addresses = servers;
    std::rotate(servers.begin(), servers.begin() + 1, servers.end());
    auto client = transport::Client::connect({.addresses = addresses,
                                              .cluster = name,
                                              .name = "cli-" + std::to_string(getpid()),
                                              .seed = seed_of_now(clock)},
                                             clock, clock.now() + timeout);
    if (!client.ok()) {
      return client.error();
    }
    return std::unique_ptr<RecordChannel>{
        std::make_unique<ClientChannel>(std::move(*client), clock)};
  };
  return std::make_unique<RecordCluster>(std::move(open), settings.servers.size(), clock);
}

}  // namespace troupe::cli
