#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/outcome.hpp"
#include "cli/problem.hpp"

namespace troupe::cli {

/// One message to an actor by name.
struct Request {
  std::string target;
  std::uint32_t type = 0;
  base::Bytes body;            ///< a map by field name
  bool wants_receipt = false;  ///< the outcome of a send instead of a reply
  base::Duration timeout{};    ///< travels with the request as its deadline
};

/// The body of a reply, the outcome of a send, or how it failed.
using Answer = std::variant<base::Bytes, base::Outcome, Failure>;

/// The cluster as a client sees it. Not thread-safe.
class Cluster {
 public:
  virtual ~Cluster() = default;
  /// Sends and waits for what comes back, connecting first if need be. An error means that nothing
  /// was sent: unavailable, version_mismatch, cluster_mismatch, refused, invalid_argument,
  /// limit_exceeded. Once it was sent, silence and a broken connection are a Failure, may_have_run.
  virtual base::Result<Answer> request(const Request& request) = 0;
  /// Blocks until the time has passed.
  virtual void pause(base::Duration duration) = 0;
};

}  // namespace troupe::cli
