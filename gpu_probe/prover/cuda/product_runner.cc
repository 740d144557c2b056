#include "gpu_probe/prover/cuda/product_runner.h"

#include <cuda.h>
#include <cudaTypedefs.h>

#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cuda/cublas_lt.h"
#include "gpu_probe/prover/cuda/cuda_status.h"
#include "gpu_probe/prover/cuda/product_core.h"

namespace warpbook::probe {
namespace {

constexpr int kMmaCapability = 75;
constexpr int kWgmmaCapability = 90;

class MmaRunner : public ProductRunner {
 public:
  absl::Status Prepare(const int8_t*, const int8_t*, int32_t*, const ProductShape&,
                       cudaStream_t) override {
    return absl::OkStatus();
  }
  absl::Status Run(const int8_t* left, const int8_t* right, int32_t* result,
                   const ProductShape& shape, cudaStream_t stream) override {
    return CudaStatus(LaunchMmaProduct(left, right, result, shape, stream), "a product by mma");
  }
};

class LtRunner : public ProductRunner {
 public:
  explicit LtRunner(std::unique_ptr<LtProduct> product) : product_(std::move(product)) {}
  absl::Status Prepare(const int8_t* left, const int8_t* right, int32_t* result,
                       const ProductShape& shape, cudaStream_t stream) override {
    return product_->Prepare(left, right, result, shape, stream);
  }
  absl::Status Run(const int8_t* left, const int8_t* right, int32_t* result,
                   const ProductShape& shape, cudaStream_t stream) override {
    return product_->Run(left, right, result, shape, stream);
  }

 private:
  const std::unique_ptr<LtProduct> product_;
};

class WgmmaRunner : public ProductRunner {
 public:
  WgmmaRunner(PFN_cuTensorMapEncodeTiled_v12000 encode, int multiprocessors)
      : encode_(encode), multiprocessors_(multiprocessors) {}
  absl::Status Prepare(const int8_t*, const int8_t*, int32_t*, const ProductShape&,
                       cudaStream_t) override {
    return absl::OkStatus();
  }
  absl::Status Run(const int8_t* left, const int8_t* right, int32_t* result,
                   const ProductShape& shape, cudaStream_t stream) override {
    CUtensorMap left_map{}, right_map{};
    WARPBOOK_RETURN_IF_ERROR(Map(left, shape.rows, shape.depth, kWgmmaLeftBox, left_map));
    WARPBOOK_RETURN_IF_ERROR(Map(right, shape.columns, shape.depth, kWgmmaRightBox, right_map));
    return CudaStatus(
        LaunchWgmmaProduct(left_map, right_map, result, shape, multiprocessors_, stream),
        "a product by wgmma");
  }

 private:
  // Lines of so many entries, read by boxes of so many lines.
  absl::Status Map(const int8_t* operand, int64_t lines, int64_t depth, int box_lines,
                   CUtensorMap& map) const {
    const std::array<cuuint64_t, 2> sizes = {static_cast<cuuint64_t>(depth),
                                             static_cast<cuuint64_t>(lines)};
    const std::array<cuuint64_t, 1> strides = {static_cast<cuuint64_t>(depth)};
    const std::array<cuuint32_t, 2> box = {kWgmmaStepBytes, static_cast<cuuint32_t>(box_lines)};
    const std::array<cuuint32_t, 2> steps = {1, 1};
    const CUresult result =
        encode_(&map, CU_TENSOR_MAP_DATA_TYPE_UINT8, 2, const_cast<int8_t*>(operand), sizes.data(),
                strides.data(), box.data(), steps.data(), CU_TENSOR_MAP_INTERLEAVE_NONE,
                CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (result == CUDA_SUCCESS) return absl::OkStatus();
    return absl::UnimplementedError(
        absl::StrCat("an operand's tensor map: error ", static_cast<int>(result)));
  }

  const PFN_cuTensorMapEncodeTiled_v12000 encode_;
  const int multiprocessors_;
};

absl::StatusOr<std::unique_ptr<ProductRunner>> MakeWgmmaRunner(const DeviceTraits& traits) {
  if (traits.capability != kWgmmaCapability) {
    return absl::UnimplementedError("wgmma is of sm_90 alone");
  }
  constexpr unsigned kSince = 12'000;
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, kSince,
                                                  cudaEnableDefault, &found),
                 "finding the driver's tensor maps"));
  if (found != cudaDriverEntryPointSuccess || function == nullptr) {
    return absl::FailedPreconditionError("driver too old: it has no tensor maps");
  }
  return std::make_unique<WgmmaRunner>(
      reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function), traits.multiprocessors);
}

}  // namespace

absl::StatusOr<DeviceTraits> TraitsOf(int device) {
  int major = 0, minor = 0;
  DeviceTraits traits;
  const std::array<std::pair<cudaDeviceAttr, int*>, 3> wanted = {
      {{cudaDevAttrComputeCapabilityMajor, &major},
       {cudaDevAttrComputeCapabilityMinor, &minor},
       {cudaDevAttrMultiProcessorCount, &traits.multiprocessors}}};
  for (const auto& [attribute, value] : wanted) {
    WARPBOOK_RETURN_IF_ERROR(
        CudaStatus(cudaDeviceGetAttribute(value, attribute, device), "asking what the GPU is"));
  }
  traits.capability = 10 * major + minor;
  return traits;
}

absl::StatusOr<std::unique_ptr<ProductRunner>> MakeProductRunner(ProductKernel kernel, int device) {
  const absl::StatusOr<DeviceTraits> traits = TraitsOf(device);
  if (!traits.ok()) return traits.status();
  if (traits->capability < kMmaCapability) {
    return absl::UnimplementedError("the GPU is older than sm_75");
  }
  switch (kernel) {
    case ProductKernel::kMma:
      return std::make_unique<MmaRunner>();
    case ProductKernel::kWgmma:
      return MakeWgmmaRunner(*traits);
    case ProductKernel::kCublasLt: {
      auto product = LtProduct::Make(LtOperands::kInt8);
      if (!product.ok()) return product.status();
      return std::make_unique<LtRunner>(*std::move(product));
    }
  }
  return absl::InternalError("no such kernel");
}

}  // namespace warpbook::probe
