#include "node/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <restinio/all.hpp>
#include <thread>
#include <utility>

namespace troupe::node {

namespace {

struct Traits : restinio::default_single_thread_traits_t {
  static constexpr bool use_connection_count_limiter = true;
};

constexpr std::size_t url_bytes_max = 2048;
constexpr std::size_t header_bytes_max = 8192;
constexpr std::size_t headers_max = 64;

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// "127.0.0.1:9100", "[::1]:9100", "localhost:9100".
base::Result<HostPort> take_apart(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  HostPort parts;
  if (colon != std::string::npos) {
    parts.host = address.substr(0, colon);
    const char* end = address.data() + address.size();
    const auto [stop, failure] = std::from_chars(address.data() + colon + 1, end, parts.port);
    if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']') {
      parts.host = parts.host.substr(1, parts.host.size() - 2);
    }
    if (!parts.host.empty() && failure == std::errc{} && stop == end) {
      return parts;
    }
  }
  return base::Error{base::Errc::invalid_argument,
                     fmt::format("http address '{}' must look like 127.0.0.1:9100", address)};
}

bool is_loopback_host(std::string host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string::npos && (host.front() == '[' ? host[colon - 1] == ']' : true)) {
    host.resize(colon);
  }
  asio::error_code not_numeric;
  const auto ip = asio::ip::make_address_v4(host, not_numeric);
  return host == "localhost" || host == "[::1]" || (!not_numeric && ip.is_loopback());
}

using Request = restinio::request_handle_t;

restinio::request_handling_status_t answer(const Request& request,
                                           restinio::http_status_line_t status,
                                           const std::string& body,
                                           const char* type = "text/plain; charset=utf-8") {
  auto response = request->create_response(std::move(status));
  response.append_header(restinio::http_field::content_type, type);
  response.append_header(restinio::http_field::cache_control, "no-store");
  response.append_header("X-Content-Type-Options", "nosniff");
  response.connection_close();
  response.set_body(body);
  return response.done();
}

restinio::request_handling_status_t handle(const Request& request,
                                           const HttpServer::Callbacks& callbacks,
                                           bool is_loopback) {
  if (is_loopback &&
      !is_loopback_host(request->header().get_field_or(restinio::http_field::host, ""))) {
    return answer(request, restinio::status_forbidden(),
                  "the Host of this request is not this machine\n");
  }
  if (request->header().method() != restinio::http_method_get()) {
    return answer(request, restinio::status_method_not_allowed(), "only GET is served here\n");
  }
  const auto path = request->header().path();
  if (path == "/metrics") {
    return answer(request, restinio::status_ok(), callbacks.metrics(),
                  "text/plain; version=0.0.4; charset=utf-8");
  }
  const bool is_live_asked = path == "/livez";
  if (!is_live_asked && path != "/readyz") {
    return answer(request, restinio::status_not_found(), "there is /livez, /readyz and /metrics\n");
  }
  const control::HealthReply health = callbacks.health();
  if (is_live_asked ? health.live : health.ready) {
    return answer(request, restinio::status_ok(), "ok\n");
  }
  return answer(request, restinio::status_service_unavailable(), health.reason + "\n");
}

base::Errc code_of(const std::error_code& failure) {
  if (failure == asio::error::address_in_use) {
    return base::Errc::address_in_use;
  }
  if (failure == asio::error::no_descriptors) {
    return base::Errc::limit_exceeded;
  }
  return base::Errc::invalid_argument;
}

}  // namespace

/// RESTinio's own runner is not used: when it fails to bind it reads its state in two threads.
struct HttpServer::Server {
  asio::io_context io;
  restinio::http_server_t<Traits> http;
  std::thread thread;

  explicit Server(restinio::server_settings_t<Traits> settings)
      : http{restinio::external_io_context(io), std::move(settings)} {}
};

HttpServer::HttpServer(std::string address, Callbacks callbacks)
    : address_(std::move(address)), callbacks_(std::move(callbacks)) {}

HttpServer::~HttpServer() {
  stop();
}

base::Result<void> HttpServer::start() {
  auto parts = take_apart(address_);
  if (!parts.ok()) {
    return parts.error();
  }
  if (parts->host == "localhost") {
    parts->host = "127.0.0.1";
  }
  asio::error_code not_numeric;
  const auto ip = asio::ip::make_address(parts->host, not_numeric);
  if (not_numeric) {
    return base::Error{
        base::Errc::invalid_argument,
        fmt::format("http address '{}' must have a numeric host or localhost", address_)};
  }
  std::uint16_t bound_port = 0;
  try {
    restinio::server_settings_t<Traits> settings;
    settings.port(parts->port)
        .address(ip)
        .protocol(ip.is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4())
        .acceptor_post_bind_hook([&bound_port](asio::ip::tcp::acceptor& acceptor) {
          bound_port = acceptor.local_endpoint().port();
        })
        .read_next_http_message_timelimit(request_time_max)
        .write_http_response_timelimit(request_time_max)
        .handle_request_timeout(request_time_max)
        .max_parallel_connections(connections_max)
        .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                      .max_url_size(url_bytes_max)
                                      .max_field_name_size(header_bytes_max)
                                      .max_field_value_size(header_bytes_max)
                                      .max_field_count(headers_max)
                                      .max_body_size(0))
        .request_handler(
            [callbacks = callbacks_, is_loopback = ip.is_loopback()](const Request& request) {
              return handle(request, callbacks, is_loopback);
            });
    server_ = std::make_unique<Server>(std::move(settings));
    server_->http.open_sync();
  } catch (const std::system_error& error) {
    server_.reset();
    return base::Error{code_of(error.code()),
                       fmt::format("http address {}: {}", address_, error.code().message())};
  } catch (const std::exception& error) {
    server_.reset();
    return base::Error{base::Errc::internal,
                       fmt::format("http address {}: {}", address_, error.what())};
  }
  server_->thread = std::thread{[this] { server_->io.run(); }};
  const std::string host = ip.is_v6() ? "[" + parts->host + "]" : parts->host;
  address_ = fmt::format("{}:{}", host, bound_port);
  return {};
}

void HttpServer::stop() {
  if (server_ == nullptr) {
    return;
  }
  asio::post(server_->io, [this] {
    server_->http.close_sync();
    server_->io.stop();
  });
  server_->thread.join();
  server_.reset();
}

}  // namespace troupe::node
