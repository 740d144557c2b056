#include "gpu_probe/prover/cpu_bench.h"

#include <chrono>
#include <functional>
#include <memory>

#include "gpu_probe/verifier/chacha8.h"
#include "gpu_probe/verifier/tile.h"
#include "schema/base/crypto.h"

namespace warpbook::probe {
namespace {

using Clock = std::chrono::steady_clock;
__extension__ using Wide = __int128;

constexpr std::chrono::milliseconds kEach{300};
constexpr int64_t kDepth = 4'096;
constexpr size_t kBytes = size_t{1} << 20;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

// How much is done in a second, where one call does so much.
int64_t PerSecond(int64_t amount, const std::function<void()>& call) {
  const Clock::time_point start = Clock::now();
  int64_t calls = 0;
  Clock::duration took{};
  do {
    call();
    ++calls;
    took = Clock::now() - start;
  } while (took < kEach);
  const int64_t nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
  return static_cast<int64_t>(Wide{amount} * calls * kNanosPerSecond / nanos);
}

}  // namespace

std::vector<BenchFigure> BenchCpu() {
  const auto tile = std::make_unique<Tile>();
  Seed seed{};
  std::vector<uint8_t> bytes(kBytes);
  const int64_t ops = PerSecond(2 * kTileSide * kTileSide * kDepth, [&] {
    ++seed[0];
    ComputeTile(seed, {}, kDepth, *tile);
  });
  const int64_t streamed = PerSecond(kBytes, [&] { ChaCha8(seed, ChaChaNonce{}, 0, bytes); });
  const int64_t hashed = PerSecond(
      kBytes, [&] { bytes[0] = Sha256(std::as_bytes(std::span<const uint8_t>(bytes)))[0]; });
  return {
      {"int8_ops_per_s", ops}, {"chacha8_bytes_per_s", streamed}, {"sha256_bytes_per_s", hashed}};
}

}  // namespace warpbook::probe
