#include "node/http.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

namespace troupe::node {
namespace {

/// One TCP connection to 127.0.0.1.
class Connection {
 public:
  explicit Connection(const std::string& address) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    const int port = std::stoi(address.substr(address.rfind(':') + 1));
    to.sin_port = ::htons(static_cast<std::uint16_t>(port));
    is_open_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Everything until the other side closes.
  std::string talk(const std::string& request) {
    std::string answer;
    if (!is_open_ || ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
                         static_cast<ssize_t>(request.size())) {
      return "no connection";
    }
    char buffer[4096];
    for (ssize_t n = 0; (n = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(n));
    }
    return answer;
  }
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  int socket_;
  bool is_open_ = false;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() { start(); }
  void start() {
    const auto started = server.start();
    ASSERT_TRUE(started.ok()) << started.error().text();
  }
  std::string get(const std::string& path, const std::string& host = "127.0.0.1") {
    return Connection{server.address()}.talk("GET " + path + " HTTP/1.1\r\nHost: " + host +
                                             "\r\n\r\n");
  }
  static std::string body_of(const std::string& answer) {
    const auto end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "" : answer.substr(end + 4);
  }

  std::atomic<bool> is_ready{true};
  HttpServer server{"127.0.0.1:0",
                    {.health =
                         [this] {
                           return control::HealthReply{
                               .live = true, .ready = is_ready, .reason = "joining the cluster"};
                         },
                     .metrics = [] { return std::string{"troupe_actors 3\n"}; }}};
};

TEST_F(HttpServerTest, SaysThatTheNodeIsReady) {
  for (const char* path : {"/livez", "/readyz", "/readyz?verbose"}) {
    const std::string answer = get(path);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
    EXPECT_EQ(body_of(answer), "ok\n");
  }
}

TEST_F(HttpServerTest, SaysWhyTheNodeIsNotReady) {
  is_ready = false;
  const std::string answer = get("/readyz");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_EQ(body_of(answer), "joining the cluster\n");
  EXPECT_TRUE(get("/livez").starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ServesTheMetrics) {
  const std::string answer = get("/metrics");
  EXPECT_NE(answer.find("version=0.0.4"), std::string::npos) << answer;
  EXPECT_EQ(body_of(answer), "troupe_actors 3\n");
}

TEST_F(HttpServerTest, ServesNothingElse) {
  EXPECT_TRUE(get("/").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(get("/metrics/../x").starts_with("HTTP/1.1 404 "));
  Connection poster{server.address()};
  EXPECT_TRUE(poster.talk("DELETE /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                  .starts_with("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, AnswersOnlyToItsOwnNamesOnLoopback) {
  for (const char* own : {"localhost", "localhost:9100", "127.0.0.1:80", "[::1]:80"}) {
    EXPECT_TRUE(get("/livez", own).starts_with("HTTP/1.1 200 ")) << own;
  }
  for (const char* other : {"example.org", "localhost.example.org:80", "", "127.evil.org"}) {
    EXPECT_TRUE(get("/livez", other).starts_with("HTTP/1.1 403 ")) << other;
  }
}

TEST_F(HttpServerTest, ClosesWhatIsNoRequest) {
  for (const std::string& bytes :
       {std::string{"\x16\x03\x01 hello\r\n\r\n"},
        "GET /" + std::string(10'000, 'a') + " HTTP/1.1\r\n\r\n",
        std::string{"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"}}) {
    const std::string answer = Connection{server.address()}.talk(bytes);
    EXPECT_FALSE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  }
  EXPECT_TRUE(get("/livez").starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, SaysThatItsAddressIsTaken) {
  HttpServer second{server.address(), {}};
  const auto started = second.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, base::Errc::address_in_use);
  EXPECT_NE(started.error().context.find(server.address()), std::string::npos);
}

TEST_F(HttpServerTest, StopsWithOpenConnectionsAndTwice) {
  Connection idle{server.address()};
  EXPECT_TRUE(idle.is_open());
  EXPECT_TRUE(get("/livez").starts_with("HTTP/1.1 200 "));
  const std::string address = server.address();
  server.stop();
  server.stop();
  EXPECT_FALSE(Connection{address}.is_open());
}

TEST(HttpServerAddress, MustBeOneOfThisMachine) {
  for (const char* address : {"", "9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000",
                              "example.org:80", "192.0.2.1:80"}) {
    HttpServer server{address, {}};
    const auto started = server.start();
    ASSERT_FALSE(started.ok()) << address;
    EXPECT_EQ(started.error().code, base::Errc::invalid_argument) << started.error().text();
  }
}

}  // namespace
}  // namespace troupe::node
