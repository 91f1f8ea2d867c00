#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "base/message.hpp"
#include "base/outcome.hpp"

namespace troupe::actors {

/// Why an ask has no reply.
struct AskError {
  enum class Kind : std::uint8_t {
    not_run = 1,       ///< the receiver certainly did not handle it; may be repeated
    may_have_run = 2,  ///< it may have been handled, or partly; repeat only what is idempotent
    refusal = 3,       ///< it was handled, and the answer is no; `reason` says why
  };
  Kind kind = Kind::may_have_run;
  base::Outcome outcome = base::Outcome::expired;
  std::string reason;
  TROUPE_MESSAGE(AskError, kind, outcome, reason)

  /// "may_have_run (expired): no reply within the deadline"; a refusal's reason alone.
  [[nodiscard]] std::string text() const;
};

/// What became of a send whose sender waits for room.
struct Receipt {
  base::Outcome outcome = base::Outcome::accepted;
  TROUPE_MESSAGE(Receipt, outcome)
};

/// Thrown by a handler that understands the request and says no: the asker gets the text, the actor
/// goes on living.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace troupe::actors
