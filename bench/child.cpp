#include "bench/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "bench/figure.hpp"

namespace troupe::bench {

namespace {

constexpr int exit_code_missing = 127;  // as a shell says it

[[noreturn]] void become(std::vector<char*>& words, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  execvp(words[0], words.data());
  _exit(exit_code_missing);
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command, std::chrono::seconds timeout) {
  std::vector<char*> words;
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  int ends[2];
  require(pipe2(ends, O_CLOEXEC) == 0, "pipe");
  const pid_t pid = fork();
  require(pid >= 0, "fork");
  if (pid == 0) {
    become(words, ends[1]);
  }
  close(ends[1]);

  ChildResult result;
  const Stopwatch watch;
  for (;;) {
    const double left = static_cast<double>(timeout.count()) - watch.seconds();
    pollfd readable{ends[0], POLLIN, 0};
    if (left <= 0 || poll(&readable, 1, static_cast<int>(left * 1000) + 1) == 0) {
      kill(pid, SIGKILL);
      result.failure = "took longer than " + std::to_string(timeout.count()) + " s";
      break;
    }
    char buffer[4096];
    const ssize_t bytes = read(ends[0], buffer, sizeof buffer);
    if (bytes <= 0) {
      break;
    }
    result.output.append(buffer, static_cast<std::size_t>(bytes));
  }
  close(ends[0]);
  int status = 0;
  require(waitpid(pid, &status, 0) == pid, "waitpid");
  result.is_missing = WIFEXITED(status) && WEXITSTATUS(status) == exit_code_missing;
  if (result.failure.empty() && WIFSIGNALED(status)) {
    result.failure = std::string("was killed: ") + strsignal(WTERMSIG(status));
  } else if (result.failure.empty() && WEXITSTATUS(status) != 0) {
    result.failure = "exit code " + std::to_string(WEXITSTATUS(status));
  }
  return result;
}

}  // namespace troupe::bench
