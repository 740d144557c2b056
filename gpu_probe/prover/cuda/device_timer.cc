#include "gpu_probe/prover/cuda/device_timer.h"

#include "gpu_probe/prover/cuda/cuda_status.h"

namespace warpbook::probe {

absl::StatusOr<DeviceTimer> DeviceTimer::Create() {
  DeviceTimer timer;
  for (Event* event : {&timer.begin_, &timer.end_}) {
    cudaEvent_t created = nullptr;
    WARPBOOK_RETURN_IF_ERROR(CudaStatus(cudaEventCreate(&created), "creating an event"));
    event->reset(created);
  }
  return timer;
}

absl::Status DeviceTimer::Start(cudaStream_t stream) {
  return CudaStatus(cudaEventRecord(begin_.get(), stream), "starting a clock");
}

absl::StatusOr<double> DeviceTimer::Stop(cudaStream_t stream, std::string_view what) {
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(cudaEventRecord(end_.get(), stream), what));
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(cudaEventSynchronize(end_.get()), what));
  float milliseconds = 0;
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()), what));
  return static_cast<double>(milliseconds) / 1e3;
}

}  // namespace warpbook::probe
