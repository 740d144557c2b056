// SIGTERM and SIGINT, taken by a thread of their own instead of ending the process in the middle of
// a line.
#pragma once

#include <functional>
#include <thread>

namespace warpbook::probe {

class StopSignals {
 public:
  // Holds the signals back in this thread and all that it starts from now on, so it comes before
  // any other. `on_stop` is called by its thread, once. SIGPIPE is ignored from now on: who writes
  // hears of it.
  explicit StopSignals(std::function<void()> on_stop);

 private:
  std::jthread thread_;
};

}  // namespace warpbook::probe
