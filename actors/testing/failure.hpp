#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::testing {

/// A failed expectation of the kit; its text says what was expected, what came, and how to replay.
/// Every test framework reports what a test throws.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the kit must know of the framework that runs the tests. Without GoogleTest, a failure where
/// nothing may be thrown is printed and aborts.
struct Framework {
  /// Reports a failure that cannot be thrown; returns.
  void (*fail)(std::string_view text) = nullptr;
  /// Whether the running test has failed by other means.
  bool (*has_failed)() = nullptr;
  /// The arguments that run this test alone.
  std::string (*arguments)() = nullptr;
};

/// Takes effect for the whole program. Not thread-safe: before the first test, as by an
/// initialised variable.
bool use_framework(const Framework& framework);

/// A seed that is wished for by TROUPE_SEED, or `otherwise`.
[[nodiscard]] std::uint64_t seed_or(std::uint64_t otherwise);

/// Runs `test` with the seeds 1 to `count` (TROUPE_SEEDS many instead, or TROUPE_SEED alone), until
/// one fails, whose number and replay it prints. Throws what the test throws.
void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t seed)>& test);

namespace detail {

/// "replay with: TROUPE_SEED=17 build/dev/bin/tests --gtest_filter=Counter.Counts".
[[nodiscard]] std::string replay_text(std::uint64_t seed);
[[nodiscard]] bool test_has_failed();
void report(std::string_view text);

}  // namespace detail

}  // namespace troupe::testing
