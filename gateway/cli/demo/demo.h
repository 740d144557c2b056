// Demo: the demo market as a whole: a loop, the operator, the watch, the members; a summary line
// while it runs, a clean stop, and counts at the end.
#pragma once

#include "absl/status/status.h"
#include "gateway/cli/demo/options.h"

namespace warpbook::gateway {

// Runs until the time is over or SIGINT or SIGTERM comes, which must be blocked in the caller's
// thread (BlockStopSignals). A second signal ends it at once.
absl::Status RunDemo(const DemoOptions& options);

}  // namespace warpbook::gateway
