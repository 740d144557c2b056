#include "gpu_probe/prover/cuda/cuda_prover.h"

#include <cuda_runtime_api.h>

#include <utility>

#include "gpu_probe/prover/cuda/cuda_status.h"
#include "gpu_probe/prover/cuda/memory_walks.h"
#include "gpu_probe/prover/cuda/product_commitment.h"
#include "gpu_probe/prover/cuda/product_runner.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

class DeviceProver : public CudaProver {
 public:
  DeviceProver(const GpuChallenge& challenge, int device,
               std::unique_ptr<ProductCommitment> products)
      : challenge_(challenge), device_(device), products_(std::move(products)) {}
  // Memory is given back to the device that it came from.
  ~DeviceProver() override { cudaSetDevice(device_); }

  ProductKernel kernel() const override { return products_->kernel(); }
  const std::vector<PassedOver>& passed_over() const override { return products_->passed_over(); }

  void Begin(const Seed& nonce) override {
    challenge_.nonce = nonce;
    products_->Begin(nonce);
  }

  absl::StatusOr<std::vector<Sha256Digest>> CommitProducts(const Progress& progress) override {
    WARPBOOK_RETURN_IF_ERROR(UseDevice(device_));
    auto roots = products_->Commit(progress);
    if (roots.ok()) last_root_ = roots->back();
    return roots;
  }

  absl::Status FillMemory(const Progress& progress) override {
    WARPBOOK_RETURN_IF_ERROR(UseDevice(device_));
    WARPBOOK_RETURN_IF_ERROR(products_->ReleaseDeviceMemory());
    auto walks = MemoryWalks::Make(challenge_.ForMemory(last_root_));
    if (!walks.ok()) return walks.status();
    walks_ = *std::move(walks);
    return walks_->Fill(progress);
  }

  absl::StatusOr<Sha256Digest> Gather(const Seed& gather_seed, const Progress& progress) override {
    WARPBOOK_CHECK(walks_ != nullptr);
    WARPBOOK_RETURN_IF_ERROR(UseDevice(device_));
    return walks_->Gather(gather_seed, progress);
  }

  absl::StatusOr<std::vector<Opening>> OpenTiles(std::span<const OpenedTile> tiles) override {
    WARPBOOK_RETURN_IF_ERROR(UseDevice(device_));
    return products_->Open(tiles);
  }

  absl::StatusOr<std::vector<LegOpening>> OpenLegs(std::span<const OpenedLeg> legs) override {
    WARPBOOK_CHECK(walks_ != nullptr);
    WARPBOOK_RETURN_IF_ERROR(UseDevice(device_));
    return walks_->Open(legs);
  }

 private:
  GpuChallenge challenge_;
  const int device_;
  const std::unique_ptr<ProductCommitment> products_;
  Sha256Digest last_root_{};
  std::unique_ptr<MemoryWalks> walks_;
};

}  // namespace

int CudaVersion() { return CUDART_VERSION; }

absl::StatusOr<bool> NeedsCublasLt(int device) {
  constexpr int kSince = 100;
  const absl::StatusOr<DeviceTraits> traits = TraitsOf(device);
  if (!traits.ok()) return traits.status();
  return traits->capability >= kSince;
}

absl::StatusOr<std::vector<ProductKernel>> ProductKernels(int device) {
  WARPBOOK_RETURN_IF_ERROR(UseDevice(device));
  std::vector<ProductKernel> kernels;
  for (const ProductKernel kernel :
       {ProductKernel::kCublasLt, ProductKernel::kWgmma, ProductKernel::kMma}) {
    const absl::Status status = MakeProductRunner(kernel, device).status();
    if (status.ok()) kernels.push_back(kernel);
    // What is wrong with the device itself is not to be taken for a kernel that it lacks.
    if (absl::IsDataLoss(status) || absl::IsUnavailable(status)) return status;
  }
  if (kernels.empty()) return absl::NotFoundError("this program has no code for the GPU");
  return kernels;
}

absl::StatusOr<std::unique_ptr<CudaProver>> MakeCudaProver(const GpuChallenge& challenge,
                                                           int device,
                                                           std::span<const ProductKernel> kernels) {
  WARPBOOK_RETURN_IF_ERROR(CheckSize(challenge.compute));
  WARPBOOK_RETURN_IF_ERROR(CheckSize(challenge.memory));
  WARPBOOK_RETURN_IF_ERROR(UseDevice(device));
  auto products = ProductCommitment::Make(challenge.ForCompute(), device, kernels);
  if (!products.ok()) return products.status();
  return std::make_unique<DeviceProver>(challenge, device, *std::move(products));
}

}  // namespace warpbook::probe
