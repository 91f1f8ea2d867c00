#pragma once

#include <atomic>

namespace troupe::actors {

/// Where lock-free parts take their atomics from: the machine's. Tests give them others, which hand
/// the processor over before each operation, to drive every interleaving of small cases.
struct StdAtomics {
  template <class T>
  using Atomic = std::atomic<T>;
};

}  // namespace troupe::actors
