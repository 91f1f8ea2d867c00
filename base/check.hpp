#pragma once

#include <string_view>

namespace troupe::base {

/// Prints the failed condition with its place to standard error and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               std::string_view message);

}  // namespace troupe::base

/// For what only a bug can violate: in all builds, aborts with the message.
#define TROUPE_CHECK(condition, message)                                           \
  do {                                                                             \
    if (!(condition)) [[unlikely]] {                                               \
      ::troupe::base::check_failed(#condition, __FILE__, __LINE__, (message));     \
    }                                                                              \
  } while (false)
