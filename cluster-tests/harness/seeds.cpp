#include "cluster-tests/harness/seeds.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe::harness {

std::uint64_t from_environment(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 0);
}

std::uint64_t seed(std::uint64_t otherwise) {
  const std::uint64_t seed = from_environment("TROUPE_SEED", otherwise);
  std::printf("seed: TROUPE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

std::vector<std::uint64_t> seeds(std::uint64_t count, std::uint64_t part, std::uint64_t parts) {
  if (std::getenv("TROUPE_SEED") != nullptr) {
    return part == 0 ? std::vector<std::uint64_t>{seed(1)} : std::vector<std::uint64_t>{};
  }
  std::vector<std::uint64_t> chosen;
  const std::uint64_t all = from_environment("TROUPE_SEEDS", count);
  for (std::uint64_t seed = 1 + part; seed <= all; seed += parts) {
    chosen.push_back(seed);
  }
  return chosen;
}

}  // namespace troupe::harness
