// What NVIDIA's management library says of the GPUs. It is opened where it is there; nothing of it
// is needed at build time. Xid errors are not among it: they stand in the kernel's log.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace warpbook::probe {

struct NvmlGpu {
  std::string name, uuid;
  std::string bus_id{};  // "0000:3b:00.0"
  // What is known, by names with the unit in them: memory_bytes, ecc_mode,
  // ecc_uncorrected_since_boot, sm_clock_mhz, throttle_reasons, ... What a GPU lacks is left out.
  std::map<std::string, int64_t> figures{};

  // The throttle reasons of the mask, as words.
  std::vector<std::string> throttle_words() const;
};

struct NvmlInventory {
  std::string error{};  // why there is none; "" where there is
  std::string driver_version{};
  std::vector<NvmlGpu> gpus{};
};

// `library` is a name as dlopen takes it.
inline constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";
NvmlInventory ReadNvml(const std::string& library);

}  // namespace warpbook::probe
