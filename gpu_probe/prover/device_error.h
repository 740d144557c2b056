// What an error of CUDA means to whoever runs the probe. The driver and the runtime number their
// errors alike, so this one table is for both; it needs no CUDA.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace warpbook::probe {

// The numbers that are looked at here, with the runtime's names for them.
enum DeviceError : int {
  kDeviceOutOfMemory = 2,
  kDeviceStubLibrary = 34,
  kDeviceInsufficientDriver = 35,
  kDeviceCallNeedsNewerDriver = 36,
  kDeviceUnavailable = 46,
  kDeviceNoDevice = 100,
  kDeviceInvalidDevice = 101,
  kDeviceNoKernelImage = 209,
  kDeviceEccUncorrectable = 214,
  kDeviceNvlinkUncorrectable = 220,
  kDeviceUnsupportedPtx = 222,
  kDeviceContained = 226,
  kDeviceHardwareStack = 714,
  kDeviceSystemNotReady = 802,
  kDeviceSystemDriverMismatch = 803,
  kDeviceCompatNotSupported = 804,
};

// `text` says what was being done, and the error. The status is what devices.h says of errors:
//   NotFound            no device, no driver, or a device that this build has no code for
//   FailedPrecondition  the driver is too old, or does not fit its kernel module
//   DataLoss            the device reports a fault of its own: nothing that it says after that is
//   to
//                       be believed
//   ResourceExhausted   memory of the device
//   Unavailable         the device cannot be used at the moment
//   Internal            anything else; among it what a program does wrong on the device (addresses,
//                       instructions, launches), be it this one
absl::Status StatusOfDeviceError(int error, const std::string& text);

}  // namespace warpbook::probe
