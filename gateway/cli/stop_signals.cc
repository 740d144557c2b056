#include "gateway/cli/stop_signals.h"

#include <csignal>
#include <ctime>

namespace warpbook::gateway {
namespace {

// Touched by the main thread alone.
int signals_taken = 0;

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Whether one came within the time.
bool TakeSignal(std::chrono::milliseconds timeout) {
  const sigset_t signals = StopSignals();
  const timespec wait{.tv_sec = timeout.count() / 1'000,
                      .tv_nsec = timeout.count() % 1'000 * 1'000'000};
  if (sigtimedwait(&signals, nullptr, &wait) < 0) return false;
  ++signals_taken;
  return true;
}

}  // namespace

void BlockStopSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

bool WaitForStopSignal(std::chrono::milliseconds timeout) {
  // One that was taken by somebody who only looked is not lost.
  return signals_taken > 0 || TakeSignal(timeout);
}

bool StopSignalCame() { return WaitForStopSignal(std::chrono::milliseconds(0)); }

bool StopSignalCameAgain() {
  TakeSignal(std::chrono::milliseconds(0));
  return signals_taken > 1;
}

}  // namespace warpbook::gateway
