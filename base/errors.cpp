#include "base/errors.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe::base {

void check_failed(const char* condition, const char* file, int line, std::string_view message) {
  std::fprintf(stderr, "troupe: bug: %.*s (%s) at %s:%d\n", static_cast<int>(message.size()),
               message.data(), condition, file, line);
  std::abort();
}

namespace detail {

void throw_no_value(const std::string& text) {
  throw WrongResult{text.empty() ? "value() of a failed result"
                                 : "value() of a failed result: " + text};
}

void throw_no_error() {
  throw WrongResult{"error() of a result that holds a value"};
}

}  // namespace detail

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::malformed: return "malformed";
    case Errc::limit_exceeded: return "limit_exceeded";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::unavailable: return "unavailable";
    case Errc::timed_out: return "timed_out";
    case Errc::refused: return "refused";
    case Errc::version_mismatch: return "version_mismatch";
    case Errc::cluster_mismatch: return "cluster_mismatch";
    case Errc::address_in_use: return "address_in_use";
    case Errc::closed: return "closed";
    case Errc::internal: return "internal";
  }
  return "internal";
}

std::string Error::text() const {
  std::string result{to_string(code)};
  if (!context.empty()) {
    result += ": ";
    result += context;
  }
  return result;
}

}  // namespace troupe::base
