#include "gateway/cli/stop_signals.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;

// In a process of its own: what was taken stays taken. 0, or the number of the step that went
// wrong.
int StepsThatFail() {
  BlockStopSignals();
  if (StopSignalCame() || WaitForStopSignal(milliseconds(1))) return 1;
  raise(SIGTERM);
  if (!StopSignalCame()) return 2;
  if (!WaitForStopSignal(milliseconds(1))) return 3;  // who only looked has not taken it away
  if (StopSignalCameAgain()) return 4;
  raise(SIGINT);
  if (!StopSignalCameAgain()) return 5;
  return WaitForStopSignal(milliseconds(0)) ? 0 : 6;
}

}  // namespace

TEST_CASE("A signal that somebody has looked at still ends who waits for one") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(StepsThatFail());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace warpbook::gateway
