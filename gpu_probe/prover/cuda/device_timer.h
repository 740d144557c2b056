// Seconds by the device's own clock, between two points of a stream.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook::probe {

class DeviceTimer {
 public:
  static absl::StatusOr<DeviceTimer> Create();
  absl::Status Start(cudaStream_t stream);
  // Waits until the stream has come so far; `what` was being done.
  absl::StatusOr<double> Stop(cudaStream_t stream, std::string_view what);

 private:
  struct Destroy {
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
  };
  using Event = std::unique_ptr<CUevent_st, Destroy>;
  Event begin_, end_;
};

}  // namespace warpbook::probe
