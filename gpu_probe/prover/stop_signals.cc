#include "gpu_probe/prover/stop_signals.h"

#include <csignal>
#include <ctime>
#include <utility>

namespace warpbook::probe {

StopSignals::StopSignals(std::function<void()> on_stop) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::jthread([signals, on_stop = std::move(on_stop)](const std::stop_token& ended) {
    constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!ended.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &kLook) < 0) continue;
      on_stop();
      return;
    }
  });
}

}  // namespace warpbook::probe
