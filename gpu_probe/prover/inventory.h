// The GPUs of the machine by three accounts that do not know of each other: CUDA's, NVML's and the
// driver's own files; and where they differ.
#pragma once

#include <string>
#include <vector>

#include "gpu_probe/prover/devices.h"
#include "gpu_probe/prover/driver_files.h"
#include "gpu_probe/prover/exit_code.h"
#include "gpu_probe/prover/nvml.h"

namespace warpbook::probe {

struct Inventory {
  DriverNeeds needs;
  absl::StatusOr<CudaGpus> cuda;
  NvmlInventory nvml;
  DriverFiles files;
};
// `nvml_library` as dlopen takes it, `driver_folder` as in driver_files.h.
Inventory TakeInventory(Devices& devices, const std::string& nvml_library,
                        const std::string& driver_folder, DriverNeeds needs = NeedsOfThisBuild());

// A sentence for each thing that the three do not say alike.
std::vector<std::string> DifferencesOf(const Inventory& inventory);
// What the program ends with: kExitOk where there is a GPU to be used by CUDA, with a driver that
// is new enough.
ExitCode ExitCodeOf(const Inventory& inventory);
// One JSON object in one line.
std::string ToJson(const Inventory& inventory);
// The same of NVML's GPUs alone: what changes while they work.
std::string ToJson(const NvmlInventory& nvml);

}  // namespace warpbook::probe
