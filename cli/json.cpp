#include "cli/json.hpp"

#include <nlohmann/json.hpp>

namespace troupe::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Builds a Value from the parser's events; returning false ends the parsing.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Value{}); }
  bool boolean(bool value) override { return add(Value{value}); }
  bool number_integer(number_integer_t value) override { return add(Value{value}); }
  bool number_unsigned(number_unsigned_t value) override { return add(Value{value}); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == string_t::npos) {
      return fail("expected an int of at most 64 bits, got " + text);
    }
    return add(Value{value});
  }
  bool string(string_t& value) override { return add(Value{std::move(value)}); }
  bool binary(binary_t&) override { return fail("binary"); }

  bool start_object(std::size_t) override { return open(Value{Value::Object{}}); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Value{Value::List{}}); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& fields = std::get<Value::Object>(open_.back().data);
    for (const auto& field : fields) {
      if (field.name == name) {
        fields.push_back({name, {}});
        return fail("given twice");
      }
    }
    fields.push_back({std::move(name), {}});
    return true;
  }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& error) override {
    std::string text = error.what();
    const auto start = text.find("parse error at ");
    problem_ = start == std::string::npos ? text : "at " + text.substr(start + 15);
    return false;
  }

  base::Result<Value> take(bool complete) {
    if (!complete) {
      return base::Error{code_, problem_};
    }
    return std::move(root_);
  }

 private:
  bool add(Value&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* list = std::get_if<Value::List>(&open_.back().data)) {
      list->push_back(std::move(value));
    } else {
      std::get<Value::Object>(open_.back().data).back().value = std::move(value);
    }
    return true;
  }
  bool open(Value&& container) {
    if (open_.size() == json_depth_max) {
      return fail("expected at most " + std::to_string(json_depth_max) + " nested levels");
    }
    open_.push_back(std::move(container));
    return true;
  }
  bool close() {
    Value done = std::move(open_.back());
    open_.pop_back();
    return add(std::move(done));
  }
  bool fail(const std::string& what) {
    std::string place;
    for (const auto& one : open_) {
      place += '/';
      const auto* list = one.list();
      place += list ? std::to_string(list->size())
                    : (one.object()->empty() ? "" : one.object()->back().name);
    }
    code_ = base::Errc::invalid_argument;
    problem_ = place.empty() ? what : place + ": " + what;
    return false;
  }

  Value root_;
  std::vector<Value> open_;
  base::Errc code_ = base::Errc::malformed;
  std::string problem_;
};

Json to_library(const Value& value) {
  return std::visit(
      [](const auto& held) -> Json {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Held, Value::List>) {
          Json list = Json::array();
          for (const auto& element : held) {
            list.push_back(to_library(element));
          }
          return list;
        } else if constexpr (std::is_same_v<Held, Value::Object>) {
          Json object = Json::object();
          for (const auto& field : held) {
            object[field.name] = to_library(field.value);
          }
          return object;
        } else {
          return held;
        }
      },
      value.data);
}

}  // namespace

base::Result<Value> parse_json(std::string_view text) {
  Builder builder;
  const bool complete = nlohmann::json::sax_parse(text, &builder);
  return builder.take(complete);
}

std::string to_json(const Value& value, JsonStyle style) {
  return to_library(value).dump(style == JsonStyle::indented ? 2 : -1, ' ', false,
                                Json::error_handler_t::replace);
}

}  // namespace troupe::cli
