#include "cli/type_text.hpp"

#include <array>
#include <cctype>
#include <utility>

namespace troupe::cli {

namespace {

using Kind = TypeText::Kind;

constexpr std::size_t depth_max = 16;

constexpr std::array<std::pair<std::string_view, Kind>, 6> simple_kinds{{{"bool", Kind::boolean},
                                                                         {"int", Kind::integer},
                                                                         {"float", Kind::floating},
                                                                         {"string", Kind::text},
                                                                         {"bytes", Kind::bytes},
                                                                         {"ref", Kind::ref}}};
constexpr std::array<std::pair<std::string_view, Kind>, 3> outer_kinds{
    {{"list", Kind::list}, {"optional", Kind::optional}, {"map", Kind::map}}};

/// Takes types off the front of a text.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  bool type(TypeText& result, std::size_t depth) {
    const std::string_view word = take_word();
    if (word.empty() || depth > depth_max) {
      return false;
    }
    if (!rest_.starts_with('<')) {
      result.kind = Kind::structure;
      for (const auto& [name, kind] : simple_kinds) {
        if (name == word) {
          result.kind = kind;
          return true;
        }
      }
      result.name = std::string{word};
      return true;
    }
    for (const auto& [name, kind] : outer_kinds) {
      if (name == word) {
        result.kind = kind;
        rest_.remove_prefix(1);
        return type(result.inner.emplace_back(), depth + 1) && take_close();
      }
    }
    return false;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take_word() {
    std::size_t length = 0;
    while (length < rest_.size() && rest_[length] != '<' && rest_[length] != '>' &&
           std::isgraph(static_cast<unsigned char>(rest_[length])) != 0) {
      ++length;
    }
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }
  bool take_close() {
    if (!rest_.starts_with('>')) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

base::Result<TypeText> parse_type(std::string_view text) {
  Parser parser{text};
  TypeText type;
  if (!parser.type(type, 1) || !parser.at_end()) {
    return base::Error{base::Errc::malformed, "'" + std::string{text} + "' is not a type"};
  }
  return type;
}

std::string to_string(const TypeText& type) {
  for (const auto& [name, kind] : simple_kinds) {
    if (kind == type.kind) {
      return std::string{name};
    }
  }
  for (const auto& [name, kind] : outer_kinds) {
    if (kind == type.kind) {
      return std::string{name} + "<" + to_string(type.inner.at(0)) + ">";
    }
  }
  return type.name;
}

}  // namespace troupe::cli
