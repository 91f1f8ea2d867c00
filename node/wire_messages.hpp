#pragma once

#include <cstdint>
#include <string>

#include "base/message.hpp"

namespace troupe::node {

/// The body of a terminated record; `reason` is an actors::ExitReason.
struct TerminatedBody {
  std::uint8_t reason = 0;
  std::string text;
  TROUPE_MESSAGE(TerminatedBody, reason, text)
};

}  // namespace troupe::node
