#include "gpu_probe/prover/cuda/product_commitment.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gpu_probe/prover/cuda/cuda_status.h"
#include "gpu_probe/prover/cuda/device_convert.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

// A product that does not fit is computed by bands of at least so many rows.
constexpr int64_t kBandRowsMin = 256;

int64_t RowBytes(const ComputeSize& size) { return size.n * int64_t{sizeof(int32_t)}; }
int64_t TreeBytes(const ComputeSize& size) {
  return TreeNodes(size.tiles_per_round()) * int64_t{sizeof(DigestWords)};
}
int64_t OpenedBytes(const ComputeSize& size) {
  return size.opened * int64_t{sizeof(Tile) + sizeof(TileToMake)};
}
// All but the product.
int64_t OtherBytes(const ComputeSize& size) {
  return (size.m + size.n) * size.k + 2 * TreeBytes(size) + OpenedBytes(size);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProductCommitment>> ProductCommitment::Make(
    const ComputeChallenge& challenge, int device, std::span<const ProductKernel> kernels) {
  std::unique_ptr<ProductCommitment> made(new ProductCommitment(challenge));
  WARPBOOK_RETURN_IF_ERROR(made->TakeMemory());
  for (const ProductKernel kernel : kernels) {
    auto runner = MakeProductRunner(kernel, device);
    absl::Status tried = runner.status();
    if (runner.ok()) {
      made->kernel_ = kernel;
      made->runner_ = *std::move(runner);
      tried = made->TryKernel();
    }
    if (tried.ok()) return made;
    // What is wrong with the device itself is not to be taken for a kernel that does not fit.
    if (absl::IsDataLoss(tried) || absl::IsUnavailable(tried)) return tried;
    made->passed_over_.push_back({kernel, std::move(tried)});
  }
  if (made->passed_over_.empty()) return absl::NotFoundError("no kernel runs on this GPU");
  return made->passed_over_.front().why;
}

absl::Status ProductCommitment::TakeMemory() {
  const ComputeSize& size = challenge_.size;
  const absl::StatusOr<int64_t> free = FreeDeviceBytes();
  if (!free.ok()) return free.status();
  band_rows_ = size.m;
  const auto needed = [&] { return OtherBytes(size) + band_rows_ * RowBytes(size); };
  while (band_rows_ > kBandRowsMin && !CheckDeviceBytes(needed(), *free, "").ok()) {
    band_rows_ = (band_rows_ / kTileSide + 1) / 2 * kTileSide;
  }
  WARPBOOK_RETURN_IF_ERROR(CheckDeviceBytes(needed(), *free, "the compute proof"));

  for (DeviceStream* stream : {&stream_, &copies_}) {
    auto created = DeviceStream::Create();
    if (!created.ok()) return created.status();
    *stream = *std::move(created);
  }
  const std::array<std::pair<DeviceBuffer*, int64_t>, 7> buffers = {
      {{&left_, size.m * size.k},
       {&right_, size.n * size.k},
       {&result_, band_rows_ * RowBytes(size)},
       {&device_trees_[0], TreeBytes(size)},
       {&device_trees_[1], TreeBytes(size)},
       {&opened_, size.opened * int64_t{sizeof(TileToMake)}},
       {&opened_entries_, size.opened * int64_t{sizeof(Tile)}}}};
  for (const auto& [buffer, bytes] : buffers) {
    auto allocated = DeviceBuffer::Allocate(bytes, "the compute proof");
    if (!allocated.ok()) return allocated.status();
    *buffer = *std::move(allocated);
  }
  return absl::OkStatus();
}

// The first band of a round of a seed that no challenge has: its first tiles and its last against
// those that are made one by one, by other instructions. All kernels of a round have run then, so
// that none is loaded while the verifier's clock runs.
absl::Status ProductCommitment::TryKernel() {
  const Seed seed{};
  const ComputeSize& size = challenge_.size;
  WARPBOOK_RETURN_IF_ERROR(FillOperands(seed));
  const ProductShape shape = {band_rows_, size.n, size.k};
  const auto* const left = left_.As<int8_t>();
  const auto* const right = right_.As<int8_t>();
  WARPBOOK_RETURN_IF_ERROR(
      runner_->Prepare(left, right, result_.As<int32_t>(), shape, stream_.get()));
  WARPBOOK_RETURN_IF_ERROR(runner_->Run(left, right, result_.As<int32_t>(), shape, stream_.get()));
  WARPBOOK_RETURN_IF_ERROR(stream_.Wait("trying a product"));
  const TilePlace last = {band_rows_ / kTileSide - 1, size.n / kTileSide - 1};
  for (const TilePlace place : {TilePlace{0, 0}, TilePlace{0, last.column}, last}) {
    const absl::StatusOr<bool> is_right = IsRight(seed, place);
    if (!is_right.ok()) return is_right.status();
    if (!*is_right) return absl::InternalError("the GPU's product is wrong");
  }
  WARPBOOK_RETURN_IF_ERROR(HashBand(shape, 0, TreeOf(0)));
  WARPBOOK_RETURN_IF_ERROR(HashTree(TreeOf(0)));
  return stream_.Wait("trying a tree");
}

absl::StatusOr<bool> ProductCommitment::IsRight(const Seed& seed, TilePlace place) {
  const ComputeSize& size = challenge_.size;
  Opening expected;
  const OpenedTile which = {0, place};
  WARPBOOK_RETURN_IF_ERROR(
      MakeTiles(std::span(&which, 1), std::span(&seed, 1), std::span(&expected, 1)));
  Tile computed;
  const int32_t* const first =
      result_.As<int32_t>() + place.row * kTileSide * size.n + place.column * kTileSide;
  constexpr size_t kRowBytes = kTileSide * sizeof(int32_t);
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(
      cudaMemcpy2DAsync(computed.data(), kRowBytes, first, static_cast<size_t>(RowBytes(size)),
                        kRowBytes, kTileSide, cudaMemcpyDeviceToHost, stream_.get()),
      "copying a tile"));
  WARPBOOK_RETURN_IF_ERROR(stream_.Wait("copying a tile"));
  return computed == expected.entries;
}

Seed ProductCommitment::SeedOfRound(int32_t round) const {
  return RoundSeed(challenge_, round,
                   round == 0 ? Sha256Digest{} : roots_[static_cast<size_t>(round) - 1]);
}

absl::Status ProductCommitment::FillOperands(const Seed& seed) {
  const ComputeSize& size = challenge_.size;
  const auto fill = [&](Operand operand, int64_t lines, const DeviceBuffer& entries) {
    return CudaStatus(LaunchFillOperand(WordsOf(seed), static_cast<uint32_t>(operand), lines,
                                        size.k, entries.As<int8_t>(), stream_.get()),
                      "making an operand");
  };
  WARPBOOK_RETURN_IF_ERROR(fill(Operand::kLeft, size.m, left_));
  return fill(Operand::kRight, size.n, right_);
}

// Starts all of it.
absl::Status ProductCommitment::ComputeRound(const Seed& seed, DigestWords* tree) {
  const ComputeSize& size = challenge_.size;
  WARPBOOK_RETURN_IF_ERROR(FillOperands(seed));
  for (int64_t row = 0; row < size.m; row += band_rows_) {
    const ProductShape shape = {std::min(band_rows_, size.m - row), size.n, size.k};
    WARPBOOK_RETURN_IF_ERROR(runner_->Run(left_.As<int8_t>() + row * size.k, right_.As<int8_t>(),
                                          result_.As<int32_t>(), shape, stream_.get()));
    WARPBOOK_RETURN_IF_ERROR(HashBand(shape, row, tree));
  }
  return HashTree(tree);
}

// What is in result_, whose first row that is of the product.
absl::Status ProductCommitment::HashBand(const ProductShape& band, int64_t row, DigestWords* tree) {
  return CudaStatus(
      LaunchHashTiles(result_.As<int32_t>(), band.rows, band.columns,
                      tree + LeafOf(challenge_.size, {row / kTileSide, 0}), stream_.get()),
      "hashing tiles");
}

absl::Status ProductCommitment::HashTree(DigestWords* tree) {
  return CudaStatus(LaunchTree(tree, challenge_.size.tiles_per_round(), stream_.get()),
                    "hashing a tree");
}

// Copies a round's tree, while the next one is being computed.
absl::Status ProductCommitment::KeepTree(int32_t round) {
  std::vector<Sha256Digest>& nodes = trees_.emplace_back();
  nodes.resize(static_cast<size_t>(TreeNodes(challenge_.size.tiles_per_round())));
  return Download(TreeOf(round), TreeBytes(challenge_.size), nodes.data(), copies_);
}

absl::StatusOr<std::vector<Sha256Digest>> ProductCommitment::Commit(const Progress& progress) {
  WARPBOOK_CHECK(roots_.empty());
  const ComputeSize& size = challenge_.size;
  const int64_t root = TreeNodes(size.tiles_per_round()) - 1;
  for (int32_t round = 0; round < size.rounds; ++round) {
    WARPBOOK_RETURN_IF_ERROR(ComputeRound(SeedOfRound(round), TreeOf(round)));
    if (round > 0) WARPBOOK_RETURN_IF_ERROR(KeepTree(round - 1));
    Sha256Digest digest;
    WARPBOOK_RETURN_IF_ERROR(Download(TreeOf(round) + root, sizeof digest, digest.data(), stream_));
    roots_.push_back(digest);
    progress("rounds of products", round + 1, size.rounds);
  }
  // The last tree is kept when there is time: the verifier's clock runs until it has the last root.
  return roots_;
}

absl::Status ProductCommitment::ReleaseDeviceMemory() {
  WARPBOOK_CHECK(!roots_.empty());
  if (trees_.size() < roots_.size()) {
    WARPBOOK_RETURN_IF_ERROR(KeepTree(challenge_.size.rounds - 1));
  }
  runner_.reset();
  left_ = {}, right_ = {}, result_ = {};
  device_trees_[0] = {}, device_trees_[1] = {};
  return absl::OkStatus();
}

// As many as there is room for.
absl::Status ProductCommitment::MakeTiles(std::span<const OpenedTile> which,
                                          std::span<const Seed> seeds,
                                          std::span<Opening> openings) {
  const size_t count = which.size();
  std::vector<TileToMake> tiles;
  for (size_t i = 0; i < count; ++i) {
    tiles.push_back({WordsOf(seeds[i]), static_cast<uint64_t>(which[i].place.row),
                     static_cast<uint64_t>(which[i].place.column)});
  }
  WARPBOOK_RETURN_IF_ERROR(
      Upload(tiles.data(), static_cast<int64_t>(count * sizeof(TileToMake)), opened_, stream_));
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(LaunchMakeTiles(opened_.As<TileToMake>(), static_cast<int64_t>(count),
                                 challenge_.size.k, opened_entries_.As<int32_t>(), stream_.get()),
                 "making opened tiles"));
  std::vector<Tile> entries(count);
  WARPBOOK_RETURN_IF_ERROR(Download(
      opened_entries_.data(), static_cast<int64_t>(count * sizeof(Tile)), entries.data(), stream_));
  for (size_t i = 0; i < count; ++i) openings[i].entries = entries[i];
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Opening>> ProductCommitment::Open(std::span<const OpenedTile> tiles) {
  WARPBOOK_CHECK(!roots_.empty());
  if (trees_.size() < roots_.size()) {
    WARPBOOK_RETURN_IF_ERROR(KeepTree(challenge_.size.rounds - 1));
  }
  const ComputeSize& size = challenge_.size;
  std::vector<Opening> openings(tiles.size());
  std::vector<Seed> seeds;
  for (size_t i = 0; i < tiles.size(); ++i) {
    const auto& [round, place] = tiles[i];
    openings[i].tile = tiles[i];
    seeds.push_back(SeedOfRound(round));
    for (const uint64_t node : PathNodes(size.tiles_per_round(), LeafOf(size, place))) {
      openings[i].path.push_back(trees_[static_cast<size_t>(round)][node]);
    }
  }
  const auto room = static_cast<size_t>(size.opened);
  for (size_t first = 0; first < tiles.size(); first += room) {
    const size_t count = std::min(room, tiles.size() - first);
    WARPBOOK_RETURN_IF_ERROR(MakeTiles(tiles.subspan(first, count),
                                       std::span(seeds).subspan(first, count),
                                       std::span(openings).subspan(first, count)));
  }
  return openings;
}

}  // namespace warpbook::probe
