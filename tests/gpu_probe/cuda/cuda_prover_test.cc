// Each kernel of each GPU that is there against the CPU's prover, bit by bit; and what is said
// where there is none.
#include "gpu_probe/prover/cuda/cuda_prover.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/cuda/cuda_bench.h"

#ifdef WARPBOOK_EMULATED_DEVICE
constexpr bool kIsEmulated = true;  // and a thousand times as slow
#else
constexpr bool kIsEmulated = false;
#endif

namespace warpbook::probe {
namespace {

const Progress kSilent = [](std::string_view, int64_t, int64_t) {};
const Seed kGatherSeed = {4, 5}, kOpeningSeed = {6, 7};

constexpr MemorySize kMemory = {
    .blocks = 96, .columns = 2, .passes = 4, .walks = 128, .legs = 3, .opened = 9};
constexpr ComputeSize kCompute = {.m = 192, .n = 128, .k = 128, .rounds = 3, .opened = 8};

struct Answer {
  std::vector<Sha256Digest> roots;
  std::vector<Opening> openings;
  Sha256Digest walks{};
  std::vector<LegOpening> legs;
};

template <typename T>
T Take(absl::StatusOr<T> result) {
  INFO(std::string(result.status().message()));
  REQUIRE(result.ok());
  return *std::move(result);
}

Answer AnswerOf(Prover& prover, const GpuChallenge& challenge) {
  Answer answer;
  answer.roots = Take(prover.CommitProducts(kSilent));
  REQUIRE(prover.FillMemory(kSilent).ok());
  answer.walks = Take(prover.Gather(kGatherSeed, kSilent));
  // With the memory still taken.
  answer.openings = Take(prover.OpenTiles(TilesToOpen(challenge.compute, kOpeningSeed)));
  answer.legs = Take(prover.OpenLegs(LegsToOpen(challenge.memory, kOpeningSeed)));
  return answer;
}

bool Same(const StatesOpening& a, const StatesOpening& b) {
  return a.states == b.states && a.path == b.path;
}

void CheckSame(const Answer& answer, const Answer& expected) {
  CHECK(answer.roots == expected.roots);
  CHECK(answer.walks == expected.walks);
  REQUIRE(answer.openings.size() == expected.openings.size());
  for (size_t i = 0; i < expected.openings.size(); ++i) {
    CHECK(answer.openings[i].tile == expected.openings[i].tile);
    CHECK((answer.openings[i].entries == expected.openings[i].entries));
    CHECK(answer.openings[i].path == expected.openings[i].path);
  }
  REQUIRE(answer.legs.size() == expected.legs.size());
  for (size_t i = 0; i < expected.legs.size(); ++i) {
    const LegOpening &ours = answer.legs[i], &theirs = expected.legs[i];
    CHECK(ours.leg == theirs.leg);
    CHECK(Same(ours.after, theirs.after));
    REQUIRE(ours.before.has_value() == theirs.before.has_value());
    if (ours.before) CHECK(Same(*ours.before, *theirs.before));
  }
}

void CompareOnDevices(const GpuChallenge& challenge) {
  const auto first = ProductKernels(0);
  if (!first.ok()) return;
  CpuProver reference(challenge);
  const Answer expected = AnswerOf(reference, challenge);
  for (int device = 0;; ++device) {
    const auto kernels = ProductKernels(device);
    if (absl::IsNotFound(kernels.status())) return;
    for (const ProductKernel kernel : Take(kernels)) {
      CAPTURE(device);
      CAPTURE(std::string(NameOf(kernel)));
      const std::array order = {kernel, ProductKernel::kMma};
      // Made before there is a nonce.
      GpuChallenge sizes = challenge;
      sizes.nonce = {};
      const auto prover = Take(MakeCudaProver(sizes, device, order));
      prover->Begin(challenge.nonce);
      // A kernel that is wrong is passed over. cuBLASLt may not take every shape.
      if (kernel != ProductKernel::kCublasLt) CHECK(prover->kernel() == kernel);
      CheckSame(AnswerOf(*prover, challenge), expected);
    }
  }
}

TEST_CASE("Without CUDA, a driver or a GPU it is said which, and nothing is proved") {
  const auto kernels = ProductKernels(0);
  if (kernels.ok()) return;
  const absl::Status& status = kernels.status();
  CAPTURE(std::string(status.message()));
  CHECK((absl::IsUnimplemented(status) || absl::IsNotFound(status) ||
         absl::IsFailedPrecondition(status)));
  const GpuChallenge challenge = {{1}, 0, kCompute, kMemory};
  for (const ProductKernel kernel :
       {ProductKernel::kMma, ProductKernel::kCublasLt, ProductKernel::kWgmma}) {
    CHECK(MakeCudaProver(challenge, 0, {&kernel, 1}).status().code() == status.code());
  }
#ifndef WARPBOOK_EMULATED_DEVICE
  CHECK(BenchDevice(0, kSilent).status().code() == status.code());
#endif
}

TEST_CASE("Each kernel gives the CPU's bits over shapes that fill its tiles and that do not") {
  for (const auto& [m, n, k] : {std::array<int64_t, 3>{192, 128, 128},
                                {64, 64, 64},
                                {64, 320, 192},
                                {320, 64, 4'096},
                                {512, 512, 256},
                                {640, 832, 1'088}}) {
    if (kIsEmulated && m * n * k > 192 * 128 * 4'096) continue;
    const ComputeSize size = {.m = m, .n = n, .k = k, .rounds = 2, .opened = 2};
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    CompareOnDevices({{9, 9}, 1, size, kMemory});
  }
}

TEST_CASE("More parts than the GPU has multiprocessors are computed all the same") {
  ComputeSize size = {.m = 8'192, .n = 8'192, .k = 64, .rounds = 1, .opened = 5};
  if (kIsEmulated) size.m = 768, size.n = 1'024, size.k = 192;
  CompareOnDevices({{2}, 0, size, kMemory});
}

TEST_CASE("The longest lines do not overflow") {
  if (kIsEmulated) return;
  CompareOnDevices({{3}, 0, {.m = 64, .n = 64, .k = 131'072, .rounds = 1, .opened = 1}, kMemory});
}

TEST_CASE("The memory is filled and walked through as by the CPU, in every shape") {
  for (const auto& [blocks, columns, passes] : {std::array{2, 1, 1},
                                                {97, 3, 5},
                                                {64, 16, 6},
                                                {3'072, 4, 10},
                                                {16, 64, 2},
                                                {8, 17, 200},
                                                {4'099, 1, 12},
                                                {6'144, 64, 900}}) {
    if (kIsEmulated && blocks * columns > 16'384) continue;
    const MemorySize size = {.blocks = blocks,
                             .columns = columns,
                             .passes = passes,
                             .walks = kIsEmulated ? 64 : 320,
                             .legs = 70,
                             .opened = 20};
    CAPTURE(blocks);
    CAPTURE(columns);
    CAPTURE(passes);
    CompareOnDevices({{5}, 3, kCompute, size});
  }
}

TEST_CASE("A proof that the memory cannot hold is refused with both numbers") {
  if (!ProductKernels(0).ok()) return;
  MemorySize size = kMemory;
  size.blocks = int64_t{1} << 30;
  size.columns = kColumnsMax;  // 4 TiB
  const ProductKernel kernel = ProductKernel::kMma;
  const auto prover = Take(MakeCudaProver({{1}, 0, kCompute, size}, 0, {&kernel, 1}));
  REQUIRE(prover->CommitProducts(kSilent).ok());
  const absl::Status status = prover->FillMemory(kSilent);
  CHECK(absl::IsResourceExhausted(status));
  CHECK(std::string(status.message()).find("are free") != std::string::npos);
}

}  // namespace
}  // namespace warpbook::probe
