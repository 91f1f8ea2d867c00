#include "actors/testing/failure.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

namespace troupe::testing {

namespace {

Framework framework_in_use;

std::optional<std::uint64_t> from_environment(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') {
    return std::nullopt;
  }
  return std::strtoull(text, nullptr, 0);
}

void print(std::string_view text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

void print_failed(std::uint64_t seed) {
  print("seed " + std::to_string(seed) + " failed; " + detail::replay_text(seed));
}

}  // namespace

bool use_framework(const Framework& framework) {
  framework_in_use = framework;
  return true;
}

std::uint64_t seed_or(std::uint64_t otherwise) {
  return from_environment("TROUPE_SEED").value_or(otherwise);
}

void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t seed)>& test) {
  const std::optional<std::uint64_t> only = from_environment("TROUPE_SEED");
  const std::uint64_t last = only.value_or(from_environment("TROUPE_SEEDS").value_or(count));
  const bool failed_before = detail::test_has_failed();
  for (std::uint64_t seed = only.value_or(1); seed <= last; ++seed) {
    try {
      test(seed);
    } catch (...) {
      print_failed(seed);
      throw;
    }
    if (!failed_before && detail::test_has_failed()) {
      print_failed(seed);
      return;
    }
    if (seed == last) {
      return;  // also where `last` is the greatest number there is
    }
  }
}

namespace detail {

std::string replay_text(std::uint64_t seed) {
  std::string text =
      "replay with: TROUPE_SEED=" + std::to_string(seed) + " " + program_invocation_name;
  if (framework_in_use.arguments != nullptr) {
    text += " " + framework_in_use.arguments();
  }
  return text;
}

bool test_has_failed() {
  return framework_in_use.has_failed != nullptr && framework_in_use.has_failed();
}

void report(std::string_view text) {
  if (framework_in_use.fail == nullptr) {
    print(text);
    std::abort();
  }
  framework_in_use.fail(text);
}

}  // namespace detail

}  // namespace troupe::testing
