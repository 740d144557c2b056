#include "gpu_probe/prover/cuda/cublas_lt.h"

#include <dlfcn.h>

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cuda/cuda_status.h"
#include "gpu_probe/prover/cuda/device_memory.h"
#include "gpu_probe/prover/cuda/device_timer.h"

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>

namespace warpbook::probe {
namespace {

constexpr int64_t kWorkspaceBytes = int64_t{64} << 20;
constexpr int kAlgorithmsTried = 8;

absl::Status LtStatus(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return absl::OkStatus();
  const std::string text = absl::StrCat("cuBLASLt, ", what, ": status ", static_cast<int>(status));
  switch (status) {
    case CUBLAS_STATUS_NOT_SUPPORTED:
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return absl::UnimplementedError(text);
    case CUBLAS_STATUS_ALLOC_FAILED:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::InternalError(text);
  }
}

// The functions that are used, by the prototypes of the header.
struct Library {
  std::unique_ptr<void, int (*)(void*)> handle{nullptr, dlclose};
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtMatmulDescCreate) create_matmul = nullptr;
  decltype(&cublasLtMatmulDescDestroy) destroy_matmul = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) set_matmul = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) create_layout = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) propose = nullptr;
  decltype(&cublasLtMatmul) run = nullptr;
};

template <typename Function>
bool Find(const Library& library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library.handle.get(), name));
  return function != nullptr;
}

absl::StatusOr<Library> Load() {
  Library library;
  // The functions used are the same in both.
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12"}) {
    library.handle.reset(dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
    if (library.handle != nullptr) break;
  }
  if (library.handle == nullptr) return absl::NotFoundError("there is no cuBLASLt 13 or 12");
  const bool found =
      Find(library, "cublasLtCreate", library.create) &&
      Find(library, "cublasLtDestroy", library.destroy) &&
      Find(library, "cublasLtMatmulDescCreate", library.create_matmul) &&
      Find(library, "cublasLtMatmulDescDestroy", library.destroy_matmul) &&
      Find(library, "cublasLtMatmulDescSetAttribute", library.set_matmul) &&
      Find(library, "cublasLtMatrixLayoutCreate", library.create_layout) &&
      Find(library, "cublasLtMatrixLayoutDestroy", library.destroy_layout) &&
      Find(library, "cublasLtMatmulPreferenceCreate", library.create_preference) &&
      Find(library, "cublasLtMatmulPreferenceDestroy", library.destroy_preference) &&
      Find(library, "cublasLtMatmulPreferenceSetAttribute", library.set_preference) &&
      Find(library, "cublasLtMatmulAlgoGetHeuristic", library.propose) &&
      Find(library, "cublasLtMatmul", library.run);
  if (!found) return absl::NotFoundError("cuBLASLt lacks a function");
  return library;
}

struct Types {
  cublasComputeType_t compute;
  cudaDataType_t scale, operand, result;
};

Types TypesOf(LtOperands operands) {
  switch (operands) {
    case LtOperands::kInt8:
      return {CUBLAS_COMPUTE_32I, CUDA_R_32I, CUDA_R_8I, CUDA_R_32I};
    case LtOperands::kTf32:
      return {CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F, CUDA_R_32F, CUDA_R_32F};
    case LtOperands::kBf16:
      return {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16BF, CUDA_R_16BF};
    case LtOperands::kFp8:
      return {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_8F_E4M3, CUDA_R_16BF};
  }
  return {};
}

// cuBLASLt counts by columns: by rows, C is its C transposed, of B transposed and A.
class LoadedLtProduct : public LtProduct {
 public:
  LoadedLtProduct(Library library, LtOperands operands)
      : library_(std::move(library)), types_(TypesOf(operands)) {}
  ~LoadedLtProduct() override {
    Forget();
    if (matmul_ != nullptr) library_.destroy_matmul(matmul_);
    if (handle_ != nullptr) library_.destroy(handle_);
  }

  absl::Status Open();
  absl::Status Prepare(const void* left, const void* right, void* result, const ProductShape& shape,
                       cudaStream_t stream) override;
  absl::Status Run(const void* left, const void* right, void* result, const ProductShape& shape,
                   cudaStream_t stream) override;

 private:
  using Algorithms = std::vector<cublasLtMatmulAlgo_t>;

  void Forget();
  absl::Status Describe(const ProductShape& shape);
  absl::StatusOr<Algorithms> Propose();
  absl::Status Start(const void* left, const void* right, void* result,
                     const cublasLtMatmulAlgo_t& algorithm, cudaStream_t stream);

  const Library library_;
  const Types types_;
  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t matmul_ = nullptr;
  DeviceBuffer workspace_;
  // Of one shape.
  ProductShape shape_;
  cublasLtMatrixLayout_t columns_ = nullptr, rows_ = nullptr, result_ = nullptr;
  std::optional<cublasLtMatmulAlgo_t> algorithm_;
};

absl::Status LoadedLtProduct::Open() {
  WARPBOOK_RETURN_IF_ERROR(LtStatus(library_.create(&handle_), "opening"));
  auto workspace = DeviceBuffer::Allocate(kWorkspaceBytes, "cuBLASLt");
  if (!workspace.ok()) return workspace.status();
  workspace_ = *std::move(workspace);
  WARPBOOK_RETURN_IF_ERROR(
      LtStatus(library_.create_matmul(&matmul_, types_.compute, types_.scale), "a product"));
  const cublasOperation_t transposed = CUBLAS_OP_T;
  return LtStatus(
      library_.set_matmul(matmul_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
      "a transposed operand");
}

void LoadedLtProduct::Forget() {
  for (cublasLtMatrixLayout_t* layout : {&columns_, &rows_, &result_}) {
    if (*layout != nullptr) library_.destroy_layout(*layout);
    *layout = nullptr;
  }
  algorithm_.reset();
  shape_ = {};
}

absl::Status LoadedLtProduct::Describe(const ProductShape& shape) {
  Forget();
  const auto rows = static_cast<uint64_t>(shape.rows);
  const auto columns = static_cast<uint64_t>(shape.columns);
  const auto depth = static_cast<uint64_t>(shape.depth);
  WARPBOOK_RETURN_IF_ERROR(LtStatus(
      library_.create_layout(&columns_, types_.operand, depth, columns, shape.depth), "B"));
  WARPBOOK_RETURN_IF_ERROR(
      LtStatus(library_.create_layout(&rows_, types_.operand, depth, rows, shape.depth), "A"));
  WARPBOOK_RETURN_IF_ERROR(
      LtStatus(library_.create_layout(&result_, types_.result, columns, rows, shape.columns), "C"));
  shape_ = shape;
  return absl::OkStatus();
}

absl::StatusOr<LoadedLtProduct::Algorithms> LoadedLtProduct::Propose() {
  cublasLtMatmulPreference_t preference = nullptr;
  WARPBOOK_RETURN_IF_ERROR(LtStatus(library_.create_preference(&preference), "a preference"));
  const uint64_t workspace_bytes = kWorkspaceBytes;
  std::array<cublasLtMatmulHeuristicResult_t, kAlgorithmsTried> proposed{};
  int count = 0;
  absl::Status status =
      LtStatus(library_.set_preference(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                       &workspace_bytes, sizeof workspace_bytes),
               "its workspace");
  if (status.ok()) {
    status = LtStatus(library_.propose(handle_, matmul_, columns_, rows_, result_, result_,
                                       preference, kAlgorithmsTried, proposed.data(), &count),
                      "an algorithm");
  }
  library_.destroy_preference(preference);
  if (!status.ok()) return status;
  Algorithms algorithms;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    if (proposed[i].state == CUBLAS_STATUS_SUCCESS) algorithms.push_back(proposed[i].algo);
  }
  if (algorithms.empty()) return absl::UnimplementedError("cuBLASLt has no algorithm for this");
  return algorithms;
}

absl::Status LoadedLtProduct::Start(const void* left, const void* right, void* result,
                                    const cublasLtMatmulAlgo_t& algorithm, cudaStream_t stream) {
  const int32_t integers[2] = {1, 0};
  const float floats[2] = {1, 0};
  const bool is_integer = types_.scale == CUDA_R_32I;
  const void* const one = is_integer ? static_cast<const void*>(&integers[0]) : &floats[0];
  const void* const zero = is_integer ? static_cast<const void*>(&integers[1]) : &floats[1];
  return LtStatus(
      library_.run(handle_, matmul_, one, right, columns_, left, rows_, zero, result, result_,
                   result, result_, &algorithm, workspace_.data(), kWorkspaceBytes, stream),
      "multiplying");
}

absl::Status LoadedLtProduct::Prepare(const void* left, const void* right, void* result,
                                      const ProductShape& shape, cudaStream_t stream) {
  WARPBOOK_RETURN_IF_ERROR(Describe(shape));
  const absl::StatusOr<Algorithms> algorithms = Propose();
  if (!algorithms.ok()) return algorithms.status();
  auto timer = DeviceTimer::Create();
  if (!timer.ok()) return timer.status();
  double fastest = std::numeric_limits<double>::infinity();
  for (const cublasLtMatmulAlgo_t& algorithm : *algorithms) {
    // The first run loads what the algorithm needs. One that does not run after all is passed over.
    if (!Start(left, right, result, algorithm, stream).ok()) continue;
    WARPBOOK_RETURN_IF_ERROR(timer->Start(stream));
    WARPBOOK_RETURN_IF_ERROR(Start(left, right, result, algorithm, stream));
    const absl::StatusOr<double> seconds = timer->Stop(stream, "trying cuBLASLt");
    if (!seconds.ok()) return seconds.status();
    if (*seconds < fastest) {
      fastest = *seconds;
      algorithm_ = algorithm;
    }
  }
  if (!algorithm_) return absl::UnimplementedError("cuBLASLt runs no algorithm for this");
  return absl::OkStatus();
}

absl::Status LoadedLtProduct::Run(const void* left, const void* right, void* result,
                                  const ProductShape& shape, cudaStream_t stream) {
  if (shape != shape_ || !algorithm_) {
    WARPBOOK_RETURN_IF_ERROR(Describe(shape));
    const absl::StatusOr<Algorithms> algorithms = Propose();
    if (!algorithms.ok()) return algorithms.status();
    algorithm_ = algorithms->front();
  }
  return Start(left, right, result, *algorithm_, stream);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LtProduct>> LtProduct::Make(LtOperands operands) {
  absl::StatusOr<Library> library = Load();
  if (!library.ok()) return library.status();
  auto product = std::make_unique<LoadedLtProduct>(*std::move(library), operands);
  WARPBOOK_RETURN_IF_ERROR(product->Open());
  return product;
}

}  // namespace warpbook::probe

#else

namespace warpbook::probe {

absl::StatusOr<std::unique_ptr<LtProduct>> LtProduct::Make(LtOperands) {
  return absl::UnimplementedError("this build has no cublasLt.h");
}

}  // namespace warpbook::probe

#endif
