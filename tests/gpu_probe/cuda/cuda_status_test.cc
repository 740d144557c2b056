#include "gpu_probe/prover/cuda/cuda_status.h"

#include <doctest/doctest.h>

#include <string>

#include "gpu_probe/prover/cuda/device_memory.h"

namespace warpbook::probe {
namespace {

constexpr int kDriver = 13'000;

bool Says(const absl::Status& status, const std::string& words) {
  return std::string(status.message()).find(words) != std::string::npos;
}

TEST_CASE("What CUDA reports becomes the status that says what to do about it") {
  CHECK(StatusOf(cudaSuccess, "a", kDriver).ok());
  CHECK(absl::IsNotFound(StatusOf(cudaErrorNoDevice, "a", kDriver)));
  CHECK(absl::IsNotFound(StatusOf(cudaErrorInvalidDevice, "a", kDriver)));
  CHECK(absl::IsResourceExhausted(StatusOf(cudaErrorMemoryAllocation, "a", kDriver)));
  CHECK(absl::IsNotFound(StatusOf(cudaErrorStubLibrary, "a", kDriver)));
  // A card that this program has no code for is as good as none.
  CHECK(absl::IsNotFound(StatusOf(cudaErrorNoKernelImageForDevice, "a", kDriver)));
  CHECK(absl::IsUnavailable(StatusOf(cudaErrorSystemNotReady, "a", kDriver)));
  CHECK(absl::IsUnavailable(StatusOf(cudaErrorDevicesUnavailable, "a", kDriver)));
  CHECK(absl::IsInternal(StatusOf(cudaErrorInvalidValue, "a", kDriver)));
  // What was being done, and CUDA's own words.
  const absl::Status status = StatusOf(cudaErrorInvalidValue, "hashing a tree", kDriver);
  CHECK(Says(status, "hashing a tree: "));
  CHECK(Says(status, cudaGetErrorString(cudaErrorInvalidValue)));
}

TEST_CASE("A driver that is missing is told from one that is too old") {
  CHECK(absl::IsNotFound(StatusOf(cudaErrorInsufficientDriver, "a", 0)));
  for (const cudaError_t error : {cudaErrorInsufficientDriver, cudaErrorUnsupportedPtxVersion,
                                  cudaErrorCallRequiresNewerDriver}) {
    const absl::Status status = StatusOf(error, "a", 11'000);
    CHECK(absl::IsFailedPrecondition(status));
    CHECK(Says(status, "driver too old"));
  }
}

TEST_CASE("A fault of the device is a hardware error") {
  for (const cudaError_t error : {cudaErrorECCUncorrectable, cudaErrorNvlinkUncorrectable,
                                  cudaErrorContained, cudaErrorHardwareStackError}) {
    const absl::Status status = StatusOf(error, "a", kDriver);
    CHECK(absl::IsDataLoss(status));
    CHECK(Says(status, "hardware error"));
  }
}

TEST_CASE("A fault of a program on the device is none of the hardware") {
  for (const cudaError_t error :
       {cudaErrorIllegalAddress, cudaErrorIllegalInstruction, cudaErrorMisalignedAddress,
        cudaErrorInvalidPc, cudaErrorInvalidAddressSpace, cudaErrorLaunchFailure,
        cudaErrorLaunchTimeout, cudaErrorUnknown}) {
    CAPTURE(static_cast<int>(error));
    CHECK(absl::IsInternal(StatusOf(error, "a", kDriver)));
  }
}

TEST_CASE("Memory that is lacking is named with what is needed and what is free") {
  constexpr int64_t kMib = 1 << 20;
  CHECK(CheckDeviceBytes(100 * kMib, 100 * kMib + kDeviceReserveBytes, "a proof").ok());
  const absl::Status status =
      CheckDeviceBytes(1000 * kMib, 999 * kMib + kDeviceReserveBytes, "a proof");
  CHECK(absl::IsResourceExhausted(status));
  CHECK(Says(status, "a proof needs 1192 MiB"));
  CHECK(Says(status, "1191 MiB are free"));
}

}  // namespace
}  // namespace warpbook::probe
