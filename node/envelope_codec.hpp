#pragma once

#include <cstdint>

#include "actors/envelope.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/record.hpp"

namespace troupe::node {

/// What the encoder must know of the other side.
struct EncodeOptions {
  /// The number that a reply comes back to; 0 if none is wanted.
  std::uint64_t request = 0;
  /// Sent to whoever holds this name instead of to a number.
  std::string_view name;
  bool by_name = false;  ///< body as a map, because the other side knows the type differently
  base::TimePoint now;
};

/// Appends an envelope (message, reply, failure or receipt) as a record of the wire protocol.
void encode_envelope(const actors::MessageBlock& block, const EncodeOptions& options,
                     base::Bytes& out);

/// A message, reply, failure or receipt record as an envelope; its body stays encoded. The target
/// of a record by name is 0.
[[nodiscard]] actors::Envelope decode_envelope(const base::Record& record, base::TimePoint now);

}  // namespace troupe::node
