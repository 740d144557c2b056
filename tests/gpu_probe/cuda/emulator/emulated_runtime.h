// The CUDA runtime of the emulated device, of which there is one, an sm_90 with four
// multiprocessors.
#pragma once

#include <cstdint>

namespace warpbook::probe::emulator {

// What is free of the device's memory; a gibibyte at first.
void SetFreeBytes(int64_t bytes);

}  // namespace warpbook::probe::emulator
