#include "gpu_probe/prover/driver_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gpu_probe/prover/json_text.h"

namespace warpbook::probe {
namespace {

constexpr size_t kFileBytesMax = 65'536;
constexpr size_t kGpusMax = 256;

// The beginning of a file, "" where it cannot be read.
std::string Beginning(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

bool IsVersion(std::string_view word) {
  return std::ranges::count(word, '.') >= 1 && word.front() != '.' && word.back() != '.' &&
         std::ranges::all_of(word, [](char c) { return absl::ascii_isdigit(c) || c == '.'; });
}

// Of "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 ...".
std::string VersionIn(const std::string& text) {
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    if (!line.starts_with("NVRM version:")) continue;
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    for (const std::string& word : words) {
      if (IsVersion(word)) return Shown(word);
    }
  }
  return "";
}

DriverFileGpu GpuIn(const std::string& text, std::string bus_id) {
  DriverFileGpu gpu{.bus_id = std::move(bus_id)};
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    const std::string value = Shown(std::string(absl::StripAsciiWhitespace(parts.second)));
    if (parts.first == "Model") gpu.name = value;
    if (parts.first == "GPU UUID") gpu.uuid = value;
  }
  return gpu;
}

}  // namespace

DriverFiles ReadDriverFiles(const std::string& folder) {
  namespace fs = std::filesystem;
  DriverFiles files;
  std::error_code error;
  files.is_there = fs::is_directory(folder, error);
  if (!files.is_there) return files;
  files.version = VersionIn(Beginning(fs::path(folder) / "version"));
  fs::directory_iterator entries(fs::path(folder) / "gpus", error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (files.gpus.size() == kGpusMax) break;
    const fs::path path = entries->path();
    files.gpus.push_back(GpuIn(Beginning(path / "information"),
                               absl::AsciiStrToLower(Shown(path.filename().string()))));
  }
  std::ranges::sort(files.gpus, {}, &DriverFileGpu::bus_id);
  return files;
}

int MajorOf(const std::string& version) {
  int major = 0;
  return absl::SimpleAtoi(version.substr(0, version.find('.')), &major) && major > 0 ? major : 0;
}

}  // namespace warpbook::probe
