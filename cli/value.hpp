#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::cli {

/// What JSON can say, with exact 64-bit integers and fields in their order: payloads, replies and
/// everything that is printed. Not thread-safe.
struct Value {
  struct Field;
  using List = std::vector<Value>;
  using Object = std::vector<Field>;

  /// std::uint64_t only holds what std::int64_t cannot.
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, List, Object>
      data;

  Value();
  Value(bool value);
  Value(std::int64_t value);
  Value(std::uint64_t value);
  Value(double value);
  Value(std::string value);
  Value(const char* value);
  Value(List value);
  Value(Object value);
  Value(int value) : Value(static_cast<std::int64_t>(value)) {}
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  bool operator==(const Value& other) const;

  [[nodiscard]] bool is_null() const;
  [[nodiscard]] const std::string* text() const;
  [[nodiscard]] const List* list() const;
  [[nodiscard]] const Object* object() const;
  /// The field's value; null if this is no object or has no such field.
  [[nodiscard]] const Value* find(std::string_view name) const;
  /// "null", "bool", "int", "float", "string", "list" or "object".
  [[nodiscard]] std::string_view kind_name() const;
};

struct Value::Field {
  std::string name;
  Value value;
  bool operator==(const Field&) const = default;
};

}  // namespace troupe::cli
