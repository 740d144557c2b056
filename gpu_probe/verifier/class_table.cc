#include "gpu_probe/verifier/class_table.h"

#include <algorithm>

#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

constexpr int64_t kGiga = 1'000'000'000;
constexpr int64_t kGib = int64_t{1} << 30;
constexpr int64_t kTera = 1'000 * kGiga;
constexpr int64_t kBasisPoints = 10'000;

// A round of 2 x 32,768 x 32,768 x 65,536 operations: some tenths of a second of the fastest cards,
// so that what passes between rounds is little; in 9 GB of memory.
constexpr int64_t kRoundSide = 32'768;
constexpr int64_t kRoundDepth = 65'536;
constexpr int64_t kComputeSeconds = 2;
constexpr int64_t kRoundsMin = 2;

constexpr int32_t kColumns = 16;  // blocks of 1 KiB
// Whoever reads no faster than the slowest of the class and makes each block anew instead is so
// many times slower than it may be.
constexpr int64_t kMadeAnewTooSlow = 20;
constexpr int32_t kWalks = 65'536;
constexpr int64_t kGathersInSecond = 2;

// So many openings of 16.7 and 2.4 KB fit kTranscriptBytesMax, whatever the number of GPUs.
constexpr int32_t kTilesOpened = 128;
constexpr int32_t kTilesOpenedOfAll = 816;
constexpr int32_t kLegsOpened = 128;
constexpr int32_t kLegsOpenedOfAll = 768;

int64_t PercentOf(int64_t value, int64_t percent) { return value / 100 * percent; }

// The rate in units that a card attained, or else a share of the vendor's.
int64_t Attained(int measured, int of_vendor, int64_t percent, int64_t unit) {
  return measured > 0 ? measured * unit : PercentOf(of_vendor * unit, percent);
}

}  // namespace

ClassTable::ClassTable(const Catalogue& catalogue) {
  for (const HardwareClass& known : catalogue.classes) {
    rows_.push_back({.name = known.name,
                     .int8_ops_per_s = Attained(known.probe_int8_tops, known.int8_dense_tops,
                                                kAttainedInt8Percent, kTera),
                     .bytes_per_s = Attained(known.probe_memory_gb_per_s, known.memory_gb_per_s,
                                             kAttainedBandwidthPercent, kGiga),
                     // A card of 80 GB has 80 GiB, but for what its ECC takes.
                     .memory_bytes = known.memory_gb * kGib});
    ClassRow& row = rows_.back();
    row.has_probe = known.has_probe && row.int8_ops_per_s > 0;
  }
}

const ClassRow* ClassTable::Find(std::string_view name) const {
  const auto row = std::ranges::find(rows_, name, &ClassRow::name);
  return row == rows_.end() ? nullptr : &*row;
}

ProofSize SizesFor(const ClassRow& row, int32_t gpus) {
  WARPBOOK_CHECK(gpus >= 1 && gpus <= kGpusProvedMax);
  ProofSize size;
  const int64_t rate = row.int8_ops_per_s;
  const int64_t round = 2 * kRoundSide * kRoundSide * kRoundDepth;
  size.compute = {.m = kRoundSide,
                  .n = kRoundSide,
                  .k = kRoundDepth,
                  .rounds = static_cast<int32_t>(
                      std::clamp<int64_t>(kComputeSeconds * rate / round, kRoundsMin, kRoundsMax)),
                  .opened = std::min(kTilesOpened, kTilesOpenedOfAll / gpus)};
  MemorySize& memory = size.memory;
  memory.columns = kColumns;
  const int64_t slowest = row.bytes_per_s / kBasisPoints * kClassShareMin;
  memory.passes = static_cast<int32_t>(
      std::clamp<int64_t>(kMadeAnewTooSlow * row.made_anew_bytes_per_s / slowest, 1, kPassesMax));
  memory.blocks = PercentOf(row.memory_bytes, kArenaPercent) / memory.block_bytes();
  memory.walks = kWalks;
  memory.legs = 1;
  memory.legs = static_cast<int32_t>(std::clamp<int64_t>(
      row.bytes_per_s / kGathersInSecond / memory.gathered_bytes(), 1, kLegsMax));
  memory.opened = std::min(kLegsOpened, kLegsOpenedOfAll / gpus);
  WARPBOOK_CHECK(CheckSize(size.compute).ok() && CheckSize(size.memory).ok());
  return size;
}

ProofSize SmallProfile() {
  return {.compute = {.m = 128, .n = 64, .k = 128, .rounds = 2, .opened = 2},
          .memory = {.blocks = 128,
                     .columns = 4,
                     .passes = 4,
                     .walks = kWalksPerLeaf,
                     .legs = 3,
                     .opened = 4}};
}

}  // namespace warpbook::probe
