// What the program's exit status says. Never 0 when something failed.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "schema/types/probe_reason.h"

namespace warpbook::probe {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,      // anything else: a file, a server that is not reached, a signal
  kExitUsage = 2,       // the command line, or a file that it names as an input
  kExitNoGpu = 3,       // no GPU, no driver, or a build without CUDA
  kExitDriverOld = 4,   // the driver is older than what this build needs
  kExitHardware = 5,    // the device reports a fault of its own
  kExitBelowClass = 6,  // the proof holds, and is not one of the class
  kExitTooLate = 7,     // the answer came after the challenge had expired
  kExitInvalid = 8,     // the proof does not hold, or is not there
};

// What kind of refusal a reason is. The reason refuses.
ExitCode ExitCodeOf(ProbeReason refusal);
// That of a verdict whose first refusal this is; kNone: it passed.
ExitCode ExitCodeOfVerdict(ProbeReason first_refusal);
// Of an error of a device (gpu_probe/prover/devices.h).
ExitCode ExitCodeOfDevice(const absl::Status& error);

}  // namespace warpbook::probe
