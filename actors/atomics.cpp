#include "actors/atomics.hpp"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace troupe::actors {

#if defined(__linux__) && defined(__NR_membarrier)

void StdAtomics::heavy_fence() {
  (void)::syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

bool StdAtomics::has_heavy_fence() {
  static const bool has =
      ::syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  return has;
}

#else

void StdAtomics::heavy_fence() {}

bool StdAtomics::has_heavy_fence() {
  return false;
}

#endif

}  // namespace troupe::actors
