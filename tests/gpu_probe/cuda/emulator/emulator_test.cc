// What only the emulated device can be made to do.
#include <doctest/doctest.h>

#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/cuda/cuda_prover.h"
#include "gpu_probe/prover/cuda/device_memory.h"
#include "tests/gpu_probe/cuda/emulator/emulated_runtime.h"

namespace warpbook::probe {
namespace {

const Progress kSilent = [](std::string_view, int64_t, int64_t) {};
constexpr MemorySize kMemory = {
    .blocks = 32, .columns = 1, .passes = 4, .walks = 64, .legs = 2, .opened = 2};

TEST_CASE("A product that does not fit is computed by bands, with the same roots") {
  const ComputeSize size = {.m = 1'344, .n = 128, .k = 64, .rounds = 2, .opened = 3};
  const GpuChallenge challenge = {{8}, 0, size, kMemory};
  CpuProver reference(challenge);
  const auto expected = reference.CommitProducts(kSilent);
  REQUIRE(expected.ok());
  // Room for 400 rows: three bands of 384, and a fourth.
  const int64_t others = (size.m + size.n) * size.k + 24'000;
  emulator::SetFreeBytes(kDeviceReserveBytes + others + 400 * size.n * int64_t{sizeof(int32_t)});
  for (const ProductKernel kernel : {ProductKernel::kMma, ProductKernel::kWgmma}) {
    const auto prover = MakeCudaProver(challenge, 0, kernel);
    REQUIRE(prover.ok());
    CHECK((*prover)->kernel() == kernel);
    CHECK(*(*prover)->CommitProducts(kSilent) == *expected);
  }
  // No room even for the smallest band.
  emulator::SetFreeBytes(kDeviceReserveBytes + others);
  CHECK(absl::IsResourceExhausted(MakeCudaProver(challenge, 0, ProductKernel::kMma).status()));
  emulator::SetFreeBytes(int64_t{1} << 30);
}

}  // namespace
}  // namespace warpbook::probe
