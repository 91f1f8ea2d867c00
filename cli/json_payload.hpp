#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/errors.hpp"
#include "base/schema.hpp"
#include "cli/value.hpp"

namespace troupe::cli {

using Structs = std::vector<base::StructSchema>;

/// A payload as the body of the struct's message: a MessagePack map by field name. Fields may be
/// left out; bytes are base64 text.
///
/// invalid_argument: the payload does not fit, with place and reason: "/qty: expected int, got
/// \"two\"". internal: the schema is broken.
[[nodiscard]] base::Result<base::Bytes> encode_payload(const Structs& structs,
                                                       std::string_view name, const Value& payload);

/// The same without a schema, for actors that do not describe themselves.
[[nodiscard]] base::Bytes encode_untyped(const Value& payload);

/// Any MessagePack value without extensions, as the bodies of replies are; bytes become base64.
[[nodiscard]] base::Result<Value> decode_value(base::ByteView body);

/// What would fit: {"by": int}, with structs inside written out.
[[nodiscard]] std::string describe_struct(const Structs& structs, std::string_view name);

}  // namespace troupe::cli
