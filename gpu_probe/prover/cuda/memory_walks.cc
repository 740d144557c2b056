#include "gpu_probe/prover/cuda/memory_walks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gpu_probe/prover/cuda/cuda_status.h"
#include "gpu_probe/prover/cuda/device_convert.h"

namespace warpbook::probe {
namespace {

// So many launches, between which progress is told.
constexpr int64_t kLaunches = 32;
constexpr int64_t kPathNodesMax = 64;

int64_t StatesBytes(const MemorySize& size) { return size.all_legs() * int64_t{sizeof(uint64_t)}; }
int64_t StartsBytes(const MemorySize& size) { return size.walks * int64_t{sizeof(uint64_t)}; }
int64_t TreeBytes(const MemorySize& size) {
  return TreeNodes(size.leaves()) * int64_t{sizeof(DigestWords)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemoryWalks>> MemoryWalks::Make(const MemoryChallenge& challenge) {
  std::unique_ptr<MemoryWalks> made(new MemoryWalks(challenge));
  WARPBOOK_RETURN_IF_ERROR(made->TakeMemory());
  return made;
}

ArenaShape MemoryWalks::Shape() const {
  const MemorySize& size = challenge_.size;
  return {static_cast<uint64_t>(size.blocks), static_cast<uint32_t>(size.columns),
          static_cast<uint32_t>(size.passes)};
}

absl::Status MemoryWalks::TakeMemory() {
  const MemorySize& size = challenge_.size;
  const std::array<std::pair<DeviceBuffer*, int64_t>, 7> buffers = {
      {{&arena_, size.arena_bytes()},
       {&multipliers_, size.block_bytes()},
       {&starts_, StartsBytes(size)},
       {&states_, StatesBytes(size)},
       {&tree_, TreeBytes(size)},
       {&collected_rows_, kPathNodesMax * int64_t{sizeof(uint64_t)}},
       {&collected_, kPathNodesMax * int64_t{sizeof(DigestWords)}}}};
  int64_t needed = 0;
  for (const auto& [buffer, bytes] : buffers) needed += bytes;
  const absl::StatusOr<int64_t> free = FreeDeviceBytes();
  if (!free.ok()) return free.status();
  WARPBOOK_RETURN_IF_ERROR(CheckDeviceBytes(needed, *free, "the memory proof"));
  for (const auto& [buffer, bytes] : buffers) {
    auto allocated = DeviceBuffer::Allocate(bytes, "the memory proof");
    if (!allocated.ok()) return allocated.status();
    *buffer = *std::move(allocated);
  }
  auto stream = DeviceStream::Create();
  if (!stream.ok()) return stream.status();
  stream_ = *std::move(stream);
  return absl::OkStatus();
}

absl::Status MemoryWalks::Fill(const Progress& progress) {
  const ArenaShape shape = Shape();
  const SeedWords seed = WordsOf(ArenaSeed(challenge_));
  const uint64_t each = (shape.chunks() + kLaunches - 1) / kLaunches;
  for (uint64_t first = 0; first < shape.chunks(); first += each) {
    const uint64_t count = std::min(each, shape.chunks() - first);
    WARPBOOK_RETURN_IF_ERROR(
        CudaStatus(LaunchFillArena(seed, shape, first, count, arena_.data(), stream_.get()),
                   "filling the memory"));
    WARPBOOK_RETURN_IF_ERROR(stream_.Wait("filling the memory"));
    progress("blocks filled", static_cast<int64_t>((first + count) / shape.columns),
             static_cast<int64_t>(shape.blocks));
  }
  const Progress silent = [](std::string_view, int64_t, int64_t) {};
  return Walk(MakeGatherKeys(challenge_, {}), 1, silent).status();
}

absl::StatusOr<Sha256Digest> MemoryWalks::Walk(const GatherKeys& keys, int64_t legs,
                                               const Progress& progress) {
  const MemorySize& size = challenge_.size;
  WARPBOOK_RETURN_IF_ERROR(
      Upload(keys.multipliers.data(), size.block_bytes(), multipliers_, stream_));
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(
      LaunchWalkStarts(WordsOf(keys.seed), size.walks, starts_.As<uint64_t>(), stream_.get()),
      "starting the walks"));
  const int64_t each = std::max<int64_t>(size.legs / kLaunches, 1);
  const uint64_t* from = starts_.As<uint64_t>();
  for (int64_t leg = 0; leg < legs; leg += each) {
    const int64_t count = std::min(each, legs - leg);
    uint64_t* const to = states_.As<uint64_t>() + leg * size.walks;
    const WalkPlan plan = {Shape(), size.walks, leg, count, size.legs, kStepsPerLeg};
    WARPBOOK_RETURN_IF_ERROR(CudaStatus(
        LaunchWalks(plan, arena_.data(), multipliers_.As<uint32_t>(), from, to, stream_.get()),
        "walking through the memory"));
    WARPBOOK_RETURN_IF_ERROR(stream_.Wait("walking through the memory"));
    from = to + (count - 1) * size.walks;
    progress("legs walked", leg + count, size.legs);
  }
  auto* const nodes = tree_.As<DigestWords>();
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(
      LaunchHashLeaves(states_.data(), sizeof(WalkStates), size.leaves(), nodes, stream_.get()),
      "hashing states"));
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(LaunchTree(nodes, size.leaves(), stream_.get()), "hashing a tree"));
  Sha256Digest root;
  WARPBOOK_RETURN_IF_ERROR(
      Download(nodes + TreeNodes(size.leaves()) - 1, sizeof root, root.data(), stream_));
  return root;
}

absl::StatusOr<Sha256Digest> MemoryWalks::Gather(const Seed& gather_seed,
                                                 const Progress& progress) {
  return Walk(MakeGatherKeys(challenge_, gather_seed), challenge_.size.legs, progress);
}

absl::StatusOr<StatesOpening> MemoryWalks::OpenStates(uint64_t leaf) {
  StatesOpening opening;
  WARPBOOK_RETURN_IF_ERROR(Download(states_.As<uint64_t>() + leaf * kWalksPerLeaf,
                                    sizeof(WalkStates), opening.states.data(), stream_));
  const std::vector<uint64_t> nodes = PathNodes(challenge_.size.leaves(), leaf);
  if (nodes.empty()) return opening;
  WARPBOOK_RETURN_IF_ERROR(Upload(nodes.data(),
                                  static_cast<int64_t>(nodes.size() * sizeof(uint64_t)),
                                  collected_rows_, stream_));
  constexpr int kVectors = sizeof(DigestWords) / 16;
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(LaunchCollect(tree_.data(), collected_rows_.As<uint64_t>(), std::ssize(nodes),
                               kVectors, collected_.data(), stream_.get()),
                 "collecting a path"));
  opening.path.resize(nodes.size());
  WARPBOOK_RETURN_IF_ERROR(Download(collected_.data(),
                                    static_cast<int64_t>(nodes.size() * sizeof(Sha256Digest)),
                                    opening.path.data(), stream_));
  return opening;
}

absl::StatusOr<std::vector<LegOpening>> MemoryWalks::Open(std::span<const OpenedLeg> legs) {
  std::vector<LegOpening> openings;
  for (const OpenedLeg& leg : legs) {
    LegOpening& opening = openings.emplace_back();
    opening.leg = leg;
    if (leg.leg > 0) {
      auto before = OpenStates(LeafOf(challenge_.size, leg.walk, leg.leg - 1));
      if (!before.ok()) return before.status();
      opening.before = *std::move(before);
    }
    auto after = OpenStates(LeafOf(challenge_.size, leg.walk, leg.leg));
    if (!after.ok()) return after.status();
    opening.after = *std::move(after);
  }
  return openings;
}

}  // namespace warpbook::probe
