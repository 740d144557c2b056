#include "gpu_probe/prover/cuda_devices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cuda/cuda_bench.h"
#include "gpu_probe/prover/cuda/cuda_prover.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/shared_library.h"

namespace warpbook::probe {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";

// Of CUDA's driver interface, as far as it is needed here (cuda.h).
using Result = int;
using Device = int;
struct Uuid {
  std::array<uint8_t, 16> bytes;
};
constexpr int kMultiprocessors = 16;
constexpr int kComputeMajor = 75;
constexpr int kComputeMinor = 76;

absl::Status StatusOf(Result result, std::string_view what) {
  const std::string text =
      absl::StrCat(std::string(what), ": CUDA's driver answers error ", result);
  switch (result) {
    case 0:
      return absl::OkStatus();
    case 34:   // a library that is only there to be linked with
    case 100:  // no device
    case 101:  // not this device
      return absl::NotFoundError(text);
    case 803:  // library and kernel module are of different versions
    case 804:
      return absl::FailedPreconditionError(text);
    case 214:  // ECC
    case 219:  // NVLink
    case 719:
      return absl::DataLossError(text);
    default:
      return absl::InternalError(text);
  }
}

class Driver {
 public:
  explicit Driver(const std::string& library) : library_(library) {}

  absl::StatusOr<CudaGpus> Find() {
    if (!library_.is_open()) return absl::NotFoundError(library_.error());
    if (init_ == nullptr || version_ == nullptr || count_ == nullptr || get_ == nullptr ||
        name_ == nullptr || memory_ == nullptr || attribute_ == nullptr) {
      return absl::FailedPreconditionError("CUDA's driver library lacks functions: driver too old");
    }
    CudaGpus found;
    if (version_(&found.driver_version) == 0 && found.driver_version > 0 &&
        found.driver_version < kCudaDriverMin) {
      return absl::FailedPreconditionError(absl::StrCat("driver too old: CUDA ",
                                                        found.driver_version / 1'000,
                                                        " instead of ", kCudaDriverMin / 1'000));
    }
    int count = 0;
    absl::Status status = StatusOf(init_(0), "start");
    if (status.ok()) status = StatusOf(count_(&count), "count");
    if (!status.ok()) return status;
    if (count == 0) return absl::NotFoundError("CUDA counts no GPU");
    for (int i = 0; i < count; ++i) {
      status = Describe(i, found.gpus.emplace_back());
      if (!status.ok()) return status;
    }
    return found;
  }

 private:
  absl::Status Describe(int index, CudaGpu& gpu) {
    Device device = 0;
    absl::Status status = StatusOf(get_(&device, index), "find");
    std::array<char, 128> name{};
    if (status.ok()) status = StatusOf(name_(name.data(), name.size() - 1, device), "name");
    size_t bytes = 0;
    if (status.ok()) status = StatusOf(memory_(&bytes, device), "memory");
    if (!status.ok()) return status;
    gpu.name = Shown(name.data());
    gpu.memory_bytes = static_cast<int64_t>(bytes);
    gpu.compute_major = Attribute(kComputeMajor, device);
    gpu.compute_minor = Attribute(kComputeMinor, device);
    gpu.multiprocessors = Attribute(kMultiprocessors, device);
    gpu.is_slice = absl::StrContains(gpu.name, " MIG ");
    Uuid uuid{};
    if (uuid_ != nullptr && uuid_(&uuid, device) == 0) {
      gpu.uuid = TextOf(uuid, gpu.is_slice ? "MIG-" : "GPU-");
    }
    std::array<char, 32> bus{};
    if (bus_id_ != nullptr && bus_id_(bus.data(), bus.size() - 1, device) == 0) {
      gpu.bus_id = absl::AsciiStrToLower(Shown(bus.data()));
    }
    return absl::OkStatus();
  }

  int Attribute(int which, Device device) {
    int value = 0;
    return attribute_(&value, which, device) == 0 ? value : 0;
  }

  static std::string TextOf(const Uuid& uuid, std::string_view prefix) {
    const std::string hex = Hex(uuid.bytes);
    return absl::StrCat(std::string(prefix), hex.substr(0, 8), "-", hex.substr(8, 4), "-",
                        hex.substr(12, 4), "-", hex.substr(16, 4), "-", hex.substr(20));
  }

  const SharedLibrary library_;
  Result (*init_)(unsigned) = library_.Find<Result(unsigned)>("cuInit");
  Result (*version_)(int*) = library_.Find<Result(int*)>("cuDriverGetVersion");
  Result (*count_)(int*) = library_.Find<Result(int*)>("cuDeviceGetCount");
  Result (*get_)(Device*, int) = library_.Find<Result(Device*, int)>("cuDeviceGet");
  Result (*name_)(char*, int,
                  Device) = library_.Find<Result(char*, int, Device)>("cuDeviceGetName");
  Result (*memory_)(size_t*,
                    Device) = library_.Find<Result(size_t*, Device)>("cuDeviceTotalMem_v2");
  Result (*attribute_)(int*, int,
                       Device) = library_.Find<Result(int*, int, Device)>("cuDeviceGetAttribute");
  // A slice's own, where the driver knows of that.
  Result (*uuid_)(Uuid*, Device) = library_.Find<Result(Uuid*, Device)>("cuDeviceGetUuid_v2");
  Result (*bus_id_)(char*, int,
                    Device) = library_.Find<Result(char*, int, Device)>("cuDeviceGetPCIBusId");
};

// A benchmark's name with its unit in it: "int8 mma", "Tops/s" is "int8_mma_tops_per_s".
std::string FigureName(const std::string& name, const std::string& unit) {
  std::string joined = absl::AsciiStrToLower(absl::StrCat(name, " ", unit));
  std::string figure;
  for (const char c : joined) {
    if (absl::ascii_isalnum(c)) {
      figure.push_back(c);
    } else if (c == '/') {
      figure.append("_per_");
    } else if (c == '%') {
      figure.append("percent");
    } else if (!figure.empty() && figure.back() != '_') {
      figure.push_back('_');
    }
  }
  return figure;
}

}  // namespace

absl::StatusOr<CudaGpus> FindCudaGpus(const std::string& library) { return Driver(library).Find(); }

absl::StatusOr<CudaGpus> CudaDevices::Find() { return FindCudaGpus(kLibrary); }

absl::StatusOr<std::unique_ptr<Prover>> CudaDevices::MakeProver(const GpuChallenge& challenge,
                                                                int device) {
  const absl::StatusOr<std::vector<ProductKernel>> kernels = ProductKernels(device);
  if (!kernels.ok()) return kernels.status();
  if (kernels->empty()) return absl::NotFoundError("no kernel of ours runs on this device");
  return MakeCudaProver(challenge, device, kernels->front());
}

absl::StatusOr<std::vector<BenchFigure>> CudaDevices::Bench(int device, const Progress& progress) {
  const absl::StatusOr<std::vector<BenchmarkFigure>> measured = BenchDevice(device, progress);
  if (!measured.ok()) return measured.status();
  std::vector<BenchFigure> figures;
  for (const BenchmarkFigure& figure : *measured) {
    figures.push_back({.name = FigureName(figure.name, figure.unit),
                       .value = static_cast<int64_t>(std::llround(figure.value))});
  }
  return figures;
}

}  // namespace warpbook::probe
