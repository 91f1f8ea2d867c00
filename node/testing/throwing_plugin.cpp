// A plugin whose registration throws.
#include <stdexcept>

#include "node/plugin.hpp"

TROUPE_PLUGIN(kinds) {
  throw std::runtime_error{"no licence among " + std::to_string(kinds.all().size()) + " kinds"};
}
