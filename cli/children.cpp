#include "cli/children.hpp"

#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

namespace troupe::cli {

namespace {

constexpr int signals_caught[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};

/// Holds all signals back for a scope.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

std::string how_ended(int status) {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "exit code " + std::to_string(WEXITSTATUS(status));
}

/// In the new process; only what is allowed between fork and exec.
[[noreturn]] void become(char* const* words, pid_t parent) {
  // In a group of its own ctrl-c does not reach it: the parent passes it on, in order.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) {
    _exit(0);
  }
  // Until exec this program's handlers are in place, which would tell the parent of our signals.
  for (const int caught : signals_caught) {
    std::signal(caught, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(words[0], words);
  _exit(127);
}

}  // namespace

class Children::State {
 public:
  State() : signals_(io_) {
    for (const int caught : signals_caught) {
      signals_.add(caught);
    }
    expect_signal();
  }
  ~State() {
    for (const auto& [pid, name] : running_) {
      kill(pid, SIGKILL);
    }
    for (const auto& [pid, name] : running_) {
      waitpid(pid, nullptr, 0);
    }
  }

  base::Result<void> start(const ChildCommand& command) {
    if (access(command.words.at(0).c_str(), X_OK) != 0) {
      return base::Error{base::Errc::not_found, command.words[0] + ": " + std::strerror(errno)};
    }
    std::vector<char*> words;
    for (const auto& word : command.words) {
      words.push_back(const_cast<char*>(word.c_str()));  // execv's signature predates const
    }
    words.push_back(nullptr);
    const pid_t parent = getpid();
    const SignalsBlocked blocked;
    const pid_t pid = fork();
    if (pid == 0) {
      become(words.data(), parent);
    }
    if (pid < 0) {
      return base::Error{base::Errc::unavailable, std::strerror(errno)};
    }
    running_[pid] = command.name;
    return {};
  }

  void poll() { io_.poll(); }
  void wait() {
    io_.run_one();
    io_.poll();
  }

  void stop() {
    for (const auto& [pid, name] : running_) {
      kill(pid, stop_requested_ ? SIGKILL : SIGTERM);
    }
    stop_requested_ = true;
  }

  [[nodiscard]] bool stop_requested() const { return stop_requested_; }
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  [[nodiscard]] std::vector<ChildEnd> take_ended() { return std::exchange(ended_, {}); }

 private:
  void expect_signal() {
    signals_.async_wait([this](const asio::error_code& error, int signal) {
      if (error) {
        return;
      }
      if (signal == SIGCHLD) {
        reap();
      } else {
        stop();
      }
      expect_signal();
    });
  }

  void reap() {
    for (auto child = running_.begin(); child != running_.end();) {
      int status = 0;
      if (waitpid(child->first, &status, WNOHANG) == child->first) {
        ended_.push_back({child->second, how_ended(status)});
        child = running_.erase(child);
      } else {
        ++child;
      }
    }
  }

  asio::io_context io_;
  asio::signal_set signals_;
  std::map<pid_t, std::string> running_;
  std::vector<ChildEnd> ended_;
  bool stop_requested_ = false;
};

Children::Children() : state_(std::make_unique<State>()) {}
Children::~Children() = default;
base::Result<void> Children::start(const ChildCommand& command) {
  return state_->start(command);
}
void Children::poll() {
  state_->poll();
}
void Children::wait() {
  state_->wait();
}
void Children::stop() {
  state_->stop();
}
bool Children::stop_requested() const {
  return state_->stop_requested();
}
std::size_t Children::running() const {
  return state_->running();
}
std::vector<ChildEnd> Children::take_ended() {
  return state_->take_ended();
}

}  // namespace troupe::cli
