#pragma once

#include <string>

#include "base/errors.hpp"
#include "node/kinds.hpp"

namespace troupe::node {

/// Changes with every incompatible change of the library's binary interface.
inline constexpr int plugin_abi = 2;

/// Opens a shared library and lets it register its kinds. not_found: no such file; malformed: no
/// plugin; version_mismatch: built for another version. It is never unloaded.
[[nodiscard]] base::Result<void> load_plugin(const std::string& path, Kinds& kinds);

}  // namespace troupe::node

/// In a shared library for `trouped --load`: TROUPE_PLUGIN(kinds) { kinds.add<Mine>("mine").value(); }
#define TROUPE_PLUGIN(kinds)                                                             \
  extern "C" __attribute__((visibility("default"))) int troupe_plugin_abi() {            \
    return ::troupe::node::plugin_abi;                                                   \
  }                                                                                      \
  extern "C" __attribute__((visibility("default"))) void troupe_plugin_register(         \
      ::troupe::node::Kinds& kinds)
