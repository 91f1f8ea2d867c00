// Asio's operations in handlers: two actors talk over a socket, and neither holds a thread while it
// waits. What an operation uses is kept until it has ended, also if its actor ends first.
#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <cctype>
#include <iostream>
#include <memory>
#include <thread>
#include <troupe/asio.hpp>
#include <troupe/troupe.hpp>

using namespace std::chrono_literals;
using asio::ip::tcp;

struct Serve {
  TROUPE_MESSAGE(Serve)
};
struct Shout {
  using Reply = std::string;
  std::string word;
  TROUPE_MESSAGE(Shout, word)
};

/// What the operations on one connection use.
struct Connection {
  explicit Connection(asio::io_context& io) : socket(io) {}
  tcp::socket socket;
  std::array<char, 5> word{};
};

/// Takes one caller, and answers one word in capitals.
class Server : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Serve>;
  Server(asio::io_context* io, std::shared_ptr<tcp::acceptor> acceptor)
      : io_(io), acceptor_(std::move(acceptor)) {}

  troupe::Task<> on(Serve) {
    const auto with = std::make_shared<Connection>(*io_);
    auto accepting = acceptor_->async_accept(with->socket, troupe::use_troupe.keeping(with));
    const asio::error_code refused = co_await accepting;
    auto reading =
        asio::async_read(with->socket, asio::buffer(with->word), troupe::use_troupe.keeping(with));
    const auto [lost, size] = co_await reading;
    if (refused || lost || size != with->word.size()) {
      throw troupe::Refusal{"nobody called"};
    }
    for (char& letter : with->word) {
      letter = static_cast<char>(std::toupper(letter));
    }
    auto writing =
        asio::async_write(with->socket, asio::buffer(with->word), troupe::use_troupe.keeping(with));
    const auto [error, written] = co_await writing;
    if (error || written != with->word.size()) {
      throw troupe::Refusal{error.message()};
    }
  }

 private:
  asio::io_context* io_;
  std::shared_ptr<tcp::acceptor> acceptor_;
};

class Caller : public troupe::Actor {
 public:
  using Protocol = troupe::Protocol<Shout>;
  Caller(asio::io_context* io, tcp::endpoint server) : io_(io), server_(server) {}

  troupe::Task<std::string> on(Shout m) {
    const auto with = std::make_shared<Connection>(*io_);
    m.word.copy(with->word.data(), with->word.size());
    auto connecting = with->socket.async_connect(server_, troupe::use_troupe.keeping(with));
    const asio::error_code refused = co_await connecting;
    auto writing =
        asio::async_write(with->socket, asio::buffer(with->word), troupe::use_troupe.keeping(with));
    const auto [lost, written] = co_await writing;
    auto reading =
        asio::async_read(with->socket, asio::buffer(with->word), troupe::use_troupe.keeping(with));
    const auto [error, size] = co_await reading;
    if (refused || lost || error || size != written) {
      throw troupe::Refusal{refused ? refused.message() : error.message()};
    }
    co_return std::string{with->word.data(), size};
  }

 private:
  asio::io_context* io_;
  tcp::endpoint server_;
};

int main(int argc, char** argv) {
  asio::io_context io;
  troupe::Node node{troupe::Config::from_command_line(argc, argv)};
  const auto acceptor =
      std::make_shared<tcp::acceptor>(io, tcp::endpoint{asio::ip::address_v4::loopback(), 0});
  const auto server = node.spawn<Server>({}, &io, acceptor).value();
  const auto caller = node.spawn<Caller>({}, &io, acceptor->local_endpoint()).value();

  auto work = asio::make_work_guard(io);
  std::thread driver{[&io] { io.run(); }};
  auto served = server.ask(Serve{}, 10s);
  const auto answer = caller.ask(Shout{"hello"}, 10s).get();
  const bool has_served = served.get().ok();
  // Before the node ends: what completes then would find no actors.
  work.reset();
  driver.join();

  std::cout << (answer.ok() ? answer.value() : answer.error().text()) << '\n';
  return has_served && answer.ok() && answer.value() == "HELLO" ? 0 : 1;
}
