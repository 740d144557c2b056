#include "gpu_probe/prover/inventory.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/json_text.h"

namespace warpbook::probe {
namespace {

// What CUDA takes away of a GPU's memory for itself, and more.
constexpr int64_t kMemoryShareMinPercent = 85;

std::string ToJson(const absl::StatusOr<CudaGpus>& cuda) {
  JsonObject object;
  if (!cuda.ok()) return object.Text("error", Shown(std::string(cuda.status().message()))).Build();
  std::vector<std::string> gpus;
  for (const CudaGpu& gpu : cuda->gpus) {
    gpus.push_back(
        JsonObject()
            .Text("name", gpu.name)
            .Text("uuid", gpu.uuid)
            .Text("bus_id", gpu.bus_id)
            .Integer("memory_bytes", gpu.memory_bytes)
            .Text("compute_capability", absl::StrCat(gpu.compute_major, ".", gpu.compute_minor))
            .Integer("multiprocessors", gpu.multiprocessors)
            .Flag("is_slice", gpu.is_slice)
            .Build());
  }
  return object
      .Text("driver_version",
            absl::StrCat(cuda->driver_version / 1'000, ".", cuda->driver_version % 1'000 / 10))
      .Raw("gpus", JsonArray(gpus))
      .Build();
}

std::string ToJson(const DriverFiles& files) {
  std::vector<std::string> gpus;
  for (const DriverFileGpu& gpu : files.gpus) {
    gpus.push_back(JsonObject()
                       .Text("bus_id", gpu.bus_id)
                       .Text("name", gpu.name)
                       .Text("uuid", gpu.uuid)
                       .Build());
  }
  return JsonObject()
      .Flag("is_there", files.is_there)
      .Text("version", files.version)
      .Raw("gpus", JsonArray(gpus))
      .Build();
}

template <typename Gpus>
const typename Gpus::value_type* OfUuid(const Gpus& gpus, const std::string& uuid) {
  const auto found = std::ranges::find_if(gpus, [&](const auto& gpu) { return gpu.uuid == uuid; });
  return found == gpus.end() ? nullptr : &*found;
}

std::string Gpus(size_t count) { return absl::StrCat(count, count == 1 ? " GPU" : " GPUs"); }

// Of GPUs that have the same uuid: whether they are the same otherwise.
void Compare(const NvmlGpu& nvml, const std::string& name, const std::string& bus_id,
             std::string_view who, std::vector<std::string>& differences) {
  if (!name.empty() && !nvml.name.empty() && name != nvml.name) {
    differences.push_back(absl::StrCat(nvml.uuid, ": nvml calls it \"", nvml.name, "\", ",
                                       std::string(who), " \"", name, "\""));
  }
  if (!bus_id.empty() && !nvml.bus_id.empty() && bus_id != nvml.bus_id) {
    differences.push_back(absl::StrCat(nvml.uuid, ": nvml finds it at ", nvml.bus_id, ", ",
                                       std::string(who), " at ", bus_id));
  }
}

void CompareFiles(const Inventory& inventory, std::vector<std::string>& differences) {
  const NvmlInventory& nvml = inventory.nvml;
  const DriverFiles& files = inventory.files;
  if (nvml.gpus.size() != files.gpus.size()) {
    differences.push_back(absl::StrCat("nvml says ", Gpus(nvml.gpus.size()),
                                       ", the driver's files ", files.gpus.size()));
  }
  if (!nvml.driver_version.empty() && !files.version.empty() &&
      nvml.driver_version != files.version) {
    differences.push_back(absl::StrCat("nvml is of driver ", nvml.driver_version,
                                       ", the driver's files of ", files.version));
  }
  for (const DriverFileGpu& file : files.gpus) {
    const NvmlGpu* const same = OfUuid(nvml.gpus, file.uuid);
    if (same != nullptr) {
      Compare(*same, file.name, file.bus_id, "the driver's files", differences);
    } else {
      differences.push_back(
          absl::StrCat("the driver's files have ", file.uuid, ", which nvml does not"));
    }
  }
  for (const NvmlGpu& gpu : nvml.gpus) {
    if (OfUuid(files.gpus, gpu.uuid) == nullptr) {
      differences.push_back(
          absl::StrCat("nvml has ", gpu.uuid, ", which the driver's files have not"));
    }
  }
}

void CompareCuda(const Inventory& inventory, std::vector<std::string>& differences) {
  const NvmlInventory& nvml = inventory.nvml;
  const std::vector<CudaGpu>& gpus = inventory.cuda->gpus;
  // CUDA may be shown fewer (CUDA_VISIBLE_DEVICES), and slices, which NVML counts otherwise.
  if (gpus.size() != nvml.gpus.size()) {
    differences.push_back(
        absl::StrCat("cuda says ", Gpus(gpus.size()), ", nvml ", nvml.gpus.size()));
  }
  for (const CudaGpu& gpu : gpus) {
    if (gpu.is_slice || gpu.uuid.empty()) continue;
    const NvmlGpu* const same = OfUuid(nvml.gpus, gpu.uuid);
    if (same == nullptr) {
      differences.push_back(absl::StrCat("cuda has ", gpu.uuid, ", which nvml does not"));
      continue;
    }
    Compare(*same, gpu.name, gpu.bus_id, "cuda", differences);
    const auto memory = same->figures.find("memory_bytes");
    if (memory == same->figures.end()) continue;
    if (gpu.memory_bytes > memory->second ||
        gpu.memory_bytes < memory->second / 100 * kMemoryShareMinPercent) {
      differences.push_back(absl::StrCat(gpu.uuid, ": nvml says ", memory->second,
                                         " bytes of memory, cuda ", gpu.memory_bytes));
    }
  }
}

bool HasDriver(const Inventory& inventory) {
  return inventory.cuda.ok() || inventory.nvml.error.empty() || inventory.files.is_there;
}

}  // namespace

Inventory TakeInventory(Devices& devices, const std::string& nvml_library,
                        const std::string& driver_folder, DriverNeeds needs) {
  return {.needs = needs,
          .cuda = devices.Find(),
          .nvml = ReadNvml(nvml_library),
          .files = ReadDriverFiles(driver_folder)};
}

std::vector<std::string> DifferencesOf(const Inventory& inventory) {
  std::vector<std::string> differences;
  const bool has_nvml = inventory.nvml.error.empty();
  if (has_nvml && inventory.files.is_there) CompareFiles(inventory, differences);
  if (has_nvml && inventory.cuda.ok()) CompareCuda(inventory, differences);
  if (HasDriver(inventory)) {
    if (!has_nvml) differences.push_back("nvml cannot be asked, though there is a driver");
    if (!inventory.files.is_there) {
      differences.push_back("the driver's files are not there, though there is a driver");
    }
    if (!inventory.cuda.ok()) {
      differences.push_back("cuda finds no GPU to be used, though there is a driver");
    }
  }
  return differences;
}

ExitCode ExitCodeOf(const Inventory& inventory) {
  const std::string& version =
      inventory.files.version.empty() ? inventory.nvml.driver_version : inventory.files.version;
  const int major = MajorOf(version);
  if (major > 0 && major < inventory.needs.driver_major) return kExitDriverOld;
  return ExitCodeOfDevice(inventory.cuda.status());
}

std::string ToJson(const NvmlInventory& nvml) {
  std::vector<std::string> gpus;
  for (const NvmlGpu& gpu : nvml.gpus) {
    JsonObject object;
    object.Text("name", gpu.name).Text("uuid", gpu.uuid).Text("bus_id", gpu.bus_id);
    for (const auto& [figure, value] : gpu.figures) object.Integer(figure, value);
    std::vector<std::string> words;
    for (const std::string& word : gpu.throttle_words()) words.push_back(JsonString(word));
    gpus.push_back(object.Raw("throttled_by", JsonArray(words)).Build());
  }
  return JsonObject()
      .TextIfAny("error", Shown(nvml.error))
      .Text("driver_version", nvml.driver_version)
      .Raw("gpus", JsonArray(gpus))
      .Build();
}

std::string ToJson(const Inventory& inventory) {
  std::vector<std::string> differences;
  for (const std::string& difference : DifferencesOf(inventory)) {
    differences.push_back(JsonString(difference));
  }
  return JsonObject()
      .Flag("has_driver", HasDriver(inventory))
      .Flag("has_gpu", inventory.cuda.ok() && !inventory.cuda->gpus.empty())
      .Integer("exit_code", ExitCodeOf(inventory))
      .Integer("driver_major_needed", inventory.needs.driver_major)
      .Raw("cuda", ToJson(inventory.cuda))
      .Raw("nvml", ToJson(inventory.nvml))
      .Raw("driver_files", ToJson(inventory.files))
      .Raw("differences", JsonArray(differences))
      .Text("not_read", "Xid errors, which only the kernel's log has")
      .Build();
}

}  // namespace warpbook::probe
