#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "cli/cluster.hpp"
#include "cli/control.hpp"

namespace troupe::cli::testing {

/// A cluster of plain fields: its control service answers from them as a node's does. Holds the
/// kinds counter, users and matrix, and the names hits (counter) and people (users).
class FakeCluster final : public Cluster {
 public:
  FakeCluster();

  base::Result<Answer> request(const Request& request) override;
  void pause(base::Duration duration) override;

  control::StatusReply status;
  control::HealthReply health{.live = true, .ready = true};
  control::TypesReply types;
  control::LedgerReply ledger;
  control::DrainReply drained;
  std::vector<control::NameRow> names;
  control::WhyReply why;  ///< but for `where`
  bool holder_is_silent = false;

  /// Answers what is sent to any other actor; an empty body unless set.
  std::function<base::Result<Answer>(const Request&)> on_message;
  /// The next requests fail with these before anything is sent.
  std::deque<base::Error> connection_errors;
  /// Called by pause(), after the clock has moved.
  std::function<void()> on_pause;

  std::vector<Request> messages;  ///< to other actors than the control service
  std::vector<control::Spawn> spawned;
  std::vector<base::Duration> drain_timeouts;
  base::ManualClock clock;

 private:
  base::Result<Answer> answer_control(const Request& request);
};

/// A reply as a node encodes it for a client: by name.
template <class T>
[[nodiscard]] Answer reply_with(const T& value) {
  base::Bytes body;
  base::WireWriter writer{body};
  writer.by_name = true;
  base::wire_encode(writer, value);
  return body;
}

[[nodiscard]] inline Answer refusal(std::string text) {
  return Failure{FailureKind::refusal, base::Outcome::refused, std::move(text)};
}

}  // namespace troupe::cli::testing
