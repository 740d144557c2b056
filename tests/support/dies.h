// Dies(action): runs the action in a child process and gives what it wrote to standard error if it
// was aborted (a CHECK), or nullopt if it lived. For tests of CHECKs only. The child is a copy of
// this thread alone: not for code that needs other threads.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>

#include "schema/base/check.h"

namespace warpbook::test {

template <typename Action>
std::optional<std::string> Dies(Action action) {
  int ends[2];
  WARPBOOK_CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  WARPBOOK_CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report a crash of its own
    action();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  WARPBOOK_CHECK(waitpid(child, &status, 0) == child);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) return std::nullopt;
  return text;
}

}  // namespace warpbook::test
