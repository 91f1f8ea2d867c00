#include "cli/json_payload.hpp"

#include <algorithm>
#include <utility>

#include "base/suggest.hpp"
#include "cli/base64.hpp"
#include "cli/json.hpp"
#include "cli/type_text.hpp"

namespace troupe::cli {

namespace {

using Kind = TypeText::Kind;

constexpr std::size_t shown_letters_max = 40;
constexpr int described_depth_max = 3;

const base::StructSchema* find_struct(const Structs& structs, std::string_view name) {
  const auto found = std::find_if(structs.begin(), structs.end(),
                                  [&](const auto& one) { return one.name == name; });
  return found == structs.end() ? nullptr : &*found;
}

std::string shown(const Value& value) {
  std::string text = to_json(value);
  if (text.size() > shown_letters_max) {
    std::size_t length = shown_letters_max;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) {
      --length;
    }
    text = text.substr(0, length) + "…";
  }
  return text;
}

/// Writes one payload; the first thing that does not fit is kept as the error.
class Encoder {
 public:
  Encoder(const Structs& structs, base::Bytes& out) : structs_(structs), writer_(out) {}

  bool structure(std::string_view name, const Value& value) {
    const auto* schema = find_struct(structs_, name);
    if (schema == nullptr) {
      return broken("no fields known of '" + std::string{name} + "'");
    }
    const auto* fields = value.object();
    if (fields == nullptr) {
      return misfit(std::string{name} + " as an object", value);
    }
    writer_.map(fields->size());
    for (const auto& field : *fields) {
      const auto known = std::find_if(schema->fields.begin(), schema->fields.end(),
                                      [&](const auto& one) { return one.name == field.name; });
      if (known == schema->fields.end()) {
        return unknown_field(*schema, field.name);
      }
      const auto type = parse_type(known->type);
      if (!type.ok()) {
        return broken(type.error().context);
      }
      writer_.text(field.name);
      if (!this->value(*type, field.value)) {
        return inside(field.name);
      }
    }
    return true;
  }

  [[nodiscard]] base::Error error() const {
    return {code_, place_.empty() ? problem_ : place_ + ": " + problem_};
  }

 private:
  bool value(const TypeText& type, const Value& given) {
    switch (type.kind) {
      case Kind::boolean: return boolean(given);
      case Kind::integer: return integer(given);
      case Kind::floating: return floating(given);
      case Kind::text: return text(given);
      case Kind::bytes: return bytes(given);
      case Kind::ref: return misfit("ref, which only an actor can send", given);
      case Kind::list: return list(type, given);
      case Kind::map: return map(type, given);
      case Kind::structure: return structure(type.name, given);
      case Kind::optional: break;
    }
    if (!given.is_null()) {
      return value(type.inner.at(0), given);
    }
    writer_.nil();
    return true;
  }

  bool boolean(const Value& given) {
    const auto* flag = std::get_if<bool>(&given.data);
    if (flag == nullptr) {
      return misfit("bool", given);
    }
    writer_.boolean(*flag);
    return true;
  }
  bool integer(const Value& given) {
    if (const auto* number = std::get_if<std::int64_t>(&given.data)) {
      writer_.signed_integer(*number);
      return true;
    }
    if (const auto* large = std::get_if<std::uint64_t>(&given.data)) {
      writer_.unsigned_integer(*large);
      return true;
    }
    return misfit("int", given);
  }
  bool floating(const Value& given) {
    if (const auto* number = std::get_if<double>(&given.data)) {
      writer_.floating(*number);
      return true;
    }
    return std::holds_alternative<std::int64_t>(given.data) ||
                   std::holds_alternative<std::uint64_t>(given.data)
               ? integer(given)
               : misfit("float", given);
  }
  bool text(const Value& given) {
    if (given.text() == nullptr) {
      return misfit("string", given);
    }
    writer_.text(*given.text());
    return true;
  }
  bool bytes(const Value& given) {
    const auto decoded = given.text() ? from_base64(*given.text()) : std::nullopt;
    if (!decoded) {
      return misfit("bytes as base64 text", given);
    }
    writer_.binary(*decoded);
    return true;
  }
  bool list(const TypeText& type, const Value& given) {
    const auto* elements = given.list();
    if (elements == nullptr) {
      return misfit(to_string(type), given);
    }
    writer_.array(elements->size());
    for (std::size_t i = 0; i < elements->size(); ++i) {
      if (!value(type.inner.at(0), (*elements)[i])) {
        return inside(std::to_string(i));
      }
    }
    return true;
  }
  bool map(const TypeText& type, const Value& given) {
    const auto* fields = given.object();
    if (fields == nullptr) {
      return misfit(to_string(type), given);
    }
    writer_.map(fields->size());
    for (const auto& field : *fields) {
      writer_.text(field.name);
      if (!value(type.inner.at(0), field.value)) {
        return inside(field.name);
      }
    }
    return true;
  }

  bool unknown_field(const base::StructSchema& schema, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& field : schema.fields) {
      names.push_back(field.name);
    }
    const std::string hint = base::did_you_mean(name, names);
    problem_ = schema.name + " has no such field" + (hint.empty() ? "" : "; " + hint);
    return inside(name);
  }
  bool misfit(std::string_view expected, const Value& got) {
    problem_ = "expected ";
    problem_ += expected;
    problem_ += ", got " + shown(got);
    return false;
  }
  bool broken(std::string what) {
    code_ = base::Errc::internal;
    problem_ = std::move(what);
    return false;
  }
  bool inside(std::string_view name) {
    place_.insert(0, "/" + std::string{name});
    return false;
  }

  const Structs& structs_;
  base::WireWriter writer_;
  base::Errc code_ = base::Errc::invalid_argument;
  std::string place_;
  std::string problem_;
};

void write_untyped(base::WireWriter& out, const Value& value) {
  std::visit(
      [&](const auto& held) {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>) {
          out.nil();
        } else if constexpr (std::is_same_v<Held, bool>) {
          out.boolean(held);
        } else if constexpr (std::is_same_v<Held, std::int64_t>) {
          out.signed_integer(held);
        } else if constexpr (std::is_same_v<Held, std::uint64_t>) {
          out.unsigned_integer(held);
        } else if constexpr (std::is_same_v<Held, double>) {
          out.floating(held);
        } else if constexpr (std::is_same_v<Held, std::string>) {
          out.text(held);
        } else if constexpr (std::is_same_v<Held, Value::List>) {
          out.array(held.size());
          for (const auto& element : held) {
            write_untyped(out, element);
          }
        } else {
          out.map(held.size());
          for (const auto& field : held) {
            out.text(field.name);
            write_untyped(out, field.value);
          }
        }
      },
      value.data);
}

bool read_integer(base::WireReader& in, Value& value) {
  // A failed read stays failed, so the signed attempt is made on a copy.
  base::WireReader attempt = in;
  std::int64_t number = 0;
  if (attempt.signed_integer(number, INT64_MIN, INT64_MAX)) {
    in = attempt;
    value = Value{number};
    return true;
  }
  std::uint64_t large = 0;
  if (!in.unsigned_integer(large, UINT64_MAX)) {
    return false;
  }
  value = Value{large};
  return true;
}

bool read_value(base::WireReader& in, Value& value);

bool read_list(base::WireReader& in, Value& value) {
  std::uint32_t count = 0;
  if (!in.enter_array(count)) {
    return false;
  }
  Value::List list;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!read_value(in, list.emplace_back())) {
      return in.fail_inside(std::to_string(i));
    }
  }
  in.leave();
  value = Value{std::move(list)};
  return true;
}

bool read_map(base::WireReader& in, Value& value) {
  std::uint32_t count = 0;
  if (!in.enter_map(count)) {
    return false;
  }
  Value::Object fields;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view name;
    if (!in.text(name)) {
      return false;
    }
    auto& field = fields.emplace_back(std::string{name}, Value{});
    if (!read_value(in, field.value)) {
      return in.fail_inside(field.name);
    }
  }
  in.leave();
  value = Value{std::move(fields)};
  return true;
}

bool read_value(base::WireReader& in, Value& value) {
  using Wire = base::WireReader::Kind;
  bool flag = false;
  double real = 0;
  std::string_view text;
  base::ByteView bytes;
  switch (in.peek()) {
    case Wire::nil: value = Value{}; return in.nil();
    case Wire::boolean:
      if (!in.boolean(flag)) return false;
      value = Value{flag};
      return true;
    case Wire::integer: return read_integer(in, value);
    case Wire::floating:
      if (!in.floating(real)) return false;
      value = Value{real};
      return true;
    case Wire::text:
      if (!in.text(text)) return false;
      value = Value{std::string{text}};
      return true;
    case Wire::binary:
      if (!in.binary(bytes)) return false;
      value = Value{to_base64(bytes)};
      return true;
    case Wire::array: return read_list(in, value);
    case Wire::map: return read_map(in, value);
    case Wire::extension:
    case Wire::end: break;
  }
  return in.skip();
}

std::string described(const Structs& structs, std::string_view name, int depth) {
  const auto* schema = find_struct(structs, name);
  if (schema == nullptr || depth == 0) {
    return std::string{name};
  }
  std::string out = "{";
  for (const auto& field : schema->fields) {
    out += out.size() > 1 ? ", \"" : "\"";
    out += field.name + "\": " + described(structs, field.type, depth - 1);
  }
  return out + "}";
}

}  // namespace

base::Result<base::Bytes> encode_payload(const Structs& structs, std::string_view name,
                                         const Value& payload) {
  base::Bytes out;
  Encoder encoder{structs, out};
  if (!encoder.structure(name, payload)) {
    return encoder.error();
  }
  return out;
}

base::Bytes encode_untyped(const Value& payload) {
  base::Bytes out;
  base::WireWriter writer{out};
  write_untyped(writer, payload);
  return out;
}

base::Result<Value> decode_value(base::ByteView body) {
  base::WireReader reader{body};
  Value value;
  if (!read_value(reader, value)) {
    return reader.error();
  }
  if (!reader.at_end()) {
    return base::Error{base::Errc::malformed,
                       std::to_string(reader.remaining_bytes()) + " bytes too many"};
  }
  return value;
}

std::string describe_struct(const Structs& structs, std::string_view name) {
  return described(structs, name, described_depth_max);
}

}  // namespace troupe::cli
