#include "gpu_probe/prover/cuda/cuda_bench.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cuda/cublas_lt.h"
#include "gpu_probe/prover/cuda/cuda_prover.h"
#include "gpu_probe/prover/cuda/cuda_status.h"
#include "gpu_probe/prover/cuda/device_memory.h"
#include "gpu_probe/prover/cuda/device_timer.h"
#include "gpu_probe/prover/cuda/product_runner.h"

namespace warpbook::probe {
namespace {

constexpr int kRepetitions = 7;
constexpr double kTera = 1e12, kGiga = 1e9;

double Median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Bench {
 public:
  static absl::StatusOr<std::unique_ptr<Bench>> Make(int device);

  absl::Status Int8();
  absl::Status Arithmetic();
  absl::Status LibraryProducts();
  absl::Status Memory();
  absl::Status Pcie();
  std::vector<BenchFigure> TakeFigures() { return std::move(figures_); }

 private:
  using Work = std::function<absl::Status()>;

  Bench(int device, DeviceTraits traits, DeviceStream stream, DeviceTimer timer)
      : device_(device), traits_(traits), stream_(std::move(stream)), timer_(std::move(timer)) {}
  absl::StatusOr<double> SecondsOf(const Work& work);
  absl::StatusOr<double> MedianSecondsOf(const Work& work);
  absl::StatusOr<ProductShape> ShapeFor(int64_t operand_bytes, int64_t result_bytes) const;
  void Add(std::string_view what, double value, std::string_view unit) {
    figures_.push_back(MakeFigure(what, value, unit));
  }
  absl::StatusOr<double> CopyRate(int64_t bytes);
  absl::StatusOr<double> GatherRate(int64_t bytes);

  const int device_;
  const DeviceTraits traits_;
  const DeviceStream stream_;
  DeviceTimer timer_;
  std::vector<BenchFigure> figures_;
};

absl::StatusOr<std::unique_ptr<Bench>> Bench::Make(int device) {
  WARPBOOK_RETURN_IF_ERROR(UseDevice(device));
  const auto traits = TraitsOf(device);
  if (!traits.ok()) return traits.status();
  auto stream = DeviceStream::Create();
  if (!stream.ok()) return stream.status();
  auto timer = DeviceTimer::Create();
  if (!timer.ok()) return timer.status();
  return std::unique_ptr<Bench>(new Bench(device, *traits, *std::move(stream), *std::move(timer)));
}

absl::StatusOr<double> Bench::SecondsOf(const Work& work) {
  WARPBOOK_RETURN_IF_ERROR(timer_.Start(stream_.get()));
  WARPBOOK_RETURN_IF_ERROR(work());
  return timer_.Stop(stream_.get(), "a benchmark");
}

absl::StatusOr<double> Bench::MedianSecondsOf(const Work& work) {
  std::vector<double> all;
  for (int i = 0; i <= kRepetitions; ++i) {
    const absl::StatusOr<double> seconds = SecondsOf(work);
    if (!seconds.ok()) return seconds.status();
    if (i > 0) all.push_back(*seconds);  // the first one warms up
  }
  return Median(std::move(all));
}

// As large as half of the free memory allows.
absl::StatusOr<ProductShape> Bench::ShapeFor(int64_t operand_bytes, int64_t result_bytes) const {
  const absl::StatusOr<int64_t> free = FreeDeviceBytes();
  if (!free.ok()) return free.status();
  int64_t side = 16'384;
  while (side > 1'024 && side * side * (2 * operand_bytes + result_bytes) > *free / 2) side /= 2;
  return ProductShape{side, side, side};
}

absl::Status Bench::Int8() {
  const absl::StatusOr<ProductShape> shape = ShapeFor(sizeof(int8_t), sizeof(int32_t));
  if (!shape.ok()) return shape.status();
  const int64_t entries = shape->rows * shape->depth;
  auto left = DeviceBuffer::Allocate(entries, "a benchmark");
  if (!left.ok()) return left.status();
  auto right = DeviceBuffer::Allocate(entries, "a benchmark");
  if (!right.ok()) return right.status();
  auto result = DeviceBuffer::Allocate(4 * shape->rows * shape->columns, "a benchmark");
  if (!result.ok()) return result.status();
  for (uint32_t operand = 0; operand < 2; ++operand) {
    WARPBOOK_RETURN_IF_ERROR(
        CudaStatus(LaunchFillOperand({}, operand, shape->rows, shape->depth,
                                     (operand == 0 ? *left : *right).As<int8_t>(), stream_.get()),
                   "making an operand"));
  }
  const auto kernels = ProductKernels(device_);
  if (!kernels.ok()) return kernels.status();
  struct Runner {
    ProductKernel kernel;
    std::unique_ptr<ProductRunner> runner;
    std::vector<double> seconds;
  };
  std::vector<Runner> runners;
  for (const ProductKernel kernel : *kernels) {
    auto runner = MakeProductRunner(kernel, device_);
    if (!runner.ok()) return runner.status();
    const absl::Status prepared = (*runner)->Prepare(left->As<int8_t>(), right->As<int8_t>(),
                                                     result->As<int32_t>(), *shape, stream_.get());
    if (absl::IsUnimplemented(prepared)) continue;
    WARPBOOK_RETURN_IF_ERROR(prepared);
    runners.push_back({kernel, *std::move(runner), {}});
  }
  // By turns, so that a clock that changes meets all of them; the first round warms up.
  for (int i = 0; i <= kRepetitions; ++i) {
    for (Runner& runner : runners) {
      const absl::StatusOr<double> seconds = SecondsOf([&] {
        return runner.runner->Run(left->As<int8_t>(), right->As<int8_t>(), result->As<int32_t>(),
                                  *shape, stream_.get());
      });
      if (!seconds.ok()) return seconds.status();
      if (i > 0) runner.seconds.push_back(*seconds);
    }
  }
  double library_rate = 0;
  for (const Runner& runner : runners) {
    const double rate = shape->operations() / Median(runner.seconds);
    const std::string name = absl::StrCat("int8, ", std::string(NameOf(runner.kernel)));
    Add(name, rate / kTera, "TOPS");
    if (runner.kernel == ProductKernel::kCublasLt) library_rate = rate;
    if (library_rate > 0) Add(name + ", share of cuBLASLt", rate / library_rate * 100, "%");
  }
  return absl::OkStatus();
}

absl::Status Bench::Arithmetic() {
  struct Loop {
    ArithmeticLoop loop;
    const char* name;
  };
  auto sink = DeviceBuffer::Allocate(sizeof(float), "a benchmark");
  if (!sink.ok()) return sink.status();
  for (const Loop& loop : {Loop{ArithmeticLoop::kFp32, "fp32, loop"},
                           Loop{ArithmeticLoop::kTf32, "tf32, loop of mma.sync"},
                           Loop{ArithmeticLoop::kBf16, "bf16, loop of mma.sync"},
                           Loop{ArithmeticLoop::kFp8, "fp8, loop of mma.sync"}}) {
    if (!HasArithmetic(loop.loop, traits_.capability)) continue;
    constexpr int kTurns = 64;
    double operations = 0;
    const absl::StatusOr<double> seconds = MedianSecondsOf([&] {
      return CudaStatus(LaunchArithmetic(loop.loop, traits_.multiprocessors, kTurns, sink->data(),
                                         &operations, stream_.get()),
                        "a loop of arithmetic");
    });
    if (!seconds.ok()) return seconds.status();
    Add(loop.name, operations / *seconds / kTera, "TFLOPS");
  }
  return absl::OkStatus();
}

absl::Status Bench::LibraryProducts() {
  struct Case {
    LtOperands operands;
    const char* name;
    int64_t operand_bytes, result_bytes;
  };
  for (const Case& one : {Case{LtOperands::kTf32, "tf32, cuBLASLt", 4, 4},
                          Case{LtOperands::kBf16, "bf16, cuBLASLt", 2, 2},
                          Case{LtOperands::kFp8, "fp8, cuBLASLt", 1, 2}}) {
    auto product = LtProduct::Make(one.operands);
    if (absl::IsNotFound(product.status()) || absl::IsUnimplemented(product.status())) continue;
    if (!product.ok()) return product.status();
    const absl::StatusOr<ProductShape> shape = ShapeFor(one.operand_bytes, one.result_bytes);
    if (!shape.ok()) return shape.status();
    const int64_t bytes = shape->rows * shape->depth * one.operand_bytes;
    auto operand = DeviceBuffer::Allocate(bytes, "a benchmark");
    if (!operand.ok()) return operand.status();
    auto result =
        DeviceBuffer::Allocate(shape->rows * shape->columns * one.result_bytes, "a benchmark");
    if (!result.ok()) return result.status();
    // Random bits, but for the one that makes fp8's NaN; A and B may be the same.
    WARPBOOK_RETURN_IF_ERROR(
        CudaStatus(LaunchFillOperand({}, 0, shape->rows, shape->depth * one.operand_bytes,
                                     operand->As<int8_t>(), stream_.get()),
                   "making an operand"));
    const absl::Status prepared = (*product)->Prepare(operand->data(), operand->data(),
                                                      result->data(), *shape, stream_.get());
    if (absl::IsUnimplemented(prepared)) continue;
    WARPBOOK_RETURN_IF_ERROR(prepared);
    const absl::StatusOr<double> seconds = MedianSecondsOf([&] {
      return (*product)->Run(operand->data(), operand->data(), result->data(), *shape,
                             stream_.get());
    });
    if (!seconds.ok()) return seconds.status();
    Add(one.name, shape->operations() / *seconds / kTera, "TFLOPS");
  }
  return absl::OkStatus();
}

// Bytes read and bytes written.
absl::StatusOr<double> Bench::CopyRate(int64_t bytes) {
  auto from = DeviceBuffer::Allocate(bytes, "a benchmark");
  if (!from.ok()) return from.status();
  auto to = DeviceBuffer::Allocate(bytes, "a benchmark");
  if (!to.ok()) return to.status();
  const absl::StatusOr<double> seconds = MedianSecondsOf([&] {
    return CudaStatus(cudaMemcpyAsync(to->data(), from->data(), static_cast<size_t>(bytes),
                                      cudaMemcpyDeviceToDevice, stream_.get()),
                      "copying within the GPU");
  });
  if (!seconds.ok()) return seconds.status();
  return 2 * static_cast<double>(bytes) / *seconds;
}

absl::StatusOr<double> Bench::GatherRate(int64_t bytes) {
  constexpr int64_t kColumns = 16, kBlockBytes = kColumns * int64_t{kChaChaBlockBytes};
  const WalkPlan plan = {
      {static_cast<uint64_t>(bytes / kBlockBytes), kColumns, 1}, 32'768, 0, 8, 8, 16};
  auto arena = DeviceBuffer::Allocate(bytes, "a benchmark");
  if (!arena.ok()) return arena.status();
  auto multipliers = DeviceBuffer::Allocate(kBlockBytes, "a benchmark");
  if (!multipliers.ok()) return multipliers.status();
  auto states = DeviceBuffer::Allocate((plan.legs + 1) * plan.walks * 8, "a benchmark");
  if (!states.ok()) return states.status();
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(cudaMemsetAsync(arena->data(), 0x5a, static_cast<size_t>(bytes), stream_.get()),
                 "filling the memory"));
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(
      cudaMemsetAsync(multipliers->data(), 0x35, kBlockBytes, stream_.get()), "a benchmark"));
  auto* const from = states->As<uint64_t>();
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(LaunchWalkStarts({}, plan.walks, from, stream_.get()), "starting walks"));
  const absl::StatusOr<double> seconds = MedianSecondsOf([&] {
    return CudaStatus(LaunchWalks(plan, arena->data(), multipliers->As<uint32_t>(), from,
                                  from + plan.walks, stream_.get()),
                      "walking through the memory");
  });
  if (!seconds.ok()) return seconds.status();
  return static_cast<double>(plan.walks * plan.legs * plan.steps_per_leg * kBlockBytes) / *seconds;
}

absl::Status Bench::Memory() {
  const absl::StatusOr<int64_t> free = FreeDeviceBytes();
  if (!free.ok()) return free.status();
  constexpr int64_t kBytesMax = int64_t{4} << 30;
  const absl::StatusOr<double> copied = CopyRate(std::min(*free / 4 / 4096 * 4096, kBytesMax));
  if (!copied.ok()) return copied.status();
  Add("memory, copied (read and written)", *copied / kGiga, "GB/s");
  // Over half of the memory: random places cost more where they are farther apart.
  const absl::StatusOr<double> gathered = GatherRate(*free / 2 / 4096 * 4096);
  if (!gathered.ok()) return gathered.status();
  Add("memory, 1 KiB blocks at random places", *gathered / kGiga, "GB/s");
  Add("memory, random blocks, share of copied", *gathered / *copied * 100, "%");
  return absl::OkStatus();
}

absl::Status Bench::Pcie() {
  constexpr int64_t kBytes = int64_t{256} << 20;
  auto device = DeviceBuffer::Allocate(kBytes, "a benchmark");
  if (!device.ok()) return device.status();
  void* pinned = nullptr;
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(cudaMallocHost(&pinned, kBytes), "pinning memory"));
  const std::unique_ptr<void, void (*)(void*)> host(pinned,
                                                    [](void* memory) { cudaFreeHost(memory); });
  for (const bool is_to : {true, false}) {
    const absl::StatusOr<double> seconds = MedianSecondsOf([&] {
      return CudaStatus(is_to ? cudaMemcpyAsync(device->data(), pinned, kBytes,
                                                cudaMemcpyHostToDevice, stream_.get())
                              : cudaMemcpyAsync(pinned, device->data(), kBytes,
                                                cudaMemcpyDeviceToHost, stream_.get()),
                        "copying over PCIe");
    });
    if (!seconds.ok()) return seconds.status();
    Add(is_to ? "PCIe, to the GPU" : "PCIe, from the GPU", kBytes / *seconds / kGiga, "GB/s");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<BenchFigure>> BenchDevice(int device, const Progress& progress) {
  absl::StatusOr<std::unique_ptr<Bench>> bench = Bench::Make(device);
  if (!bench.ok()) return bench.status();
  const auto parts = {&Bench::Int8, &Bench::Arithmetic, &Bench::LibraryProducts, &Bench::Memory,
                      &Bench::Pcie};
  int64_t done = 0;
  for (const auto part : parts) {
    WARPBOOK_RETURN_IF_ERROR((bench->get()->*part)());
    progress("benchmarks", ++done, std::ssize(parts));
  }
  return (*bench)->TakeFigures();
}

}  // namespace warpbook::probe
