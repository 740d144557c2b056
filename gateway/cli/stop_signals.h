// SIGTERM and SIGINT, taken one at a time by the main thread instead of ending the process.
#pragma once

#include <chrono>

namespace warpbook::gateway {

// Holds the signals back, in this thread and all that it starts from now on. Call it before the
// first thread is started.
void BlockStopSignals();

// Waits for a signal; false where none came in time. True at once where one came before, whoever
// took it.
bool WaitForStopSignal(std::chrono::milliseconds timeout);
// Whether one, or a second one, has been waited for or is waiting.
bool StopSignalCame();
bool StopSignalCameAgain();

}  // namespace warpbook::gateway
