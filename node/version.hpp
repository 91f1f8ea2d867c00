#pragma once

namespace troupe::node {

/// The release, as `trouped --version` and `troupe version` tell it.
inline constexpr const char* version = "0.1.0";

}  // namespace troupe::node
