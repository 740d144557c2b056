#include "gpu_probe/prover/cuda_devices.h"

#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cuda/cuda_bench.h"
#include "gpu_probe/prover/cuda/cuda_prover.h"
#include "gpu_probe/prover/device_error.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/shared_library.h"

namespace warpbook::probe {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";
constexpr const char* kNeedsCublasLt =
    "without cuBLASLt (libcublasLt.so.12 or .13 on the loader's path) it is slower than its class";

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
  return StatusOfDeviceError(
      result, absl::StrCat(std::string(what), ": CUDA's driver answers error ", result));
}

class Driver {
 public:
  Driver(const std::string& library, DriverNeeds needs) : needs_(needs), library_(library) {}

  absl::StatusOr<CudaGpus> Find() {
    if (!library_.is_open()) return absl::NotFoundError(library_.error());
    if (init_ == nullptr || version_ == nullptr || count_ == nullptr || get_ == nullptr ||
        name_ == nullptr || memory_ == nullptr || attribute_ == nullptr) {
      return absl::FailedPreconditionError("CUDA's driver library lacks functions: driver too old");
    }
    CudaGpus found;
    if (version_(&found.driver_version) == 0 && found.driver_version > 0 &&
        found.driver_version < needs_.cuda_version) {
      return absl::FailedPreconditionError(
          absl::StrCat("driver too old: CUDA ", found.driver_version / 1'000, " instead of ",
                       needs_.cuda_version / 1'000));
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

  const DriverNeeds needs_;
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

}  // namespace

DriverNeeds NeedsOfThisBuild() { return NeedsOf(CudaVersion()); }

absl::StatusOr<CudaGpus> FindCudaGpus(const std::string& library, DriverNeeds needs) {
  return Driver(library, needs).Find();
}

absl::StatusOr<CudaGpus> CudaDevices::Find() { return FindCudaGpus(kLibrary, NeedsOfThisBuild()); }

absl::StatusOr<std::unique_ptr<Prover>> CudaDevices::MakeProver(const GpuChallenge& challenge,
                                                                int device) {
  const absl::StatusOr<std::vector<ProductKernel>> kernels = ProductKernels(device);
  if (!kernels.ok()) return kernels.status();
  absl::StatusOr<std::unique_ptr<CudaProver>> prover = MakeCudaProver(challenge, device, *kernels);
  if (!prover.ok()) return prover.status();
  for (const PassedOver& one : (*prover)->passed_over()) {
    say_(absl::StrCat("GPU ", device, ": ", std::string(NameOf(one.kernel)),
                      " is passed over: ", std::string(one.why.message())));
  }
  say_(absl::StrCat("GPU ", device, ": products by ", std::string(NameOf((*prover)->kernel()))));
  if ((*prover)->kernel() != ProductKernel::kCublasLt && NeedsCublasLt(device).value_or(false)) {
    say_(absl::StrCat("GPU ", device, ": ", kNeedsCublasLt));
  }
  return *std::move(prover);
}

absl::StatusOr<std::vector<BenchFigure>> CudaDevices::Bench(int device, const Progress& progress) {
  return BenchDevice(device, progress);
}

}  // namespace warpbook::probe
