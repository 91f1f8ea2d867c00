#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/record.hpp"
#include "cli/cluster.hpp"

namespace troupe::cli {

/// Records to and from one node. Not thread-safe.
class RecordChannel {
 public:
  virtual ~RecordChannel() = default;
  /// Fails if the connection is gone or the record is too large; nothing was sent then.
  virtual base::Result<void> send(base::ByteView record) = 0;
  /// The next record; timed_out if none came in time, another error if the connection is gone.
  virtual base::Result<base::Bytes> receive(base::TimePoint deadline) = 0;
};

/// A cluster behind a channel of records, as docs/wire-protocol.md says. One request at a time; an
/// answer that comes too late is dropped. Opens a channel for the first request, again after one
/// broke, and to another server when a node's control service has stopped, since that node is
/// leaving. Not thread-safe. `clock` outlives it.
class RecordCluster final : public Cluster {
 public:
  /// Opens a channel, taking at most the given time; each call begins with the next server.
  using Open = std::function<base::Result<std::unique_ptr<RecordChannel>>(base::Duration)>;

  /// A request goes to at most `servers` nodes.
  RecordCluster(Open open, std::size_t servers, const base::Clock& clock)
      : open_(std::move(open)), servers_(servers), clock_(clock) {}

  base::Result<Answer> request(const Request& request) override;
  void pause(base::Duration duration) override;

 private:
  base::Result<Answer> request_once(const Request& request);
  base::Result<void> ensure_open(base::Duration timeout);
  Answer wait_for_answer(std::uint64_t number, base::Duration timeout);

  Open open_;
  std::size_t servers_;
  const base::Clock& clock_;
  std::unique_ptr<RecordChannel> channel_;
  std::uint64_t last_request_ = 0;
};

}  // namespace troupe::cli
