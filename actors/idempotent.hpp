#pragma once

namespace troupe::actors {

/// Whether handling M twice does no more than handling it once. A message type declares it by a
/// member `static constexpr bool idempotent = true`; only then is work that may have run repeated,
/// by a pool or by ask_with_retry().
template <class M>
inline constexpr bool is_idempotent = [] {
  if constexpr (requires { M::idempotent; }) {
    return static_cast<bool>(M::idempotent);
  } else {
    return false;
  }
}();

}  // namespace troupe::actors
