// What the driver's own files say: /proc/driver/nvidia/version and gpus/*/information.
#pragma once

#include <string>
#include <vector>

namespace warpbook::probe {

struct DriverFileGpu {
  std::string bus_id;  // "0000:3b:00.0"
  std::string name{}, uuid{};
};

struct DriverFiles {
  bool is_there = false;
  std::string version;              // "550.54.14"; "" where it is not understood
  std::vector<DriverFileGpu> gpus;  // by bus id
};

inline constexpr const char* kDriverFolder = "/proc/driver/nvidia";
// Takes anything as the files' contents.
DriverFiles ReadDriverFiles(const std::string& folder);

// The first number of a version, 0 where it is none.
int MajorOf(const std::string& version);

}  // namespace warpbook::probe
