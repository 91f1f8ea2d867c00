#include "actors/asio_executor.hpp"

#include <gtest/gtest.h>

#include <asio/bind_executor.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <latch>
#include <thread>

#include "actors/testing/stepped_test.hpp"
#include "actors/worker_pool.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

struct Nap {
  using Reply = std::string;
  std::int64_t ms = 0;
  TROUPE_MESSAGE(Nap, ms)
};
struct Post {
  TROUPE_MESSAGE(Post)
};
struct Fail {
  TROUPE_MESSAGE(Fail)
};
struct Drop {
  using Reply = std::string;
  TROUPE_MESSAGE(Drop)
};
struct Log {
  using Reply = std::string;
  TROUPE_MESSAGE(Log)
};

class Sleeper : public Actor {
 public:
  using Protocol = actors::Protocol<Nap, Post, Fail, Drop, Log>;
  Sleeper(std::shared_ptr<asio::io_context> io, std::shared_ptr<asio::steady_timer> timer)
      : io_(std::move(io)), timer_(std::move(timer)) {}
  Task<std::string> on(Nap m) {
    timer_->expires_after(std::chrono::milliseconds{m.ms});
    auto expiry = timer_->async_wait(use_troupe.keeping(timer_));
    const asio::error_code error = co_await expiry;
    log_ += "woke;";
    co_return error == asio::error::operation_aborted ? "aborted" : error.message();
  }
  void on(const Post&) {
    const auto executor = ActorExecutor::of_current_actor();
    asio::post(executor, [this] { log_ += "posted;"; });
    asio::post(*io_, asio::bind_executor(executor, [this] { log_ += "bound;"; }));
    const asio::any_io_executor any{executor};
    any.execute([this, only = std::make_unique<int>(1)] { log_ += *only == 1 ? "any;" : ""; });
  }
  void on(const Fail&) {
    asio::post(*io_, asio::bind_executor(ActorExecutor::of_current_actor(),
                                         [this] { log_ += "for the object that crashed;"; }));
    throw std::runtime_error{"fails"};
  }
  /// As when an io_context ends with its handlers.
  Task<std::string> on(Drop) {
    auto lost = asio::async_initiate<const UseTroupe, void(asio::error_code)>(
        [](auto handler) { (void)handler; }, use_troupe);
    const asio::error_code error = co_await lost;
    co_return error == asio::error::operation_aborted ? "aborted" : error.message();
  }
  std::string on(const Log&) { return log_; }

 private:
  std::shared_ptr<asio::io_context> io_;
  std::shared_ptr<asio::steady_timer> timer_;
  std::string log_;
};

/// Runs the io_context by hand, on the test's thread.
class AsioStepped : public testing::SteppedTest {
 protected:
  ActorRef<Sleeper> spawn_sleeper() { return spawn<Sleeper>({}, io, timer); }
  void run_io() {
    io->restart();
    io->run();
    run();
  }
  std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>();
  std::shared_ptr<asio::steady_timer> timer = std::make_shared<asio::steady_timer>(*io);
};

TEST_F(AsioStepped, OperationIsAwaitedInAHandler) {
  auto sleeper = spawn_sleeper();
  auto nap = sleeper.ask(Nap{0}, 1s);
  auto log = sleeper.ask(Log{}, 1s);
  run();
  EXPECT_FALSE(nap.is_ready());
  EXPECT_FALSE(log.is_ready());  // the coroutine holds the mailbox
  run_io();
  EXPECT_EQ(nap.get().value(), "Success");
  EXPECT_EQ(log.get().value(), "woke;");
}

TEST_F(AsioStepped, CancelledOperationCompletesWithItsError) {
  auto nap = spawn_sleeper().ask(Nap{1'000'000}, 1s);
  run();
  timer->cancel();
  run_io();
  EXPECT_EQ(nap.get().value(), "aborted");
}

TEST_F(AsioStepped, OperationThatIsNeverCompletedIsAborted) {
  EXPECT_EQ(ask(spawn_sleeper(), Drop{}).value(), "aborted");
}

TEST_F(AsioStepped, OperationMayOutliveItsActor) {
  auto sleeper = spawn_sleeper();
  auto nap = sleeper.ask(Nap{0}, 1s);
  run();
  system.stop(sleeper);
  run();
  run_io();
  EXPECT_EQ(nap.get().error().kind, AskError::Kind::may_have_run);
}

TEST_F(AsioStepped, ExecutorRunsFunctionsInTheActor) {
  auto sleeper = spawn_sleeper();
  (void)sleeper.tell(Post{});
  run();
  run_io();
  EXPECT_EQ(ask(sleeper, Log{}).value(), "posted;any;bound;");
}

TEST_F(AsioStepped, WhatWasMeantForAnObjectThatCrashedIsDropped) {
  auto sleeper = spawn_sleeper();
  (void)sleeper.tell(Fail{});
  run();
  advance(1s);
  run_io();
  EXPECT_EQ(ask(sleeper, Log{}).value(), "");
}

// Sockets, with a thread that drives Asio.

struct Echo {
  using Reply = std::string;
  std::string text;
  TROUPE_MESSAGE(Echo, text)
};
struct Serve {
  TROUPE_MESSAGE(Serve)
};
using Tcp = asio::ip::tcp;

class Client : public Actor {
 public:
  using Protocol = actors::Protocol<Echo>;
  explicit Client(std::shared_ptr<Tcp::socket> socket) : socket_(std::move(socket)) {}
  Task<std::string> on(Echo m) {
    auto bytes = std::make_shared<std::string>(m.text);
    auto writing = asio::async_write(*socket_, asio::buffer(*bytes), use_troupe.keeping(bytes));
    const auto [error, written] = co_await writing;
    auto answer = std::make_shared<std::string>(written, ' ');
    auto reading = asio::async_read(*socket_, asio::buffer(*answer), use_troupe.keeping(answer));
    const auto [read_error, read] = co_await reading;
    co_return !error && !read_error ? answer->substr(0, read) : "broken";
  }

 private:
  std::shared_ptr<Tcp::socket> socket_;
};

class Server : public Actor {
 public:
  using Protocol = actors::Protocol<Serve>;
  explicit Server(std::shared_ptr<Tcp::socket> socket) : socket_(std::move(socket)) {}
  Task<void> on(Serve) {
    auto bytes = std::make_shared<std::array<char, 64>>();
    for (;;) {
      auto reading = socket_->async_read_some(asio::buffer(*bytes), use_troupe.keeping(bytes));
      const auto [error, count] = co_await reading;
      if (error) {
        co_return;
      }
      auto writing = asio::async_write(*socket_, asio::buffer(bytes->data(), count),
                                       use_troupe.keeping(bytes));
      const auto written = co_await writing;
      if (std::get<0>(written)) {
        co_return;
      }
    }
  }

 private:
  std::shared_ptr<Tcp::socket> socket_;
};

TEST(AsioExecutor, ActorsTalkOverSocketsThatAThreadDrives) {
  asio::io_context io;
  Tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  const auto near = std::make_shared<Tcp::socket>(io);
  near->connect(acceptor.local_endpoint());
  const auto far = std::make_shared<Tcp::socket>(acceptor.accept());
  auto work = asio::make_work_guard(io);
  std::thread driver{[&io] { io.run(); }};

  const base::SteadyClock clock;
  WorkerPool pool{{.workers = 2}};
  {
    ActorSystem system{ActorSystemOptions{}, clock, pool};
    pool.start();
    auto server = system.spawn<Server>({}, far).value();
    auto client = system.spawn<Client>({}, near).value();
    EXPECT_EQ(server.tell(Serve{}), base::Outcome::accepted);
    for (int i = 0; i < 100; ++i) {
      const std::string text(static_cast<std::size_t>(1 + i % 50), static_cast<char>('a' + i % 26));
      EXPECT_EQ(client.ask(Echo{text}, 1min).get().value(), text);
    }
    asio::post(io, [near] { near->close(); });
    std::latch stopped{1};
    system.stop_all([&] { stopped.count_down(); });
    stopped.wait();
    work.reset();
    io.stop();
    driver.join();
    pool.stop();
  }
}

}  // namespace
}  // namespace troupe::actors
