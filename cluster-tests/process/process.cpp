#include "cluster-tests/process/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "base/check.hpp"

extern char** environ;

namespace troupe::cluster_tests {

namespace {

constexpr int cannot_run = 127;

std::vector<char*> pointers(Words& words) {
  std::vector<char*> all;
  for (std::string& word : words) {
    all.push_back(word.data());
  }
  all.push_back(nullptr);
  return all;
}

Words environment_of(const Words& more) {
  Words all{"NO_COLOR=1"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    if (!text.starts_with("TROUPE_") && !text.starts_with("NO_COLOR=")) {
      all.emplace_back(text);
    }
  }
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Closes a file descriptor at the end of its scope.
struct Descriptor {
  explicit Descriptor(int opened) : number(opened) {}
  ~Descriptor() {
    if (number >= 0) {
      ::close(number);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number;
};

}  // namespace

base::TimePoint now() {
  return base::SteadyClock{}.now();
}

int poll_timeout(base::TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 600'000));
}

Process::Process(const Start& start) : files_(start.files) {
  for (const Stream stream : {Stream::output, Stream::errors}) {
    std::ofstream{path(stream), std::ios::app}.flush();
    skipped_[static_cast<int>(stream)] = std::filesystem::file_size(path(stream));
  }
  const pid_t parent = ::getpid();
  id_ = ::fork();
  TROUPE_CHECK(id_ >= 0, "no process can be made");
  if (id_ == 0) {
    // So that none is left behind, also if the parent was gone before the request.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent) {
      run_child(start);
    }
    ::_exit(cannot_run);
  }
  handle_ = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
  TROUPE_CHECK(handle_ >= 0, "no handle of the started process");
  ::fcntl(handle_, F_SETFD, FD_CLOEXEC);
}

void Process::run_child(const Start& start) const {
  const int mode = O_WRONLY | O_APPEND;
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(::open(path(Stream::output).c_str(), mode), STDOUT_FILENO);
  ::dup2(::open(path(Stream::errors).c_str(), mode), STDERR_FILENO);
  ::closefrom(STDERR_FILENO + 1);
  if (!start.directory.empty() && ::chdir(start.directory.c_str()) != 0) {
    return;
  }
  Words words = start.words;
  Words environment = environment_of(start.environment);
  ::execve(words[0].c_str(), pointers(words).data(), pointers(environment).data());
}

Process::~Process() {
  if (!exit_code_) {
    signal(SIGKILL);
    (void)wait(std::chrono::seconds{10});
  }
  ::close(handle_);
}

void Process::signal(int number) {
  if (!exit_code_) {
    ::kill(id_, number);
  }
}

std::optional<ExitCode> Process::wait(base::Duration timeout) {
  const base::TimePoint deadline = now() + timeout;
  while (!exit_code_) {
    pollfd ended{.fd = handle_, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&ended, 1, poll_timeout(deadline));
    if (ready > 0) {
      int status = 0;
      TROUPE_CHECK(::waitpid(id_, &status, 0) == id_, "a child is reaped by nobody else");
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (now() >= deadline) {
      return {};
    }
  }
  return exit_code_;
}

std::string Process::path(Stream stream) const {
  return files_ + (stream == Stream::output ? ".out" : ".err");
}

std::string Process::text(Stream stream) const {
  std::ifstream file{path(stream), std::ios::binary};
  file.seekg(static_cast<std::streamoff>(skipped_[static_cast<int>(stream)]));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Process::wait_for_text(Stream stream, const std::string& wanted, base::Duration timeout,
                            std::size_t from) {
  const base::TimePoint deadline = now() + timeout;
  const Descriptor changes{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  TROUPE_CHECK(::inotify_add_watch(changes.number, path(stream).c_str(), IN_MODIFY) >= 0,
               "the file of a program's output can be watched");
  while (true) {
    const bool has_ended = !is_running();
    if (text(stream).find(wanted, from) != std::string::npos) {
      return true;
    }
    if (has_ended || now() >= deadline) {
      return false;
    }
    pollfd waiting[] = {{.fd = changes.number, .events = POLLIN, .revents = 0},
                        {.fd = handle_, .events = POLLIN, .revents = 0}};
    ::poll(waiting, 2, poll_timeout(deadline));
    char events[4096];
    while (::read(changes.number, events, sizeof events) > 0) {
    }
  }
}

}  // namespace troupe::cluster_tests
