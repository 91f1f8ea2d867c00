#include "transport/address.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::transport {

namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

base::Error bad_address(std::string_view text, std::string_view why) {
  return {base::Errc::invalid_argument, "address '" + std::string{text.substr(0, 300)} + "' " +
                                            std::string{why} +
                                            "; it must look like tcp://127.0.0.1:7400"};
}

}  // namespace

std::string Address::text() const {
  return "tcp://" + host + ":" + std::to_string(port);
}

bool Address::is_wildcard() const {
  return host == "*" || host == "0.0.0.0";
}

base::Result<Address> parse_address(std::string_view text) {
  constexpr std::string_view scheme = "tcp://";
  if (!text.starts_with(scheme)) {
    return bad_address(text, "does not begin with tcp://");
  }
  const std::string_view rest = text.substr(scheme.size());
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) {
    return bad_address(text, "has no port");
  }
  const std::string_view host = rest.substr(0, colon);
  const std::string_view port_text = rest.substr(colon + 1);
  if (host.empty() || host.size() > 253 ||
      (host != "*" && !std::all_of(host.begin(), host.end(), is_name_char))) {
    return bad_address(text, "has no valid host");
  }
  Address address{.host = std::string{host}};
  const char* end = port_text.data() + port_text.size();
  const auto [stop, failure] = std::from_chars(port_text.data(), end, address.port);
  if (port_text.empty() || failure != std::errc{} || stop != end) {
    return bad_address(text, "has no valid port (0 to 65535)");
  }
  return address;
}

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), is_name_char);
}

}  // namespace troupe::transport
