// The CUDA runtime of the emulated device, of which there is one, an sm_90 with four
// multiprocessors.
#pragma once

#include <cstdint>

namespace warpbook::probe::emulator {

// What is free of the device's memory; a gibibyte at first.
void SetFreeBytes(int64_t bytes);
// 10 x major + minor; 90 at first.
void SetCapability(int capability);

// What stands for cuBLASLt: nothing at first, or one that never does what it should.
enum class Lt { kNone, kWrong, kRefuses, kNoMemory, kHardware };
void SetLt(Lt lt);

}  // namespace warpbook::probe::emulator
