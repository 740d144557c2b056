// Memory and streams of the calling thread's device, given back at the end of their lives.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook::probe {

// Left to the driver and to what libraries take for themselves.
inline constexpr int64_t kDeviceReserveBytes = int64_t{192} << 20;

class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  // `what` is it for, so that an error can say so.
  static absl::StatusOr<DeviceBuffer> Allocate(int64_t bytes, std::string_view what);

  template <typename T>
  T* As() const {
    return static_cast<T*>(memory_.get());
  }
  void* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(void* memory) const { cudaFree(memory); }
  };
  std::unique_ptr<void, Free> memory_;
};

// Beside others and the default stream.
class DeviceStream {
 public:
  DeviceStream() = default;
  static absl::StatusOr<DeviceStream> Create();
  cudaStream_t get() const { return stream_.get(); }
  // Waits for all that was started; `what` was being done.
  absl::Status Wait(std::string_view what) const;

 private:
  struct Destroy {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
  };
  std::unique_ptr<CUstream_st, Destroy> stream_;
};

// Bytes of the device that nobody has taken.
absl::StatusOr<int64_t> FreeDeviceBytes();
// ResourceExhausted, with both numbers, where that many bytes and the reserve are not free.
absl::Status CheckDeviceBytes(int64_t needed, int64_t free, std::string_view what);

// Between the CPU's memory and the device's. Copies wait for the stream, and are done when they
// return.
absl::Status Upload(const void* from, int64_t bytes, const DeviceBuffer& to,
                    const DeviceStream& stream);
absl::Status Download(const void* from, int64_t bytes, void* to, const DeviceStream& stream);

}  // namespace warpbook::probe
