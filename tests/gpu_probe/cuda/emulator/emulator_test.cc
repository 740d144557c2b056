// What only the emulated device can be made to do.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

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
    const auto prover = MakeCudaProver(challenge, 0, {&kernel, 1});
    REQUIRE(prover.ok());
    CHECK((*prover)->kernel() == kernel);
    CHECK(*(*prover)->CommitProducts(kSilent) == *expected);
  }
  // No room even for the smallest band.
  emulator::SetFreeBytes(kDeviceReserveBytes + others);
  const ProductKernel mma = ProductKernel::kMma;
  CHECK(absl::IsResourceExhausted(MakeCudaProver(challenge, 0, {&mma, 1}).status()));
  emulator::SetFreeBytes(int64_t{1} << 30);
}

// What is left of a product by the emulated cuBLASLt.
struct LtFault {
  explicit LtFault(emulator::Lt lt) { emulator::SetLt(lt); }
  ~LtFault() { emulator::SetLt(emulator::Lt::kNone); }
};

TEST_CASE("A kernel that fails or is wrong is passed over for the next one, not for the slowest") {
  const ComputeSize size = {.m = 128, .n = 128, .k = 128, .rounds = 2, .opened = 3};
  const GpuChallenge challenge = {{9}, 0, size, kMemory};
  CpuProver reference(challenge);
  const auto expected = reference.CommitProducts(kSilent);
  for (const auto& [lt, why] : {std::pair(emulator::Lt::kWrong, "product is wrong"),
                                std::pair(emulator::Lt::kRefuses, "takes no shape"),
                                std::pair(emulator::Lt::kNoMemory, "no memory")}) {
    const LtFault fault(lt);
    const auto kernels = ProductKernels(0);
    REQUIRE(kernels.ok());
    REQUIRE(kernels->front() == ProductKernel::kCublasLt);
    const auto prover = MakeCudaProver(challenge, 0, *kernels);
    REQUIRE(prover.ok());
    CHECK((*prover)->kernel() == ProductKernel::kWgmma);
    REQUIRE((*prover)->passed_over().size() == 1);
    CHECK((*prover)->passed_over()[0].kernel == ProductKernel::kCublasLt);
    CHECK(std::string((*prover)->passed_over()[0].why.message()).find(why) != std::string::npos);
    CHECK(*(*prover)->CommitProducts(kSilent) == *expected);
  }
  // One that is alone, and a device's own fault, are the end of it.
  const ProductKernel lt = ProductKernel::kCublasLt;
  {
    const LtFault fault(emulator::Lt::kRefuses);
    CHECK(absl::IsUnimplemented(MakeCudaProver(challenge, 0, {&lt, 1}).status()));
  }
  const LtFault fault(emulator::Lt::kHardware);
  CHECK(absl::IsDataLoss(MakeCudaProver(challenge, 0, ProductKernels(0).value()).status()));
}

TEST_CASE("A GPU that there is no code for is none that can be used, whatever its driver") {
  emulator::SetCapability(70);
  const absl::Status status = ProductKernels(0).status();
  emulator::SetCapability(90);
  CHECK(absl::IsNotFound(status));
}

TEST_CASE("GPUs for which there is no fast kernel of ours need cuBLASLt") {
  for (const auto& [capability, needs] :
       {std::pair(75, false), {90, false}, {100, true}, {103, true}, {120, true}}) {
    emulator::SetCapability(capability);
    CHECK(NeedsCublasLt(0).value() == needs);
  }
  emulator::SetCapability(90);
}

TEST_CASE("A prover gives the same answers whenever it hears of the nonce") {
  const ComputeSize size = {.m = 128, .n = 64, .k = 64, .rounds = 2, .opened = 3};
  const GpuChallenge challenge = {{9}, 0, size, kMemory};
  const std::array kernels = {ProductKernel::kMma};
  const auto at_once = MakeCudaProver(challenge, 0, kernels);
  const auto later = MakeCudaProver({{}, 0, size, kMemory}, 0, kernels);
  REQUIRE(at_once.ok());
  REQUIRE(later.ok());
  (*later)->Begin(challenge.nonce);
  CHECK(*(*at_once)->CommitProducts(kSilent) == *(*later)->CommitProducts(kSilent));
}

}  // namespace
}  // namespace warpbook::probe
