#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/cpu_bench.h"
#include "gpu_probe/prover/inventory.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/progress.h"

namespace warpbook::probe {
namespace {

std::string WhyNot(const Inventory& inventory) {
  switch (ExitCodeOf(inventory)) {
    case kExitNoGpu:
      return inventory.files.is_there ? "no GPU that CUDA can use" : "no GPU driver";
    case kExitDriverOld:
      return absl::StrCat(
          "the driver is too old, or does not fit its kernel module; this program "
          "needs ",
          inventory.needs.driver_major, " or later");
    case kExitHardware:
      return "a GPU reports a fault of its own";
    default:
      return "the GPUs cannot be used";
  }
}

std::string ToJson(const std::vector<BenchFigure>& figures) {
  JsonObject object;
  for (const BenchFigure& figure : figures) object.Integer(figure.name, figure.value);
  return object.Build();
}

JsonObject BenchHead() {
  JsonObject object;
  object.Flag("proven", false)
      .Text("meaning", "measured by the machine of itself: nobody else has reason to believe it");
  return object;
}

}  // namespace

int RunInventory(const InventoryOptions& options, const Program& program) {
  const Inventory inventory =
      TakeInventory(program.devices, options.nvml_library, options.driver_folder);
  const ExitCode code = ExitCodeOf(inventory);
  const int printed = Print(program, ForPeople(ToJson(inventory)), code);
  if (code == kExitOk) return printed;
  const std::string detail(inventory.cuda.status().message());
  return Fail(program, code, absl::StrCat(WhyNot(inventory), detail.empty() ? "" : ": ", detail));
}

int RunBench(const BenchOptions& options, const Program& program) {
  const StopSignals signals = EndWhenTold(program, "stopped by a signal");
  if (options.on_cpu) {
    const std::string json = BenchHead()
                                 .Text("device", "CPU reference, one core")
                                 .Raw("figures", ToJson(BenchCpu()))
                                 .Build();
    return Print(program, ForPeople(json), kExitOk);
  }
  const InventoryOptions& from = options.inventory;
  const Inventory inventory = TakeInventory(program.devices, from.nvml_library, from.driver_folder);
  const ExitCode code = ExitCodeOf(inventory);
  if (code != kExitOk) {
    return Fail(program, code,
                absl::StrCat(WhyNot(inventory), "; --cpu measures the CPU reference instead"));
  }
  ProgressLines progress(program.error, program.error_is_terminal);
  // Of several faults the one with the highest code: one of the hardware before all others.
  ExitCode worst = kExitOk;
  std::vector<std::string> gpus;
  for (size_t i = 0; i < inventory.cuda->gpus.size(); ++i) {
    const CudaGpu& gpu = inventory.cuda->gpus[i];
    JsonObject object;
    object.Integer("gpu", static_cast<int64_t>(i)).Text("name", gpu.name).Text("uuid", gpu.uuid);
    const auto figures = program.devices.Bench(static_cast<int>(i), progress.ForProver());
    progress.EndLine();
    if (figures.ok()) {
      gpus.push_back(object.Raw("figures", ToJson(*figures)).Build());
      continue;
    }
    gpus.push_back(object.Text("error", Shown(std::string(figures.status().message()))).Build());
    const ExitCode code_of_gpu = ExitCodeOfDevice(figures.status());
    worst = std::max(worst, code_of_gpu);
    Fail(program, code_of_gpu, absl::StrCat("GPU ", i, ": ", figures.status().message()));
  }
  const std::string json = BenchHead()
                               .Raw("gpus", JsonArray(gpus))
                               .Raw("before", ToJson(inventory.nvml))
                               .Raw("after", ToJson(ReadNvml(from.nvml_library)))
                               .Build();
  return Print(program, ForPeople(json), worst);
}

}  // namespace warpbook::probe
