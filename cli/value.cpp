#include "cli/value.hpp"

#include <array>
#include <limits>
#include <utility>

namespace troupe::cli {

Value::Value() = default;
Value::Value(bool value) : data(value) {}
Value::Value(std::int64_t value) : data(value) {}
Value::Value(std::uint64_t value) {
  if (std::in_range<std::int64_t>(value)) {
    data = static_cast<std::int64_t>(value);
  } else {
    data = value;
  }
}
Value::Value(double value) : data(value) {}
Value::Value(std::string value) : data(std::move(value)) {}
Value::Value(const char* value) : data(std::string{value}) {}
Value::Value(List value) : data(std::move(value)) {}
Value::Value(Object value) : data(std::move(value)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

bool Value::operator==(const Value& other) const {
  return data == other.data;
}

bool Value::is_null() const {
  return std::holds_alternative<std::monostate>(data);
}
const std::string* Value::text() const {
  return std::get_if<std::string>(&data);
}
const Value::List* Value::list() const {
  return std::get_if<List>(&data);
}
const Value::Object* Value::object() const {
  return std::get_if<Object>(&data);
}

const Value* Value::find(std::string_view name) const {
  if (const Object* fields = object()) {
    for (const auto& field : *fields) {
      if (field.name == name) {
        return &field.value;
      }
    }
  }
  return nullptr;
}

std::string_view Value::kind_name() const {
  static constexpr std::array<std::string_view, std::variant_size_v<decltype(data)>> names{
      "null", "bool", "int", "int", "float", "string", "list", "object"};
  return names[data.index()];
}

}  // namespace troupe::cli
