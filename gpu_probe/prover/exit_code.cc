#include "gpu_probe/prover/exit_code.h"

namespace warpbook::probe {

ExitCode ExitCodeOf(ProbeReason refusal) {
  switch (refusal) {
    case ProbeReason::kSlice:
    case ProbeReason::kRenamed:
    case ProbeReason::kSlowProducts:
    case ProbeReason::kSlowMemory:
      return kExitBelowClass;
    case ProbeReason::kTooLate:
      return kExitTooLate;
    default:
      return kExitInvalid;
  }
}

ExitCode ExitCodeOfVerdict(ProbeReason first_refusal) {
  return first_refusal == ProbeReason::kNone ? kExitOk : ExitCodeOf(first_refusal);
}

ExitCode ExitCodeOfDevice(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
      return kExitNoGpu;
    case absl::StatusCode::kFailedPrecondition:
      return kExitDriverOld;
    case absl::StatusCode::kDataLoss:
      return kExitHardware;
    default:
      return kExitFailed;
  }
}

}  // namespace warpbook::probe
