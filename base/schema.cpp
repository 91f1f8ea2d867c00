#include "base/schema.hpp"

namespace troupe::base {

std::uint32_t fingerprint(const std::vector<StructSchema>& structs, std::string_view type) {
  std::string text{type};
  for (const auto& one : structs) {
    text += ";" + one.name + "{";
    for (const auto& field : one.fields) {
      text += field.name + ":" + field.type + ",";
    }
    text += "}";
  }
  return fnv1a(text);
}

}  // namespace troupe::base
