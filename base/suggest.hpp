#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::base {

/// The candidate that `word` most likely meant, or empty: at most a third of its letters differ,
/// where two swapped neighbours count as one difference.
[[nodiscard]] std::string closest(std::string_view word,
                                  const std::vector<std::string>& candidates);

/// "did you mean 'hits'?", or empty.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace troupe::base
