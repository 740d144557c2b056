#include "gpu_probe/prover/nvml.h"

#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/shared_library.h"

namespace warpbook::probe {
namespace {

// Of NVML's interface, as far as it is needed here (nvml.h, version 2 of its functions).
using Result = int;
using Device = void*;
struct Memory {
  unsigned long long total = 0, free = 0, used = 0;
};
struct PciInfo {
  std::array<char, 16> legacy_bus_id{};
  unsigned domain = 0, bus = 0, device = 0, pci_device_id = 0, pci_subsystem_id = 0;
  std::array<char, 32> bus_id{};
};
constexpr unsigned kGpusMax = 256;
constexpr size_t kTextBytes = 96;

// Figures that one function of NVML gives as one number.
struct OneNumber {
  const char* figure;
  const char* function;
};
constexpr std::array<OneNumber, 6> kNumbers = {{
    {"pcie_generation", "nvmlDeviceGetCurrPcieLinkGeneration"},
    {"pcie_generation_max", "nvmlDeviceGetMaxPcieLinkGeneration"},
    {"pcie_width", "nvmlDeviceGetCurrPcieLinkWidth"},
    {"pcie_width_max", "nvmlDeviceGetMaxPcieLinkWidth"},
    {"power_milliwatts", "nvmlDeviceGetPowerUsage"},
    {"power_limit_milliwatts", "nvmlDeviceGetEnforcedPowerLimit"},
}};

// Figures that a function gives of a kind of thing.
struct OfKind {
  const char* figure;
  const char* function;
  int kind;
};
constexpr std::array<OfKind, 5> kOfKinds = {{
    {"sm_clock_mhz", "nvmlDeviceGetClockInfo", 1},
    {"memory_clock_mhz", "nvmlDeviceGetClockInfo", 2},
    {"sm_clock_mhz_max", "nvmlDeviceGetMaxClockInfo", 1},
    {"memory_clock_mhz_max", "nvmlDeviceGetMaxClockInfo", 2},
    {"temperature_celsius", "nvmlDeviceGetTemperature", 0},
}};

struct EccCount {
  const char* figure;
  int error, counter;
};
constexpr std::array<EccCount, 4> kEccCounts = {{
    {"ecc_corrected_since_boot", 0, 0},
    {"ecc_uncorrected_since_boot", 1, 0},
    {"ecc_corrected_ever", 0, 1},
    {"ecc_uncorrected_ever", 1, 1},
}};

constexpr std::array<std::string_view, 9> kThrottleWords = {
    "idle",          "application_clocks",        "power_cap",        "hardware_slowdown",
    "sync_boost",    "software_thermal_slowdown", "hardware_thermal", "hardware_power_brake",
    "display_clocks"};

std::string TextOf(const std::array<char, kTextBytes>& text) { return Shown(text.data()); }

class Library {
 public:
  explicit Library(const std::string& name) : library_(name) {}

  NvmlInventory Read() {
    if (!library_.is_open()) return {.error = library_.error()};
    auto* const init = library_.Find<Result()>("nvmlInit_v2");
    auto* const shutdown = library_.Find<Result()>("nvmlShutdown");
    auto* const count = library_.Find<Result(unsigned*)>("nvmlDeviceGetCount_v2");
    auto* const handle = library_.Find<Result(unsigned, Device*)>("nvmlDeviceGetHandleByIndex_v2");
    if (init == nullptr || shutdown == nullptr || count == nullptr || handle == nullptr) {
      return {.error = "the library lacks functions that NVML has"};
    }
    if (const Result result = init(); result != 0) return {.error = ErrorText(result)};
    NvmlInventory inventory;
    std::array<char, kTextBytes> text{};
    if (auto* const version =
            library_.Find<Result(char*, unsigned)>("nvmlSystemGetDriverVersion")) {
      if (version(text.data(), kTextBytes - 1) == 0) inventory.driver_version = TextOf(text);
    }
    unsigned gpus = 0;
    if (const Result result = count(&gpus); result != 0) inventory.error = ErrorText(result);
    for (unsigned i = 0; i < std::min(gpus, kGpusMax); ++i) {
      Device device = nullptr;
      if (const Result result = handle(i, &device); result != 0) {
        inventory.error = absl::StrCat("GPU ", i, ": ", ErrorText(result));
        continue;
      }
      inventory.gpus.push_back(Describe(device));
    }
    shutdown();
    return inventory;
  }

 private:
  std::string ErrorText(Result result) {
    auto* const text = library_.Find<const char*(Result)>("nvmlErrorString");
    return absl::StrCat("NVML answers ", result, text == nullptr ? "" : ": ",
                        text == nullptr ? "" : Shown(text(result)));
  }

  std::string Text(const char* function, Device device) {
    std::array<char, kTextBytes> text{};
    auto* const call = library_.Find<Result(Device, char*, unsigned)>(function);
    return call != nullptr && call(device, text.data(), kTextBytes - 1) == 0 ? TextOf(text) : "";
  }

  NvmlGpu Describe(Device device) {
    NvmlGpu gpu{.name = Text("nvmlDeviceGetName", device),
                .uuid = Text("nvmlDeviceGetUUID", device)};
    PciInfo pci;
    if (auto* const call = library_.Find<Result(Device, PciInfo*)>("nvmlDeviceGetPciInfo_v3")) {
      if (call(device, &pci) == 0) {
        // The domain has eight digits here and four elsewhere.
        pci.bus_id.back() = 0;
        const std::string full = absl::AsciiStrToLower(Shown(pci.bus_id.data()));
        gpu.bus_id = full.starts_with("0000") && full.size() == 16 ? full.substr(4) : full;
      }
    }
    Memory memory;
    if (auto* const call = library_.Find<Result(Device, Memory*)>("nvmlDeviceGetMemoryInfo")) {
      if (call(device, &memory) == 0) {
        gpu.figures["memory_bytes"] = static_cast<int64_t>(memory.total);
        gpu.figures["memory_used_bytes"] = static_cast<int64_t>(memory.used);
      }
    }
    Numbers(device, gpu);
    Modes(device, gpu);
    return gpu;
  }

  void Numbers(Device device, NvmlGpu& gpu) {
    unsigned value = 0;
    for (const OneNumber& one : kNumbers) {
      auto* const call = library_.Find<Result(Device, unsigned*)>(one.function);
      if (call != nullptr && call(device, &value) == 0) gpu.figures[one.figure] = value;
    }
    for (const OfKind& one : kOfKinds) {
      auto* const call = library_.Find<Result(Device, int, unsigned*)>(one.function);
      if (call != nullptr && call(device, one.kind, &value) == 0) gpu.figures[one.figure] = value;
    }
    for (const EccCount& one : kEccCounts) {
      auto* const call = library_.Find<Result(Device, int, int, unsigned long long*)>(
          "nvmlDeviceGetTotalEccErrors");
      unsigned long long errors = 0;
      if (call != nullptr && call(device, one.error, one.counter, &errors) == 0) {
        gpu.figures[one.figure] = static_cast<int64_t>(errors);
      }
    }
  }

  // Of each, what it is and what it will be after the next start.
  void Modes(Device device, NvmlGpu& gpu) {
    for (const auto& [figure, function] :
         {std::pair("ecc_mode", "nvmlDeviceGetEccMode"), {"mig_mode", "nvmlDeviceGetMigMode"}}) {
      auto* const call = library_.Find<Result(Device, unsigned*, unsigned*)>(function);
      unsigned current = 0;
      unsigned pending = 0;
      if (call != nullptr && call(device, &current, &pending) == 0) gpu.figures[figure] = current;
    }
    unsigned long long reasons = 0;
    auto* const throttle = library_.Find<Result(Device, unsigned long long*)>(
        "nvmlDeviceGetCurrentClocksThrottleReasons");
    if (throttle != nullptr && throttle(device, &reasons) == 0) {
      gpu.figures["throttle_reasons"] = static_cast<int64_t>(reasons);
    }
  }

  const SharedLibrary library_;
};

}  // namespace

std::vector<std::string> NvmlGpu::throttle_words() const {
  std::vector<std::string> words;
  const auto found = figures.find("throttle_reasons");
  if (found == figures.end()) return words;
  for (size_t bit = 0; bit < kThrottleWords.size(); ++bit) {
    if ((found->second >> bit & 1) != 0) words.emplace_back(kThrottleWords[bit]);
  }
  return words;
}

NvmlInventory ReadNvml(const std::string& library) { return Library(library).Read(); }

}  // namespace warpbook::probe
