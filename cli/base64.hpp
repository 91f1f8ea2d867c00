#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace troupe::cli {

/// RFC 4648, with padding: how JSON writes a field of type bytes.
[[nodiscard]] std::string to_base64(base::ByteView bytes);

/// Empty if the text is not exactly what to_base64() would write.
[[nodiscard]] std::optional<base::Bytes> from_base64(std::string_view text);

}  // namespace troupe::cli
